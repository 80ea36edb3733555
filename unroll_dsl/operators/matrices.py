"""Functions of matrices. They act on the last two axes, so a batch of matrices is fine too."""

from __future__ import annotations

from typing import Any

from unroll_dsl.operators.lazy import np
from unroll_dsl.operators.model import Function, Kind, Mismatch, Parameter, Static
from unroll_dsl.operators.rules import matrix_to, real_scalar, scalar_of
from unroll_dsl.types import Array, Field

_M = Parameter("M")


def _flipped(matrix: Array) -> Array:
    return Array(matrix.shape[::-1], matrix.field.join(Field.REAL))


def _same(matrix: Array) -> Array:
    return Array(matrix.shape, matrix.field.join(Field.REAL))


def _outer_rule(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
    x, y = arrays
    for index, vector in enumerate(arrays):
        if vector.rank != 1:
            return Mismatch(index, "a vector", str(vector))
    return Array((x.shape[0], y.shape[0]), x.field.join(y.field).join(Field.REAL))


def _singular_rule(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
    if arrays[0].rank != 2:
        return Mismatch(0, "a matrix", str(arrays[0]))
    if arrays[1].rank or arrays[1].field is Field.COMPLEX:
        return Mismatch(1, "a real scalar", str(arrays[1]))
    return _same(arrays[0])


def _diagonal_rule(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
    if arrays[0].rank != 1:
        return Mismatch(0, "a vector", str(arrays[0]))
    return Array((arrays[0].shape[0],) * 2, arrays[0].field.join(Field.REAL))


def _singular_soft(M: Any, t: Any) -> Any:
    u, s, vh = np.linalg.svd(M, full_matrices=False)
    return (u * np.maximum(s - t, 0)) @ vh


_SINGULAR_SOFT = '''
def singular_soft(M: Tensor, t: Tensor) -> Tensor:
    """Shrink the singular values of `M` towards zero by `t`."""
    U, s, Vh = torch.linalg.svd(M, full_matrices=False)
    return (U * torch.relu(s - t[..., None])[..., None, :]) @ Vh
'''

_LARGE = 256  # below it all singular values take less


def _spectral_norm(M: Any) -> Any:
    m, n = M.shape
    if min(m, n) < _LARGE:
        return np.linalg.norm(M, 2)
    gram = M @ np.conj(M.T) if m <= n else np.conj(M.T) @ M
    return np.sqrt(np.maximum(np.linalg.eigvalsh(gram)[-1], 0))


_SPECTRAL_NORM = f'''def spectral_norm(M: Tensor) -> Tensor:
    """The largest singular value; of a large matrix from the eigenvalues of its smaller product with itself."""
    m, n = M.shape[-2:]
    if min(m, n) < {_LARGE}:
        return torch.linalg.matrix_norm(M, 2)
    gram = M @ M.mH if m <= n else M.mH @ M
    return torch.linalg.eigvalsh(gram)[..., -1].sqrt()
'''


RECORDS = (
    Function(
        "spectral_norm",
        (_M,),
        Kind.WHOLE,
        "The largest singular value of a matrix; written `norm(M)`.",
        matrix_to(real_scalar),
        _spectral_norm,
        "spectral_norm(M)",
        latex=r"\left\|{0}\right\|",
        helper=_SPECTRAL_NORM,
    ),
    Function(
        "tr",
        (_M,),
        Kind.WHOLE,
        "The sum of the diagonal.",
        matrix_to(scalar_of, square=True),
        lambda M: np.trace(M),
        "M.diagonal(dim1=-2, dim2=-1).sum(-1)",
        latex=r"\operatorname{{tr}}\left({0}\right)",
    ),
    Function(
        "inv",
        (_M,),
        Kind.WHOLE,
        "The inverse; for systems `solve` is cheaper and more exact.",
        matrix_to(_same, square=True),
        lambda M: np.linalg.inv(M),
        "torch.linalg.inv(M)",
        latex=r"\left({0}\right)^{{-1}}",
    ),
    Function(
        "pinv",
        (_M,),
        Kind.WHOLE,
        "The pseudo-inverse (Moore, Penrose).",
        matrix_to(_flipped),
        lambda M: np.linalg.pinv(M),
        "torch.linalg.pinv(M)",
        latex=r"\left({0}\right)^{{\dagger}}",
    ),
    Function(
        "outer",
        (Parameter("x"), Parameter("y")),
        Kind.WHOLE,
        "The matrix of the products x_i y_j (y is not conjugated).",
        _outer_rule,
        lambda x, y: np.outer(x, y),
        "x[..., :, None] * y[..., None, :]",
    ),
    Function(
        "singular_soft",
        (_M, Parameter("t")),
        Kind.WHOLE,
        "Singular values shrunk by t: the proximal map of the nuclear norm (Cai, Candès, Shen, "
        "2010).",
        _singular_rule,
        _singular_soft,
        "singular_soft(M, t)",
        helper=_SINGULAR_SOFT,
        latex=r"\mathcal{{D}}_{{{1}}}\left({0}\right)",
    ),
    Function(
        "diagonal_matrix",
        (Parameter("v"),),
        Kind.WHOLE,
        "The matrix with a vector on its diagonal; written `diag(v)`.",
        _diagonal_rule,
        lambda v: np.diag(v),
        "torch.diag_embed(v)",
        latex=r"\operatorname{{diag}}\left({0}\right)",
    ),
)
