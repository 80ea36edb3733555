"""The sum of roots of moduli."""

from unroll_dsl.atoms.model import Atom

ATOMS = (
    Atom(
        "half_norm",
        "l1/2 penalty",
        ("sum(sqrt(abs(v)))",),
        convex=False,
        latex=r"\sum_i |({v})_i|^{1/2}",
        source="Xu, Chang, Xu, Zhang, 2012: half thresholding",
        prox="half_shrink(v, t)",
        separable=True,
    ),
)
