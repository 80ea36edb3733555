"""Norms of singular values."""

from unroll_dsl.atoms.model import Atom, Domain, Shape

ATOMS = (
    Atom(
        "nuclear",
        "nuclear norm",
        ("nuclear_norm(v)",),
        convex=True,
        latex=r"\|{v}\|_*",
        source="Cai, Candes, Shen, 2010: singular value thresholding",
        prox="singular_soft(v, t)",
        conjugate="p - singular_soft(p, w)",
        domain=Domain.ANY,
        shape=Shape.MATRIX,
    ),
)
