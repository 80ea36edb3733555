"""Generated text as a live module, whose networks can be copied and pickled."""

from __future__ import annotations

import hashlib
import linecache
import sys
from types import MethodType, ModuleType
from typing import Any


def load_module(source: str, name: str) -> ModuleType:
    """Execute generated text; the same text is executed once.

    Tracebacks and `inspect.getsource` show the text. Networks of the module survive `copy.deepcopy` and
    `pickle` (in another process too): they carry the text that makes their classes.
    """
    digest = hashlib.sha256(source.encode()).hexdigest()[:12]
    full = f"unroll_dsl.generated.{name}_{digest}"
    if full in sys.modules:
        return sys.modules[full]
    module = ModuleType(full)
    module.__file__ = f"<generated {name}.py {digest}>"
    linecache.cache[module.__file__] = (
        len(source),
        None,
        source.splitlines(keepends=True),
        module.__file__,
    )
    code = compile(source, module.__file__, "exec")
    sys.modules[full] = module
    try:
        exec(code, module.__dict__)
    except BaseException:
        del sys.modules[full]
        raise
    for value in list(vars(module).values()):
        if isinstance(value, type) and value.__module__ == full:
            value.__reduce_ex__ = _reducer(source, name)  # type: ignore[method-assign]
    return module


def _reducer(source: str, name: str) -> Any:
    def reduce(self: Any, protocol: Any) -> Any:
        # methods that were compiled are compiled again where they are wanted
        state = {k: v for k, v in self.__dict__.items() if not isinstance(v, MethodType)}
        return _restore, (source, name, type(self).__name__), state

    return reduce


def _restore(source: str, name: str, class_name: str) -> Any:
    cls = getattr(load_module(source, name), class_name)
    return cls.__new__(cls)
