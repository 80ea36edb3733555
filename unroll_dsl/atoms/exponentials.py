"""Sums of exponentials."""

from unroll_dsl.atoms.model import Atom

ATOMS = (
    Atom(
        "exponentials",
        "sum of exponentials",
        ("sum(exp(v))",),
        convex=True,
        latex=r"\sum_i e^{({v})_i}",
        source="Boyd, Vandenberghe, 2004, section 3.1.5",
        gradient="exp(v)",
        separable=True,
    ),
)
