"""The logistic loss of labels 0 and 1."""

from unroll_dsl.atoms.model import Atom, Parameter

ATOMS = (
    Atom(
        "cross_entropy",
        "logistic loss of labels 0 and 1",
        ("sum(log(1 + exp(v)) - b * v)", "sum(softplus(v) - b * v)"),
        convex=True,
        latex=r"\sum_i \log(1 + e^{({v})_i}) - {b}_i ({v})_i",
        source="Beck, 2017, chapter 5",
        parameters=(Parameter("b", "the labels", "linspace(0, 1, size(v))", per_entry=True),),
        gradient="sigmoid(v) - b",
        lipschitz="1/4",
        separable=True,
    ),
)
