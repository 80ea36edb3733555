"""What objectives ask of singular values: nuclear norms, thresholding, ranks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unroll_dsl.operators.lazy import np
from unroll_dsl.operators.model import Function, Kind, Mismatch, Parameter, Static
from unroll_dsl.operators.rules import matrix_to, real_scalar
from unroll_dsl.types import Array, Field

_M = Parameter("M")


def _same(matrix: Array) -> Array:
    return Array(matrix.shape, matrix.field.join(Field.REAL))


def _with_number(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
    matrix, t = arrays
    if matrix.rank != 2:
        return Mismatch(0, "a matrix", str(matrix))
    if t.rank or t.field is Field.COMPLEX:
        return Mismatch(1, "a real number", str(t))
    return _same(matrix)


def _spectrum(change: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """A function of the singular values, put back between the singular vectors."""

    def run(M: Any, t: Any = None) -> Any:
        left, values, right = np.linalg.svd(M, full_matrices=False)
        return (left * change(values, t)) @ right

    return run


def _largest(values: Any, r: Any) -> Any:
    return np.where(np.arange(values.size) < r, values, 0)


RECORDS = (
    Function(
        "nuclear_norm",
        (_M,),
        Kind.WHOLE,
        "The sum of the singular values of a matrix.",
        matrix_to(real_scalar),
        lambda M: np.linalg.svd(M, compute_uv=False).sum(),
        "torch.linalg.svdvals(M).sum(-1)",
        latex=r"\left\|{0}\right\|_*",
    ),
    Function(
        "low_rank",
        (_M, Parameter("r")),
        Kind.WHOLE,
        "The nearest matrix of rank r at most: its r largest singular values (Eckart, Young, 1936).",
        _with_number,
        _spectrum(_largest),
        "low_rank(M, r)",
        helper='''
def low_rank(M: Tensor, r: Tensor) -> Tensor:
    """The matrix with its r largest singular values alone."""
    left, values, right = torch.linalg.svd(M, full_matrices=False)
    kept = torch.arange(values.shape[-1], device=M.device) < r.unsqueeze(-1)
    return (left * (values * kept).unsqueeze(-2)) @ right
''',
    ),
    Function(
        "orthogonal_part",
        (_M,),
        Kind.WHOLE,
        "The nearest matrix with orthonormal columns (rows, of a wide one): its polar factor.",
        matrix_to(_same),
        _spectrum(lambda values, t: np.ones_like(values)),
        "orthogonal_part(M)",
        helper='''
def orthogonal_part(M: Tensor) -> Tensor:
    """The matrix with 1 in place of its singular values."""
    left, _, right = torch.linalg.svd(M, full_matrices=False)
    return left @ right
''',
    ),
    Function(
        "rank",
        (_M,),
        Kind.WHOLE,
        "The rank of a matrix, to rounding.",
        matrix_to(real_scalar),
        lambda M: float(np.linalg.matrix_rank(M)),
        "torch.linalg.matrix_rank(M).to(M.real.dtype)",
        differentiable=False,
    ),
)
