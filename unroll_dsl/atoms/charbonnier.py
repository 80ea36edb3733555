"""The smoothed modulus."""

from unroll_dsl.atoms.model import Atom, Parameter

ATOMS = (
    Atom(
        "charbonnier",
        "smoothed l1 norm (Charbonnier)",
        ("sum(sqrt(v^2 + e^2))",),
        convex=True,
        latex=r"\sum_i \sqrt{({v})_i^2 + {e}^2}",
        source="Charbonnier, Blanc-Feraud, Aubert, Barlaud, 1997",
        parameters=(Parameter("e", "the width of the smoothing", "0.3"),),
        gradient="v / sqrt(v^2 + e^2)",
        lipschitz="1 / abs(e)",
        separable=True,
    ),
)
