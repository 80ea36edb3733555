"""Sets of few entries."""

from unroll_dsl.atoms.model import Atom, Domain, Parameter, Shape

ATOMS = (
    Atom(
        "l0_ball",
        "at most r entries that are not zero",
        ("indicator(norm0(v) <= r)",),
        convex=False,
        latex=r"\iota_{\|\cdot\|_0 \leq {r}}({v})",
        source="Blumensath, Davies, 2009: the r largest entries stay",
        parameters=(Parameter("r", "how many", "2", static=True),),
        prox="v * topk(abs(v), r)",
        indicator=True,
        domain=Domain.ANY,
        shape=Shape.VECTOR,
        where="at most r entries",
    ),
)
