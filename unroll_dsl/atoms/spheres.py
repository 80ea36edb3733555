"""The unit sphere, and products of balls."""

from unroll_dsl.atoms.model import Atom, Domain, Parameter, Shape

ATOMS = (
    Atom(
        "sphere",
        "unit sphere",
        ("indicator(norm2(v) == 1)",),
        convex=False,
        latex=r"\iota_{\|\cdot\|_2 = 1}({v})",
        source="Luke, 2017: the direction stays",
        prox="v / norm2(v)",
        indicator=True,
        domain=Domain.ANY,
        where="norm2(v) = 1",
    ),
    Atom(
        "pixel_balls",
        "the channels at each pixel in a ball (columns, of a matrix)",
        ("indicator(max(norm2(v, axis=1)) <= r)",),
        convex=True,
        latex=r"\iota_{\max_j \|\cdot_{:,j}\|_2 \leq {r}}({v})",
        source="Chambolle, 2004",
        parameters=(Parameter("r", "the radius", "0.7"),),
        prox="pixel_ball(v, r)",
        conjugate="pixel_soft(p, s * r)",
        indicator=True,
        domain=Domain.ANY,
        shape=Shape.IMAGE,
        where="the norm at each pixel at most r",
    ),
)
