"""The simplex of probabilities."""

from unroll_dsl.atoms.model import Atom, Shape

ATOMS = (
    Atom(
        "simplex",
        "probabilities",
        ("indicator(min(v) >= 0 and sum(v) == 1)", "indicator(sum(v) == 1 and min(v) >= 0)"),
        convex=True,
        latex=r"\iota_{\Delta}({v})",
        source="Held, Wolfe, Crowder, 1974",
        prox="simplex(v)",
        indicator=True,
        shape=Shape.VECTOR,
        where="v >= 0, sum(v) = 1",
        linear_minimiser="0 + topk(-g, 1)",
    ),
)
