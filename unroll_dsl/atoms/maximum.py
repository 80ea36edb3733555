"""The largest entry."""

from unroll_dsl.atoms.model import Atom, Shape

ATOMS = (
    Atom(
        "maximum",
        "largest entry",
        ("max(v)",),
        convex=True,
        latex=r"\max_i ({v})_i",
        source="Beck, 2017, chapter 6: Moreau's identity with the simplex",
        prox="v - t * simplex(v / t)",
        conjugate="w * simplex(p / w)",
        shape=Shape.VECTOR,
    ),
)
