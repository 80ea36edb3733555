"""The logarithmic penalty."""

from unroll_dsl.atoms.model import Atom, Parameter

ATOMS = (
    Atom(
        "log_sum",
        "logarithmic penalty",
        ("sum(log(1 + abs(v) / e))",),
        convex=False,
        latex=r"\sum_i \log(1 + |({v})_i| / {e})",
        source="Candes, Wakin, Boyd, 2008; the larger root of the stationary quadratic, compared with 0",
        parameters=(Parameter("e", "the width", "0.3"),),
        prox="log_shrink(v, t, e)",
        separable=True,
    ),
)
