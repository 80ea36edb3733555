"""Worst cases of iterations over classes of functions: `unroll_dsl.certify(spec)`. See docs/certify.md.

The package can be called: it is the function `certify` of `run.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unroll_dsl.calling import callable_as

if TYPE_CHECKING:
    from unroll_dsl.certify.model import Bound, Certificate
    from unroll_dsl.certify.run import certify


def __getattr__(name: str) -> Any:
    if name in ("Bound", "Certificate"):
        from unroll_dsl.certify import model

        return getattr(model, name)
    if name == "certify":
        from unroll_dsl.certify.run import certify

        return certify
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


callable_as(__name__, "unroll_dsl.certify.run:certify")

__all__ = ["Bound", "Certificate", "certify"]
