"""Logistic losses."""

from unroll_dsl.atoms.model import Atom

ATOMS = (
    Atom(
        "logistic",
        "logistic loss",
        ("sum(log(1 + exp(v)))", "sum(softplus(v))"),
        convex=True,
        latex=r"\sum_i \log(1 + e^{({v})_i})",
        source="Beck, 2017, chapter 5; the second derivative is at most 1/4",
        gradient="sigmoid(v)",
        lipschitz="1/4",
        separable=True,
        note="With v = -y * (A @ x), y = -1 or 1, it is the negative log-likelihood of logistic regression.",
    ),
)
