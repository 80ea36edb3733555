"""`derive`: a problem, a method, a page."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module

from unroll_dsl.derive.errors import MethodRefused
from unroll_dsl.derive.model import Derivation, Method, Options, Refusal, Scheme
from unroll_dsl.derive.page import page
from unroll_dsl.derive.setting import Setting
from unroll_dsl.diagnostics.model import InternalError, UnrollError
from unroll_dsl.driver import check_source
from unroll_dsl.objectives import read
from unroll_dsl.semantics import TypedProgram
from unroll_dsl.source import SourceFile


@cache
def methods() -> Mapping[str, Method]:
    """All methods by name: every module of `methods/` that binds `METHODS`."""
    import unroll_dsl.derive.methods as package

    found: dict[str, Method] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        for method in getattr(import_module(f"{package.__name__}.{module}"), "METHODS", ()):
            if method.name in found:
                raise InternalError(f"two methods are called `{method.name}`")
            found[method.name] = method
    return found


def method_names() -> tuple[str, ...]:
    """The names of all methods."""
    return tuple(methods())


def derive(typed: TypedProgram, method: str, options: Options | None = None) -> Derivation:
    """The page of a method for the objective of a program.

    Parameters
    ----------
    typed
        A checked problem, or an algorithm with `minimize`.
    method
        One of `method_names()`.

    Raises
    ------
    UnrollError
        U0601, U0602, U0603 where the objective has no normal form; U0610 where the method does not serve it,
        with the term in the way and the methods that would; U0611 for an option that does not fit.
    KeyError
        There is no such method.
    """
    chosen, options = methods()[method], options or Options()
    form = read(typed)
    answer = attempt(chosen, Setting(form, options), options)
    if isinstance(answer, Refusal):
        raise UnrollError([MethodRefused(method, answer.reason, answer.span, answer.instead)])
    title = options.name or f"{typed.program.name.text}_{method}"
    text = page(form, answer, options, title)
    checked = check_source(SourceFile(f"{title}.unroll", text))
    if checked.program is None or checked.has_errors:
        words = "; ".join(d.message() for d in checked.diagnostics)
        raise InternalError(f"the page that {method} wrote is wrong: {words}\n{text}")
    return Derivation(chosen, form, checked.program, text, answer.way)


def attempt(method: Method, setting: Setting, options: Options) -> Scheme | Refusal:
    """The scheme of a method, or why there is none."""
    return method.run(setting, options)
