"""Worst cases of iterations over classes of functions: `unroll_dsl.certify(spec)`. See docs/certify.md.

The package can be called: it is the function `certify` of `run.py`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unroll_dsl.certify.model import Bound, Certificate
    from unroll_dsl.certify.run import certify


class _Callable(ModuleType):
    """A package that is its main function as well, as the name says what it does."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        from unroll_dsl.certify.run import certify

        return certify(*arguments, **options)


def __getattr__(name: str) -> Any:
    if name in ("Bound", "Certificate"):
        from unroll_dsl.certify import model

        return getattr(model, name)
    if name == "certify":
        from unroll_dsl.certify.run import certify

        return certify
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


sys.modules[__name__].__class__ = _Callable

__all__ = ["Bound", "Certificate", "certify"]
