"""How many entries are not zero."""

from unroll_dsl.atoms.model import Atom, Domain

ATOMS = (
    Atom(
        "norm0",
        "number of entries that are not zero",
        ("norm0(v)",),
        convex=False,
        latex=r"\|{v}\|_0",
        source="Blumensath, Davies, 2008: hard thresholding",
        prox="hard(v, sqrt(2 * t))",
        separable=True,
        domain=Domain.ANY,
    ),
)
