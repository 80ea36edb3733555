"""Order among the entries of a sample: largest, quantile, sorted."""

from __future__ import annotations

from typing import Any

from unroll_dsl.operators.lazy import np
from unroll_dsl.operators.model import Function, Kind, Mismatch, Parameter, Static
from unroll_dsl.types import SCALAR, Array, Field

_V = Parameter("v")


def _real(array: Array) -> Mismatch | None:
    if array.field is Field.COMPLEX:
        return Mismatch(0, "real values", str(array), "order moduli: `abs(v)`")
    if array.rank == 0:
        return Mismatch(0, "an array", str(array))
    return None


def _topk_rule(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
    problem = _real(arrays[0])
    if problem is not None:
        return problem
    r = statics["r"]
    if isinstance(r, str) or (isinstance(r, int) and r < 1):
        return Mismatch(None, "a number of entries, at least 1", f"`{r}`")
    return Array(arrays[0].shape, Field.BOOL, arrays[0].form)


def _quantile_rule(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
    problem = _real(arrays[0])
    if problem is not None:
        return problem
    if arrays[1].rank or arrays[1].field is Field.COMPLEX:
        return Mismatch(1, "a real scalar", str(arrays[1]))
    return SCALAR


def _vector_rule(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
    if arrays[0].rank != 1:
        return Mismatch(0, "a vector", str(arrays[0]))
    return Array(arrays[0].shape, arrays[0].field.join(Field.REAL))


def _sort_rule(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
    return _real(arrays[0]) or _vector_rule(arrays, statics)


def _topk(v: Any, r: int) -> Any:
    flat = np.ravel(v)
    chosen = np.zeros(flat.shape, bool)
    chosen[np.argsort(-flat, kind="stable")[:r]] = True
    return chosen.reshape(np.shape(v))


_TOPK = '''
def topk(v: Tensor, r: int, rank: int) -> Tensor:
    """True at the `r` largest entries of each sample; a sample has the last `rank` axes of `v`.

    Among equals the first are taken, which `torch.topk` does not promise.
    """
    flat = v.flatten(-rank)
    largest = flat.argsort(dim=-1, descending=True, stable=True)[..., :r]
    return torch.zeros_like(flat, dtype=torch.bool).scatter(-1, largest, True).reshape(v.shape)
'''

_QUANTILE = '''
def quantile(v: Tensor, q: Tensor, rank: int) -> Tensor:
    """The `q`-quantile of each sample, linear between order statistics."""
    ordered = v.flatten(-rank).sort(dim=-1).values
    last = ordered.shape[-1] - 1
    place, _ = torch.broadcast_tensors(q.clamp(0, 1) * last, ordered[..., 0])
    below = place.detach().floor().long().clamp(max=max(last - 1, 0))
    above = (below + 1).clamp(max=last)
    ordered = ordered.expand(*place.shape, -1)
    low = ordered.gather(-1, below[..., None])[..., 0]
    high = ordered.gather(-1, above[..., None])[..., 0]
    return torch.lerp(low, high, place - below)
'''

RECORDS = (
    Function(
        "topk",
        (_V, Parameter("r", static=True)),
        Kind.WHOLE,
        "True at the r largest entries; among equals at the first.",
        _topk_rule,
        _topk,
        "topk(v, r, RANK)",
        helper=_TOPK,
        differentiable=False,
    ),
    Function(
        "quantile",
        (_V, Parameter("q")),
        Kind.WHOLE,
        "The q-quantile of the entries, linear between order statistics.",
        _quantile_rule,
        lambda v, q: np.quantile(v, np.clip(q, 0, 1)),
        "quantile(v, q, RANK)",
        helper=_QUANTILE,
    ),
    Function(
        "sort",
        (_V,),
        Kind.WHOLE,
        "The entries of a vector, the largest first.",
        _sort_rule,
        lambda v: np.sort(v)[::-1],
        "v.sort(dim=-1, descending=True).values",
    ),
    Function(
        "cumsum",
        (_V,),
        Kind.WHOLE,
        "The sums of the first 1, 2, ... entries of a vector.",
        _vector_rule,
        lambda v: np.cumsum(v),
        "v.cumsum(-1)",
    ),
)
