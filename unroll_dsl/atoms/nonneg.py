"""The non-negative orthant."""

from unroll_dsl.atoms.model import Atom

ATOMS = (
    Atom(
        "nonneg",
        "entries that are not negative",
        ("indicator(min(v) >= 0)", "where(min(v) < 0, 1e300, 0)"),
        convex=True,
        latex=r"\iota_{\geq 0}({v})",
        source="Parikh, Boyd, 2014, section 6.2",
        prox="nonneg(v)",
        conjugate="min(p, 0)",
        indicator=True,
        separable=True,
        where="v >= 0",
    ),
)
