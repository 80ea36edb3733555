"""Matrices in the place of linear maps, as text for generated modules: `MyNet(Phi)` with a tensor."""

from __future__ import annotations

AS_MAP = '''def as_map(
    A: Tensor | nn.Module, codomain: tuple[int | None, ...], domain: tuple[int | None, ...]
) -> nn.Module:
    """`A` itself where it is a module; a matrix, or a tensor [*codomain, *domain], as a module."""
    if isinstance(A, nn.Module):
        return A
    spaces = (codomain, domain)
    if A.ndim == len(codomain) + len(domain):
        found = (A.shape[: len(codomain)], A.shape[len(codomain) :])
    elif A.ndim == 2:
        found = tuple(completed(n, space) for n, space in zip(A.shape, spaces))
    else:
        found = None
    if found is None or any(
        m not in (None, n) for space, sizes in zip(spaces, found) for m, n in zip(space, sizes)
    ):
        wanted = [["any" if n is None else n for n in space] for space in spaces]
        raise ValueError(f"no map from {wanted[1]} to {wanted[0]}: {list(A.shape)}")
    return Matrix(A, tuple(found[0]), tuple(found[1]))


def completed(n: int, space: tuple[int | None, ...]) -> tuple[int, ...]:
    """The sizes of a space of `n` entries, of which one may be left open."""
    known = 1
    for size in space:
        known *= size or 1
    if space.count(None) > 1:
        raise ValueError(
            f"a matrix does not tell the sizes of {n} entries: give them as arguments, or a tensor with "
            "the axes of both spaces"
        )
    if n != known and (None not in space or n % known):
        raise ValueError(f"{n} entries are no array of {list(space)}")
    return tuple(n // known if size is None else size for size in space)


class Matrix(nn.Module):
    """A matrix as a linear map between arrays, the last axis fastest, and its adjoint."""

    def __init__(self, A: Tensor, codomain: tuple[int, ...], domain: tuple[int, ...]) -> None:
        super().__init__()
        rows = torch.Size(codomain).numel()
        self.register_buffer("matrix", A.reshape(rows, -1), persistent=False)
        self.codomain, self.domain = codomain, domain

    def forward(self, x: Tensor) -> Tensor:
        batch = x.shape[: x.ndim - len(self.domain)]
        y = x.reshape(*batch, self.matrix.shape[1]) @ self.matrix.mT
        return y.reshape(*batch, *self.codomain)

    def adjoint(self, y: Tensor) -> Tensor:
        batch = y.shape[: y.ndim - len(self.codomain)]
        x = y.reshape(*batch, self.matrix.shape[0]) @ self.matrix.conj()
        return x.reshape(*batch, *self.domain)
'''
