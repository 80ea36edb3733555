"""Points told apart but for rounding: coefficients, directions, shares in others."""

from __future__ import annotations

import numpy as np

from unroll_dsl.oracle.values import Point

SAME = 1e-8


def unit(leaf: int) -> Point:
    """The point that is one leaf."""
    return Point(((leaf, 1.0),))


def coefficient(point: Point, leaf: int) -> float:
    """How much of a leaf a point has."""
    return dict(point.terms).get(leaf, 0.0)


def equal(a: float, b: float) -> bool:
    """Whether two numbers are one but for rounding."""
    return abs(a - b) <= SAME * max(abs(a), abs(b), 1e-3)


def vanishes(left: Point, scale: Point) -> bool:
    """Whether a difference is rounding."""
    size = max((abs(c) for _, c in scale.terms), default=0.0)
    return all(abs(c) <= SAME * max(size, 1e-30) for _, c in left.terms)


def along(point: Point, direction: Point) -> float | None:
    """The c for which a point is c * direction."""
    if not direction.terms:
        return None
    leaf, size = max(direction.terms, key=lambda term: abs(term[1]))
    c = coefficient(point, leaf) / size
    left = point + direction * -c
    worst = max((abs(v) for _, v in left.terms), default=0.0)
    return c if worst <= SAME * max(abs(size), 1.0) else None


def shares_of(point: Point, of: tuple[Point, ...]) -> tuple[float, ...] | None:
    """The shares of points in a combination of them."""
    leaves = sorted({leaf for p in (point, *of) for leaf, _ in p.terms})
    if not leaves:
        return None
    columns = np.array([[coefficient(p, leaf) for p in of] for leaf in leaves])
    wanted = np.array([coefficient(point, leaf) for leaf in leaves])
    found = np.linalg.lstsq(columns, wanted, rcond=None)[0]
    if np.abs(columns @ found - wanted).max() > SAME * max(np.abs(wanted).max(), 1e-30):
        return None
    return tuple(map(float, found))
