"""Steps and momentum in one pass over memory; what `x - t * r` and `x + t * (x - w)` are compiled to."""

from __future__ import annotations

from unroll_dsl.operators.model import Function, Kind, Mismatch, Parameter, Static
from unroll_dsl.types import Array, Field


def _rule(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
    x, r, t = arrays
    if x.shape != r.shape or x.rank == 0 or t.rank:
        return Mismatch(1, "two arrays of one shape, and a number", f"{x}, {r}, {t}")
    if any(type_.field is not Field.REAL for type_ in arrays):
        return Mismatch(0, "real values", str(x))
    return x


_NUMBER = Parameter("t", number=True)

_EXTRAPOLATE = '''
def extrapolate(x: Tensor, x_prev: Tensor, t: Tensor | float) -> Tensor:
    """Momentum, ``x + t * (x - x_prev)``, in one pass over memory."""
    if any(v.dtype != x.dtype for v in (x_prev, t) if isinstance(v, Tensor)):  # by autocast
        return x + t * (x - x_prev)
    return torch.lerp(x_prev, x, 1 + t)
'''

RECORDS = (
    Function(
        "axpy",
        (Parameter("x"), Parameter("r"), _NUMBER),
        Kind.WHOLE,
        "x + t r, as the routine of that name in BLAS.",
        _rule,
        lambda x, r, t: x + t * r,
        "torch.addcmul(x, r, t)",
        torch_number="torch.add(x, r, alpha=t)",
    ),
    Function(
        "axmy",
        (Parameter("x"), Parameter("r"), _NUMBER),
        Kind.WHOLE,
        "x - t r, a step.",
        _rule,
        lambda x, r, t: x - t * r,
        "torch.addcmul(x, r, t, value=-1)",
        torch_number="torch.sub(x, r, alpha=t)",
    ),
    Function(
        "extrapolate",
        (Parameter("x"), Parameter("w"), _NUMBER),
        Kind.WHOLE,
        "x + t (x - w), momentum.",
        _rule,
        lambda x, w, t: x + t * (x - w),
        "extrapolate(x, w, t)",
        helper=_EXTRAPOLATE,
    ),
)
