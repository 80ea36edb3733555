"""Functions of the eigenvalues of Hermitian matrices, with derivatives that are right where some are equal.

The root R of M moves with M by R dR + dR R = dM, which is solved entry by entry in the basis of eigenvectors and has no
difference of eigenvalues in it (Higham, 2008, section 6.1); the positive part of M is (M + (M M)^1/2) / 2. Through
eigenvectors themselves, as torch would have it, equal eigenvalues give 0 / 0.
"""

from __future__ import annotations

from typing import Any

from unroll_dsl.operators.lazy import np
from unroll_dsl.operators.model import Function, Kind, Parameter
from unroll_dsl.operators.rules import matrix_to
from unroll_dsl.types import Array, Field

_M = Parameter("M")


def _same(matrix: Array) -> Array:
    return Array(matrix.shape, matrix.field.join(Field.REAL))


def _psd(M: Any) -> Any:
    values, vectors = np.linalg.eigh((M + np.conj(M.T)) / 2)
    return (vectors * np.maximum(values, 0)) @ np.conj(vectors.T)


def _sqrtm(M: Any) -> Any:
    values, vectors = np.linalg.eigh((M + np.conj(M.T)) / 2)
    noise = values.size * np.finfo(float).eps * np.abs(values).max(initial=0)
    roots = np.sqrt(np.where(values < -noise, np.nan, np.maximum(values, 0)))
    return (vectors * roots) @ np.conj(vectors.T)


_ROOT = '''class Root(torch.autograd.Function):
    """The root R = V diag(d) V' of S = R R, Hermitian; of dS it makes the dR with R dR + dR R = dS."""

    generate_vmap_rule = True

    @staticmethod
    def forward(S: Tensor, V: Tensor, d: Tensor) -> Tensor:
        return (V * d.unsqueeze(-2)) @ V.mH

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        ctx.save_for_backward(output, *inputs[1:])
        ctx.save_for_forward(output, *inputs[1:])

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None, None]:
        R, V, d = ctx.saved_tensors
        return Sylvester.apply(R, grad, V, d), None, None

    @staticmethod
    def jvp(ctx, S: Tensor, *_: Tensor | None) -> Tensor:
        R, V, d = ctx.saved_tensors
        return Sylvester.apply(R, S, V, d)


class Sylvester(torch.autograd.Function):
    """The X with R X + X R = E, for R = V diag(d) V' without negative d; 0 where d_i + d_j is 0."""

    generate_vmap_rule = True

    @staticmethod
    def forward(R: Tensor, E: Tensor, V: Tensor, d: Tensor) -> Tensor:
        sums = d.unsqueeze(-1) + d.unsqueeze(-2)
        return V @ (torch.where(sums == 0, 0, 1 / sums) * (V.mH @ E @ V)) @ V.mH

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        R, _, V, d = inputs
        ctx.save_for_backward(R, V, d, output)
        ctx.save_for_forward(R, V, d, output)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, Tensor, None, None]:
        R, V, d, X = ctx.saved_tensors
        of_E = Sylvester.apply(R, grad, V, d)
        return -(of_E @ X.mH + X.mH @ of_E), of_E, None, None

    @staticmethod
    def jvp(ctx, R: Tensor | None, E: Tensor | None, *_: Tensor | None) -> Tensor:
        known, V, d, X = ctx.saved_tensors
        moved = torch.zeros_like(X) if E is None else E
        if R is not None:
            moved = moved - R @ X - X @ R
        return Sylvester.apply(known, moved, V, d)
'''

RECORDS = (
    Function(
        "psd_part",
        (_M,),
        Kind.WHOLE,
        "The nearest Hermitian matrix without negative eigenvalues (Higham, 1988).",
        matrix_to(_same, square=True),
        _psd,
        "psd_part(M)",
        helper=f'''
{_ROOT}

def psd_part(M: Tensor) -> Tensor:
    """The Hermitian part of the matrix with its negative eigenvalues at 0."""
    M = (M + M.mH) / 2
    if torch.compiler.is_compiling():
        d, V = torch.linalg.eigh(M)
        return (V * torch.relu(d).unsqueeze(-2)) @ V.mH
    d, V = torch.linalg.eigh(M.detach())
    return (M + Root.apply(M @ M, V, d.abs())) / 2
''',
    ),
    Function(
        "sqrtm",
        (_M,),
        Kind.WHOLE,
        "The positive semidefinite root of a Hermitian matrix without negative eigenvalues: sqrtm(M) @ sqrtm(M) = M.",
        matrix_to(_same, square=True),
        _sqrtm,
        "sqrtm(M)",
        latex=r"\left({0}\right)^{{1/2}}",
        helper=f'''
{_ROOT}

def sqrtm(M: Tensor) -> Tensor:
    """The root of the Hermitian part of the matrix; NaN where an eigenvalue is negative by more than rounding."""
    M = (M + M.mH) / 2
    if torch.compiler.is_compiling():
        d, V = torch.linalg.eigh(M)
        return (V * torch.relu(d).sqrt().unsqueeze(-2)) @ V.mH
    d, V = torch.linalg.eigh(M.detach())
    noise = d.shape[-1] * torch.finfo(d.dtype).eps * d.abs().amax(-1, keepdim=True)
    roots = torch.where(d < -noise, torch.nan, torch.relu(d)).sqrt()
    return Root.apply(M, V, roots)
''',
    ),
)
