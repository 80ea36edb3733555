"""The check function of quantile regression."""

from unroll_dsl.atoms.model import Atom, Parameter

ATOMS = (
    Atom(
        "quantile",
        "quantile (pinball) loss",
        ("sum(max(q * v, (q - 1) * v))",),
        convex=True,
        latex=r"\sum_i \rho_{q}(({v})_i)",
        source="Koenker, Bassett, 1978",
        parameters=(Parameter("q", "which quantile", "0.3"),),
        prox="v - box(v, t * (q - 1), t * q)",
        conjugate="box(p, w * (q - 1), w * q)",
        separable=True,
    ),
)
