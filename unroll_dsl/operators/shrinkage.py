"""Shrinkage that the language cannot write itself: piecewise linear functions on uniform knots."""

from __future__ import annotations

from typing import Any

from unroll_dsl.operators.lazy import np
from unroll_dsl.operators.model import Function, Kind, Mismatch, Parameter, Static
from unroll_dsl.types import Array, Field


def _rule(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
    x, q = arrays
    if x.field is Field.COMPLEX or q.field is Field.COMPLEX:
        return Mismatch(0, "real values", str(x), "act on parts: `split(...)`, `real(...)`")
    result = Array(x.shape, x.field.join(Field.REAL), x.form)
    if q.rank > 0 and (knots := q.shape[-1].value) is not None and knots < 2:
        return Mismatch(1, "values at 2 knots or more", str(q))
    if q.rank == 1:
        return result
    if q.rank != 2 or x.rank < 1 or q.shape[0] != x.shape[0]:
        return Mismatch(1, f"values at knots for each channel of {x}, or for all", str(q))
    return result


def _plf(x: Any, q: Any) -> Any:
    x, q = np.asarray(x, float), np.asarray(q, float)
    if q.ndim == 2:
        return np.stack([_plf(channel, values) for channel, values in zip(x, q, strict=True)])
    knots = np.linspace(-1, 1, q.size)
    inside = np.interp(x, knots, q)
    return np.where(x < -1, x + 1 + q[0], np.where(x > 1, x - 1 + q[-1], inside))


_PLF = '''
def plf(x: Tensor, q: Tensor, rank: int) -> Tensor:
    """Linear between the knots linspace(-1, 1, n), where it takes the values `q`; slope 1 beyond.

    `q` is [n], or [channels, n] for the first of the `rank` axes of a sample.
    """
    n = q.shape[-1]
    if q.ndim == 2:
        offset = (n * torch.arange(q.shape[0], device=q.device)).view(-1, *[1] * (rank - 1))
    else:
        offset = 0
    inside = x.clamp(-1, 1)
    place = (inside + 1) * ((n - 1) / 2)
    cell = place.detach().floor().clamp(0, n - 2)
    low = (cell.long() + offset).clamp(0, q.numel() - 2)
    values = q.reshape(-1)
    left, right = values[low], values[low + 1]
    return left + (place - cell) * (right - left) + (x - inside)
'''


def _shrink_rule(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
    v, t = arrays
    if t.rank or Field.COMPLEX in (v.field, t.field):
        return Mismatch(1, "real values and one real threshold", str(t))
    return Array(v.shape, v.field.join(Field.REAL), v.form)


_SHRINK = '''
class Shrink(torch.autograd.Function):
    """sign(v) * relu(|v| - t), for any sign of t; its derivatives follow from the signs of the result."""

    generate_vmap_rule = True

    @staticmethod
    def forward(v: Tensor, t: Tensor) -> Tensor:
        if v.device.type == "cpu" and t >= 0:  # one pass over memory
            return nn.functional.softshrink(v, t.item())
        return v.sign() * torch.relu(v.abs() - t)

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        ctx.save_for_backward(output)
        ctx.save_for_forward(output)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, Tensor]:
        signs = ctx.saved_tensors[0].sign()
        moved = grad * signs
        return moved * signs, -moved.sum()

    @staticmethod
    def jvp(ctx, v: Tensor, t: Tensor) -> Tensor:
        signs = ctx.saved_tensors[0].sign()
        return v * signs * signs - t * signs


def shrink(v: Tensor, t: Tensor | float, inplace: bool = False) -> Tensor:
    """Soft thresholding by a number; in place only where no derivative is asked for."""
    if torch.compiler.is_compiling():
        return v.sign() * torch.relu(v.abs() - t)
    if isinstance(t, Tensor):
        forward_mode = torch.autograd.forward_ad.unpack_dual(t).tangent is not None
        if torch.is_grad_enabled() or forward_mode or v.device.type != "cpu":
            return Shrink.apply(v, t)
        t = t.item()
    if t < 0:
        return v.sign() * torch.relu(v.abs() - t)
    if not inplace or v.numel() < 2**18 or torch.is_grad_enabled():
        return nn.functional.softshrink(v, t)
    for part in v.split(max(2**18 * len(v) // v.numel(), 1)):  # pieces that fit the cache
        part.sub_(part.clamp(-t, t))
    return v
'''


def _each_rule(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
    v, t = arrays
    if t.shape != v.shape or Field.COMPLEX in (v.field, t.field):
        return Mismatch(1, f"a real threshold for each entry of {v}", str(t))
    return Array(v.shape, v.field.join(Field.REAL), v.form)


_SHRINK_EACH = '''
def shrink_each(v: Tensor, t: Tensor) -> Tensor:
    """Soft thresholding, each entry by a threshold of its own; none is negative."""
    return v - v.clamp(-t, t)
'''

RECORDS = (
    Function(
        "shrink",
        (Parameter("v"), Parameter("t", number=True)),
        Kind.WHOLE,
        "Soft thresholding of real values by one number; what `soft` is compiled to.",
        _shrink_rule,
        lambda v, t: np.sign(v) * np.maximum(np.abs(v) - t, 0),
        "shrink(v, t)",
        helper=_SHRINK,
        torch_temporary="shrink(v, t, inplace=True)",
    ),
    Function(
        "shrink_each",
        (Parameter("v"), Parameter("t")),
        Kind.WHOLE,
        "Soft thresholding of real values, each by a threshold of its own; none may be negative.",
        _each_rule,
        lambda v, t: np.sign(v) * np.maximum(np.abs(v) - t, 0),
        "shrink_each(v, t)",
        helper=_SHRINK_EACH,
    ),
    Function(
        "plf",
        (Parameter("x"), Parameter("q")),
        Kind.WHOLE,
        "Linear between n uniform knots from -1 to 1, where it takes the values q; slope 1 beyond.",
        _rule,
        _plf,
        "plf(x, q, RANK)",
        helper=_PLF,
        shared=("q",),
    ),
)
