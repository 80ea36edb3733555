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
    b, factor, *_ = arrays
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


_DEFINITE = '''class DefiniteSolution(torch.autograd.Function):
    """x with M x = b for columns b, by the lower factor of M. Derivatives go past the factor: of a gradient g
    of x it makes M^-H g for b, and -M^-H g x^H for M."""

    generate_vmap_rule = True

    @staticmethod
    def forward(b: Tensor, M: Tensor, L: Tensor) -> Tensor:
        return torch.cholesky_solve(b, L)

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        ctx.save_for_backward(*inputs[1:], output)
        ctx.save_for_forward(*inputs[1:], output)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        M, L, x = ctx.saved_tensors
        of_b = DefiniteSolution.apply(grad, M.mH, L)
        return of_b, -of_b @ x.mH, None

    @staticmethod
    def jvp(ctx, b: Tensor, M: Tensor, _: Tensor) -> Tensor:
        known, L, x = ctx.saved_tensors
        return DefiniteSolution.apply(b - M @ x, known, L)


def definite_solve(b: Tensor, M: Tensor, L: Tensor, rank: int) -> Tensor:
    """Solve ``M x = b``, M = L L', for b [..., n], or for columns of b [..., n, k] if `rank` is 2."""
    dtype = torch.promote_types(b.dtype, M.dtype)
    b, M, L = b.to(dtype), M.to(dtype), L.to(dtype)
    shape = b.shape
    if rank == 1:  # where there is one system, the samples are its columns
        b = b.reshape(-1, shape[-1]).mT if M.ndim == 2 else b.unsqueeze(-1)
    if not torch.is_grad_enabled() or torch.compiler.is_compiling():
        x = torch.cholesky_solve(b, L)
    else:
        batch = torch.broadcast_shapes(b.shape[:-2], M.shape[:-2])
        x = DefiniteSolution.apply(*(v.expand(*batch, *v.shape[-2:]) for v in (b, M, L)))
    if rank == 2:
        return x
    return x.mT.reshape(shape) if M.ndim == 2 else x.squeeze(-1)
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
        "definite_solve",
        (_B, _M, Parameter("L")),
        Kind.WHOLE,
        "The solution x of M x = b, M = L L' positive definite, with a derivative that goes past L.",
        _solution,
        lambda b, M, L: _cholesky_solve(b, L),
        "definite_solve(b, M, L, RANK)",
        helper=_DEFINITE,
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
