"""Sums of norms of groups: rows or columns of a matrix, the channels at each pixel of an image."""

from unroll_dsl.atoms.model import Atom, Domain, Shape

ATOMS = (
    Atom(
        "row_norms",
        "sum of the norms of rows",
        ("sum(norm2(v, axis=2))",),
        convex=True,
        latex=r"\sum_i \|({v})_{i,:}\|_2",
        source="Yuan, Lin, 2006",
        prox="block_soft(v, t)",
        conjugate="p / max(1, norm2(p, axis=2) / w)",
        domain=Domain.ANY,
        shape=Shape.MATRIX,
    ),
    Atom(
        "pixel_norms",
        "sum of the norms of the channels at each pixel (columns, of a matrix)",
        ("sum(norm2(v, axis=1))",),
        convex=True,
        latex=r"\sum_j \|({v})_{:,j}\|_2",
        source="Wang, Yang, Yin, Zhang, 2008; Chambolle, 2004",
        prox="pixel_soft(v, t)",
        conjugate="pixel_ball(p, w)",
        domain=Domain.ANY,
        shape=Shape.IMAGE,
        note="Of the differences of an image it is the isotropic total variation.",
    ),
)
