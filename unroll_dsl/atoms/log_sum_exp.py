"""The logarithm of the sum of exponentials."""

from unroll_dsl.atoms.model import Atom

ATOMS = (
    Atom(
        "log_sum_exp",
        "log-sum-exp",
        ("log(sum(exp(v)))",),
        convex=True,
        latex=r"\log \sum_i e^{({v})_i}",
        source="Beck, 2017, example 5.15; by circles of Gershgorin 2 * p * (1 - p) <= 1/2",
        gradient="exp(v - max(v)) / sum(exp(v - max(v)))",
        lipschitz="1/2",
    ),
)
