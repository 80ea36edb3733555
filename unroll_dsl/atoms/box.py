"""An interval for every entry."""

from unroll_dsl.atoms.model import Atom, Parameter

ATOMS = (
    Atom(
        "box",
        "entries in an interval",
        ("indicator(min(v) >= a and max(v) <= b)", "indicator(max(v) <= b and min(v) >= a)"),
        convex=True,
        latex=r"\iota_{[{a}, {b}]}({v})",
        source="Parikh, Boyd, 2014, section 6.2.4",
        parameters=(
            Parameter("a", "the lower end", "-0.3"),
            Parameter("b", "the upper end", "0.5"),
        ),
        prox="box(v, a, b)",
        indicator=True,
        separable=True,
        where="a <= v <= b",
        linear_minimiser="where(g > 0, a, b) + 0 * g",
    ),
)
