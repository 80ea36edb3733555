"""Sets of matrices."""

from unroll_dsl.atoms.model import Atom, Domain, Parameter, Shape

ATOMS = (
    Atom(
        "rank_ball",
        "matrices of rank r at most",
        ("indicator(rank(v) <= r)",),
        convex=False,
        latex=r"\iota_{\mathrm{rank} \leq {r}}({v})",
        source="Eckart, Young, 1936",
        parameters=(Parameter("r", "the rank", "1"),),
        prox="low_rank(v, r)",
        indicator=True,
        domain=Domain.ANY,
        shape=Shape.MATRIX,
        where="rank at most r",
    ),
    Atom(
        "orthogonal",
        "matrices with orthonormal columns",
        ("indicator(norm2(v' @ v - I) == 0)",),
        convex=False,
        latex=r"\iota_{X^* X = I}({v})",
        source="Schoenemann, 1966: the polar factor",
        prox="orthogonal_part(v)",
        indicator=True,
        domain=Domain.ANY,
        shape=Shape.MATRIX,
        where="v' v = I",
    ),
    Atom(
        "psd",
        "positive semidefinite matrices",
        ("indicator(norm2(v - psd_part(v)) == 0)",),
        convex=True,
        latex=r"\iota_{\succeq 0}({v})",
        source="Higham, 1988; Parikh, Boyd, 2014, section 6.7",
        prox="psd_part(v)",
        indicator=True,
        shape=Shape.SYMMETRIC,
        where="symmetric, no negative eigenvalue",
    ),
)
