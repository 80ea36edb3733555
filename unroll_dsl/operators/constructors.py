"""Arrays made from numbers that are known while compiling."""

from __future__ import annotations

from typing import Any

from unroll_dsl.operators.lazy import np
from unroll_dsl.operators.model import Function, Kind, Mismatch, Parameter, Static
from unroll_dsl.types import Array, Dim, Field


def _linspace_rule(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
    for index, end in enumerate(arrays):
        if end.rank or end.field is Field.COMPLEX:
            return Mismatch(index, "a real scalar", str(end))
    n = statics["n"]
    if isinstance(n, str | tuple):
        return Mismatch(None, "a number of points", f"`{n}`")
    return Array((Dim.of(n),))


def _dct_rule(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
    n = statics["n"]
    if not isinstance(n, int) or n < 2:
        return Mismatch(None, "a whole number of at least 2", f"`{n}`")
    return Array((Dim.of(n * n - 1), Dim.of(n), Dim.of(n)))


def _dct_basis(n: int) -> Any:
    frequency, place = np.arange(n)[:, None], np.arange(n)[None, :]
    D = np.sqrt(2 / n) * np.cos(np.pi * (2 * place + 1) * frequency / (2 * n))
    D[0] /= np.sqrt(2)
    members = [np.outer(D[b], D[a]) for a in range(n) for b in range(n)]
    return np.stack(members[1:])


_DCT_BASIS = '''
def dct_basis(n: int, like: Tensor) -> Tensor:
    """The orthonormal DCT-II filters of size n x n without the constant one: [n * n - 1, n, n]."""
    place = torch.arange(n, dtype=torch.float64)
    D = (2 / n) ** 0.5 * torch.cos(torch.pi * torch.outer(place, 2 * place + 1) / (2 * n))
    D[0] /= 2**0.5
    B = torch.einsum("br,ac->abrc", D, D).reshape(n * n, n, n)  # member a * n + b: D_b D_a'
    return B[1:].to(like)
'''

_LINSPACE = '''
def linspace(a: Tensor, b: Tensor, n: int) -> Tensor:
    """`n` points from `a` to `b`, evenly spaced."""
    steps = torch.linspace(0, 1, n, dtype=a.dtype, device=a.device)
    return a[..., None] + (b - a)[..., None] * steps
'''

RECORDS = (
    Function(
        "linspace",
        (Parameter("a", number=True), Parameter("b", number=True), Parameter("n", static=True)),
        Kind.CONSTRUCTOR,
        "n numbers from a to b, evenly spaced.",
        _linspace_rule,
        lambda a, b, n: np.linspace(a, b, n),
        "linspace(a, b, n)",
        helper=_LINSPACE,
        torch_number="torch.linspace(a, b, n, dtype=LIKE.dtype, device=LIKE.device)",
    ),
    Function(
        "dct_basis",
        (Parameter("n", static=True),),
        Kind.CONSTRUCTOR,
        "The orthonormal DCT-II filters of size n x n without the constant one, as "
        "tensor[n * n - 1, n, n]; the vertical frequency runs fastest.",
        _dct_rule,
        _dct_basis,
        "dct_basis(n, LIKE)",
        helper=_DCT_BASIS,
    ),
)
