"""Linear functions."""

from unroll_dsl.atoms.model import Atom, Parameter

ATOMS = (
    Atom(
        "linear",
        "linear function",
        ("dot(c, v)", "dot(v, c)", "sum(c * v)"),
        convex=True,
        latex=r"\langle {c}, {v} \rangle",
        source="Beck, 2017, chapter 6: a shift",
        parameters=(
            Parameter("c", "the coefficients", "linspace(-1, 1, size(v))", per_entry=True),
        ),
        gradient="c",
        lipschitz="0",
        prox="v - t * c",
        separable=True,
    ),
    Atom(
        "sum",
        "sum of entries",
        ("sum(v)",),
        convex=True,
        latex=r"\mathbf 1^\top ({v})",
        source="Beck, 2017, chapter 6: a shift",
        gradient="1 + 0 * v",
        lipschitz="0",
        prox="v - t",
        separable=True,
    ),
)
