"""The sum of moduli."""

from unroll_dsl.atoms.model import Atom, Domain

ATOMS = (
    Atom(
        "norm1",
        "l1 norm",
        ("norm1(v)", "sum(abs(v))"),
        convex=True,
        latex=r"\|{v}\|_1",
        source="Parikh, Boyd, 2014, section 6.5.2",
        prox="soft(v, t)",
        conjugate="linf_ball(p, w)",
        weighted="soft(v, t * c)",
        separable=True,
        domain=Domain.ANY,
    ),
)
