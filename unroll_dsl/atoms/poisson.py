"""The likelihood of Poisson's law."""

from unroll_dsl.atoms.model import Atom, Parameter

ATOMS = (
    Atom(
        "poisson",
        "Poisson (Kullback-Leibler) loss",
        ("sum(v - b * log(v))",),
        convex=True,
        latex=r"\sum_i ({v})_i - {b}_i \log ({v})_i",
        source="Figueiredo, Bioucas-Dias, 2010: the positive root of a quadratic",
        parameters=(Parameter("b", "the counts", "linspace(0.5, 2, size(v))", per_entry=True),),
        gradient="1 - b / v",
        prox="poisson_shrink(v, t, b)",
        conjugate="(p + w - sqrt((p - w)^2 + 4 * s * w * b)) / 2",
        separable=True,
        where="v > 0",
    ),
)
