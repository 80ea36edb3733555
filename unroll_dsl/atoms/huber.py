"""Huber's function: a square near 0, the modulus beyond."""

from unroll_dsl.atoms.model import Atom, Domain, Parameter

ATOMS = (
    Atom(
        "huber",
        "Huber's function",
        ("sum(where(abs(v) > d, d * (abs(v) - d / 2), abs(v)^2 / 2))", "huber_sum(v, d)"),
        convex=True,
        latex=r"\sum_i h_{d}(({v})_i)",
        source="Huber, 1964; Beck, 2017, example 6.54 and theorem 6.60",
        parameters=(Parameter("d", "where the modulus takes over", "0.4"),),
        gradient="linf_ball(v, d)",
        lipschitz="1",
        prox="huber(v, t, d)",
        separable=True,
        domain=Domain.ANY,
        note="The Moreau envelope of d times the l1 norm.",
    ),
)
