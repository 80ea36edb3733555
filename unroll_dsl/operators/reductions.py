"""Reductions: of a sample, or of one of its axes, to one number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unroll_dsl.operators.lazy import np
from unroll_dsl.operators.model import Function, Kind, Parameter
from unroll_dsl.operators.rules import reduction

_V = Parameter("v")
_AXIS = Parameter("axis", static=True, optional=True)


def _from_0(axis: int | tuple[int, ...] | None) -> int | tuple[int, ...] | None:
    if isinstance(axis, tuple):
        return tuple(each - 1 for each in axis)
    return None if axis is None else axis - 1


def _reduction(
    name: str,
    summary: str,
    numpy: Callable[[Any, Any], Any],
    torch: str,
    latex: str = "",
    *,
    real_only: bool = False,
    real_result: bool = False,
    differentiable: bool = True,
    torch_real: str = "",
    helper: str = "",
) -> Function:
    def reduce(v: Any, axis: int | tuple[int, ...] | None = None) -> Any:
        return numpy(v, _from_0(axis))

    return Function(
        name,
        (_V, _AXIS),
        Kind.REDUCTION,
        summary,
        reduction(real_only=real_only, real_result=real_result),
        reduce,
        torch,
        latex=latex,
        differentiable=differentiable,
        torch_real=torch_real,
        helper=helper,
    )


_SQUARES = '''class SquareSum(torch.autograd.Function):
    """The sum of squares of real values: one pass over memory forth, and one back."""

    generate_vmap_rule = True

    @staticmethod
    def forward(v: Tensor, axes: int | tuple[int, ...]) -> Tensor:
        return torch.linalg.vector_norm(v, dim=axes).square()

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        ctx.save_for_backward(inputs[0])
        ctx.save_for_forward(inputs[0])
        ctx.axes = inputs[1]

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None]:
        (v,) = ctx.saved_tensors
        count = 1 if isinstance(ctx.axes, int) else len(ctx.axes)  # the last ones
        return 2 * grad[(..., *count * [None])] * v, None

    @staticmethod
    def jvp(ctx, tangent: Tensor, _: None) -> Tensor:
        (v,) = ctx.saved_tensors
        return 2 * (v * tangent).sum(ctx.axes)


def square_sum(v: Tensor, axes: int | tuple[int, ...]) -> Tensor:
    """The sum of squares over the last axes."""
    if torch.compiler.is_compiling():
        return v.square().sum(axes)
    return SquareSum.apply(v, axes)


def square_mean(v: Tensor, axes: int | tuple[int, ...]) -> Tensor:
    """The mean of squares over the last axes."""
    total = square_sum(v, axes)
    return total * (total.numel() / v.numel())
'''


def _dot(x: Any, y: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    return np.sum(np.conj(x) * y, axis=_from_0(axis))


RECORDS = (
    _reduction("sum", "The sum.", lambda v, axis: np.sum(v, axis=axis), "v.sum(AXES)"),
    _reduction("mean", "The mean.", lambda v, axis: np.mean(v, axis=axis), "v.mean(AXES)"),
    _reduction(
        "sumsq",
        "The sum of squared moduli.",
        lambda v, axis: np.sum(np.abs(v) ** 2, axis=axis),
        "v.abs().square().sum(AXES)",
        r"\left\|{0}\right\|_2^2",
        real_result=True,
        torch_real="v.square().sum(AXES)",
    ),
    _reduction(
        "square_sum",
        "The sum of squares of real values; what `sumsq` is compiled to in a loss.",
        lambda v, axis: np.sum(np.square(v), axis=axis),
        "square_sum(v, AXES)",
        real_only=True,
        helper=_SQUARES,
    ),
    _reduction(
        "square_mean",
        "The mean of squares of real values, in a loss.",
        lambda v, axis: np.mean(np.square(v), axis=axis),
        "square_mean(v, AXES)",
        real_only=True,
        helper=_SQUARES,
    ),
    _reduction(
        "norm2",
        "The root of the sum of squared moduli.",
        lambda v, axis: np.sqrt(np.sum(np.abs(v) ** 2, axis=axis)),
        "torch.linalg.vector_norm(v, dim=AXES)",
        r"\left\|{0}\right\|_2",
        real_result=True,
    ),
    _reduction(
        "norm1",
        "The sum of moduli.",
        lambda v, axis: np.sum(np.abs(v), axis=axis),
        "v.abs().sum(AXES)",
        r"\left\|{0}\right\|_1",
        real_result=True,
    ),
    _reduction(
        "norm_inf",
        "The largest modulus.",
        lambda v, axis: np.max(np.abs(v), axis=axis),
        "v.abs().amax(AXES)",
        r"\left\|{0}\right\|_\infty",
        real_result=True,
    ),
    _reduction(
        "norm0",
        "The number of entries that are not 0.",
        lambda v, axis: np.sum(np.asarray(v) != 0, axis=axis).astype(np.float64),
        "(v != 0).sum(AXES).to(v.abs().dtype)",
        r"\left\|{0}\right\|_0",
        real_result=True,
        differentiable=False,
        torch_real="(v != 0).sum(AXES).to(v.dtype)",
    ),
    _reduction(
        "max",
        "The largest entry; of two arguments the larger.",
        lambda v, axis: np.max(v, axis=axis),
        "v.amax(AXES)",
        r"\max\left({0}\right)",
        real_only=True,
    ),
    _reduction(
        "min",
        "The smallest entry; of two arguments the smaller.",
        lambda v, axis: np.min(v, axis=axis),
        "v.amin(AXES)",
        r"\min\left({0}\right)",
        real_only=True,
    ),
    Function(
        "dot",
        (Parameter("x"), Parameter("y"), _AXIS),
        Kind.REDUCTION,
        "The inner product, conjugate in its first argument.",
        reduction(),
        _dot,
        "(x.conj() * y).sum(AXES)",
        latex=r"\left\langle {0}, {1} \right\rangle",
        torch_real="(x * y).sum(AXES)",
    ),
)
