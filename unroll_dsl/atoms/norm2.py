"""The Euclidean norm, of all entries together."""

from unroll_dsl.atoms.model import Atom, Domain

ATOMS = (
    Atom(
        "norm2",
        "Euclidean norm",
        ("norm2(v)", "sqrt(sumsq(v))"),
        convex=True,
        latex=r"\|{v}\|_2",
        source="Parikh, Boyd, 2014, section 6.5.1",
        prox="v - l2_ball(v, t)",
        conjugate="l2_ball(p, w)",
        domain=Domain.ANY,
    ),
)
