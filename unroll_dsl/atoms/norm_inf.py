"""The largest modulus."""

from unroll_dsl.atoms.model import Atom, Domain, Shape

ATOMS = (
    Atom(
        "norm_inf",
        "maximum norm",
        ("norm_inf(v)", "max(abs(v))"),
        convex=True,
        latex=r"\|{v}\|_\infty",
        source="Parikh, Boyd, 2014, section 6.5.2, through the projection of Duchi et al., 2008",
        prox="v - t * l1_ball(v / t)",
        conjugate="w * l1_ball(p / w)",
        domain=Domain.ANY,
        shape=Shape.VECTOR,
    ),
)
