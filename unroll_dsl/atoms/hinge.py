"""The hinge, its square, and the positive part."""

from unroll_dsl.atoms.model import Atom

ATOMS = (
    Atom(
        "positive_part",
        "sum of positive parts",
        ("sum(relu(v))", "sum(max(v, 0))"),
        convex=True,
        latex=r"\sum_i \max(({v})_i, 0)",
        source="Beck, 2017, chapter 6",
        prox="v - box(v, 0, t)",
        conjugate="box(p, 0, w)",
        separable=True,
        note="The hinge loss is that of 1 - y * (A @ x).",
    ),
    Atom(
        "squared_hinge",
        "sum of squared positive parts",
        ("sumsq(relu(v))", "sumsq(max(v, 0))", "sum(relu(v)^2)"),
        convex=True,
        latex=r"\sum_i \max(({v})_i, 0)^2",
        source="Beck, 2017, chapter 6",
        gradient="2 * relu(v)",
        lipschitz="2",
        prox="v - 2 * t / (1 + 2 * t) * relu(v)",
        separable=True,
    ),
)
