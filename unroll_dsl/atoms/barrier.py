"""The logarithmic barrier."""

from unroll_dsl.atoms.model import Atom

ATOMS = (
    Atom(
        "barrier",
        "logarithmic barrier",
        ("-sum(log(v))", "sum(-log(v))"),
        convex=True,
        latex=r"-\sum_i \log ({v})_i",
        source="Beck, 2017, chapter 6: the positive root of a quadratic",
        gradient="-1 / v",
        prox="(v + sqrt(v^2 + 4 * t)) / 2",
        separable=True,
        where="v > 0",
    ),
)
