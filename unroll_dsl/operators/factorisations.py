"""Factors of matrices and solutions with them: what the solving pass rewrites `solve` to.

`solve(M, b)` with a matrix that stays the same becomes a factor, computed once, and a solution with
it. Right-hand sides come first, as their axes tell a backend how to batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unroll_dsl.operators.lazy import np
from unroll_dsl.operators.model import Function, Kind, Mismatch, Parameter, Static
from unroll_dsl.operators.rules import matrix_to
from unroll_dsl.types import Array, Dim, Field

_A, _B, _G, _M = (Parameter(name) for name in ("A", "b", "G", "M"))


def _same(matrix: Array) -> Array:
    return Array(matrix.shape, matrix.field.join(Field.REAL))


def _right_vectors(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
    matrix, count = arrays[0], statics["count"]
    if matrix.rank != 2 or isinstance(count, str | tuple):
        return Mismatch(0, "a matrix", str(matrix))
    return Array((matrix.shape[1], Dim.of(count)), matrix.field.join(Field.REAL))


def _solution(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
    b, factor = arrays
    if factor.rank != 2 or factor.shape[0] != factor.shape[1]:
        return Mismatch(1, "a square matrix", str(factor))
    if b.rank not in (1, 2) or b.shape[0] != factor.shape[0]:
        return Mismatch(0, f"right-hand sides for {factor}", str(b))
    return Array(b.shape, b.field.join(factor.field).join(Field.REAL), b.form)


def _right_singular_vectors(A: Any, count: int) -> Any:
    # `count` says in the type how many there are: the smaller side of A
    return np.conj(np.linalg.svd(A, full_matrices=False)[2].T)


def _cholesky_solve(b: Any, L: Any) -> Any:
    return np.linalg.solve(np.conj(L.T), np.linalg.solve(L, b))


def _triangular_solve(b: Any, R: Any) -> Any:
    return np.linalg.solve(np.triu(R), b)


def _solver(name: str, factor: str, system: str, call: str) -> str:
    """The source of a solution with a factor in torch, one factor a batch or one a sample."""
    rows = call.format("b.reshape(-1, b.shape[-1]).mT")
    return f'''def {name}(b: Tensor, {factor}: Tensor, rank: int) -> Tensor:
    """Solve ``{system} = b`` for b [..., n], or for columns of b [..., n, k] if `rank` is 2."""
    dtype = torch.promote_types(b.dtype, {factor}.dtype)
    b, {factor} = b.to(dtype), {factor}.to(dtype)
    if rank == 2:
        return {call.format("b")}
    if {factor}.ndim == 2:  # the samples are the columns of one system
        return {rows}.mT.reshape(b.shape)
    return {call.format("b.unsqueeze(-1)")}.squeeze(-1)
'''


def _factor(
    name: str, parameter: Parameter, summary: str, numpy: Callable[..., Any], torch: str
) -> Function:
    rule = matrix_to(_same, square=True)
    return Function(name, (parameter,), Kind.WHOLE, summary, rule, numpy, torch)


RECORDS = (
    Function(
        "right_singular_vectors",
        (_A, Parameter("count", static=True)),
        Kind.WHOLE,
        "The right singular vectors of a matrix with `count` rows and more columns, as columns.",
        _right_vectors,
        _right_singular_vectors,
        "torch.linalg.svd(A, full_matrices=False).Vh.mH",
        differentiable=False,
    ),
    Function(
        "symmetric_eigenvectors",
        (_G,),
        Kind.WHOLE,
        "The eigenvectors of a Hermitian matrix, as columns.",
        matrix_to(_same, square=True),
        lambda G: np.linalg.eigh(G)[1],
        "torch.linalg.eigh(G).eigenvectors",
        differentiable=False,
    ),
    _factor(
        "cholesky",
        _M,
        "The lower triangular L of a positive definite M = L L'.",
        lambda M: np.linalg.cholesky(M),
        "torch.linalg.cholesky(M)",
    ),
    _factor(
        "orthogonal_factor",
        _M,
        "The orthogonal Q of M = Q R with R upper triangular, which is Q' M.",
        lambda M: np.linalg.qr(M)[0],
        "torch.linalg.qr(M).Q",
    ),
    Function(
        "cholesky_solve",
        (_B, Parameter("L")),
        Kind.WHOLE,
        "The solution x of L L' x = b, L lower triangular.",
        _solution,
        _cholesky_solve,
        "cholesky_solve(b, L, RANK)",
        helper=_solver("cholesky_solve", "L", "L L' x", "torch.cholesky_solve({0}, L)"),
    ),
    Function(
        "triangular_solve",
        (_B, Parameter("R")),
        Kind.WHOLE,
        "The solution x of R x = b, R upper triangular; below its diagonal R is not read.",
        _solution,
        _triangular_solve,
        "triangular_solve(b, R, RANK)",
        helper=_solver(
            "triangular_solve",
            "R",
            "R x",
            "torch.linalg.solve_triangular(R, {0}, upper=True)",
        ),
    ),
    Function(
        "solve_dense",
        (_B, _M),
        Kind.WHOLE,
        "The solution x of M x = b, factorised anew each time.",
        _solution,
        lambda b, M: np.linalg.solve(M, b),
        "solve_dense(b, M, RANK)",
        helper=_solver("solve_dense", "M", "M x", "torch.linalg.solve(M, {0})"),
    ),
)
