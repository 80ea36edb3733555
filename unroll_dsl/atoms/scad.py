"""The smoothly clipped absolute deviation."""

from unroll_dsl.atoms.model import Atom, Parameter

ATOMS = (
    Atom(
        "scad",
        "smoothly clipped absolute deviation (SCAD)",
        ("scad_sum(v, l, a)",),
        convex=False,
        latex=r"\sum_i \mathrm{scad}_{{l}, {a}}(({v})_i)",
        source="Fan, Li, 2001, equation 2.8, with a step t < a - 1",
        parameters=(
            Parameter("l", "the slope at 0", "0.5"),
            Parameter("a", "where it is flat, above 1 + t", "3.7"),
        ),
        prox="scad_shrink(v, t, l, a)",
        separable=True,
    ),
)
