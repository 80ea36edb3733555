"""The sum of squared moduli: least squares, Tikhonov's penalty."""

from unroll_dsl.atoms.model import Atom, Domain

ATOMS = (
    Atom(
        "sumsq",
        "sum of squares",
        ("sumsq(v)", "norm2(v)^2", "sum(v^2)", "dot(v, v)"),
        convex=True,
        latex=r"\|{v}\|_2^2",
        source="Parikh, Boyd, 2014, section 6.1.1",
        gradient="2 * v",
        lipschitz="2",
        strong="2",
        prox="v / (1 + 2 * t)",
        conjugate="p / (1 + s / (2 * w))",
        separable=True,
        domain=Domain.ANY,
    ),
)
