"""Cauchy's loss, of heavy tails."""

from unroll_dsl.atoms.model import Atom, Parameter

ATOMS = (
    Atom(
        "cauchy",
        "Cauchy (Lorentzian) loss",
        ("sum(log(1 + v^2 / c^2))", "sum(log(1 + (v / c)^2))"),
        convex=False,
        latex=r"\sum_i \log(1 + ({v})_i^2 / {c}^2)",
        source="Black, Anandan, 1996: the second derivative is largest at 0",
        parameters=(Parameter("c", "the width", "0.7"),),
        gradient="2 * v / (v^2 + c^2)",
        lipschitz="2 / c^2",
        separable=True,
    ),
)
