"""The least value of a convex objective, with a certificate that does not depend on how it was found.

A point x, and for each term f_i that has no gradient a point w_i and a p_i in its subdifferential there. With z_i
the term's argument at x, S the smooth terms and s = S'(x) + sum of K_i' @ p_i,

    F(x') >= S(x) + sum of f_i(w_i) + <p_i, z_i - w_i> + <s, x' - x>      for every x'

since each term lies above its tangents. The pairs come from proximal maps: w = prox(u), p = u - w. What finds them
is Newton's method for the smooth terms, each step by the alternating direction method of multipliers (S. Boyd et
al., 2011, with the over-relaxation and the balance of residuals of section 3.4).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from unroll_dsl.verify.spaces import Point
from unroll_dsl.verify.terms import Terms

_STEPS = 10  # of Newton's method, where the smooth terms are no quadratic form
_ITERATIONS = 3000
_EVERY = 25  # iterations between two looks at the certificate
_RELAXED = 1.6
_ENOUGH = 1e-10  # of the gap, relative: no longer worth an iteration
_BALANCE = 5.0
_TURNS = 40  # as often as the penalty may change


@dataclass(frozen=True, slots=True)
class Minimum:
    """What is known of the least value.

    Attributes
    ----------
    x
        Where it is nearly taken.
    value
        The objective there, its rough terms at points that lie as near to their arguments as `apart` says.
    gap
        By how much the least value could be smaller.
    apart
        The distance of the rough terms' points from their arguments.
    """

    x: Point
    value: float
    gap: float
    apart: float


def minimum(terms: Terms, start: Point, unit: float) -> Minimum:
    """The least value, from a point near to which it is expected; the best that is found in so many
    iterations. `unit` is the size of the objective."""
    if not len(terms.rough_map):
        return _smooth(terms, start, unit)
    return _Splitting(terms, start, unit).run()


def _smooth(terms: Terms, start: Point, unit: float) -> Minimum:
    """Where all terms are smooth: Newton's method."""
    found, x = None, start
    for _ in range(_STEPS):
        slope, curvature = terms.slope(x), terms.curvature(x)
        step = np.linalg.lstsq(curvature, slope, rcond=1e-13)[0]
        gap = float(np.linalg.norm(slope)) * _reach(curvature, unit, start, x, x - step)
        if found is None or gap < found.gap:
            found = Minimum(x, terms.value(x), gap, 0.0)
        if gap <= _ENOUGH * unit:
            break
        x = x - step
    assert found is not None
    return found


def _reach(curvature: Point, unit: float, *points: Point) -> float:
    """How far from them a minimiser is thought to be at most: twice what they are away from 0, and from where
    the objective has changed by its size."""
    steepest = float(np.linalg.norm(curvature, 2)) if curvature.size else 0.0
    apart = float(np.sqrt(2 * unit / steepest)) if steepest > 0 else 1.0
    return 2 * max(apart, *(float(np.linalg.norm(x)) for x in points))


class _Splitting:
    """Newton's steps d, each the minimiser of <g, d> + <d, H d> / 2 + sum of f_i(z_i + K_i d)."""

    def __init__(self, terms: Terms, start: Point, unit: float) -> None:
        self.terms, self.start, self.unit = terms, start, unit
        self.map = terms.rough_map
        self.gram = self.map.T @ self.map
        self.dual: Point | None = None  # p
        self.penalty = self.reach = 0.0
        self.left = _ITERATIONS

    def run(self) -> Minimum:
        x, best = self.start, None
        for _ in range(1 if self.terms.quadratic else _STEPS):
            for found in self._step(x):
                if best is None or found.gap + found.apart < best.gap + best.apart:
                    best = found
            assert best is not None
            if best.gap <= _ENOUGH * self.unit or self.left <= 0:
                break
            x = found.x
        assert best is not None
        return best

    def _step(self, x: Point) -> Iterator[Minimum]:
        terms, slope = self.terms, self.terms.slope(x)
        curvature = terms.curvature(x)
        self.reach = _reach(curvature, self.unit, x, self.start)
        z = terms.rough_at(x)
        if not self.penalty:
            largest, of_map = (float(np.linalg.norm(m, 2)) for m in (curvature, self.gram))
            self.penalty = largest / max(of_map, 1e-30) or 1.0
        penalty, w = self.penalty, z
        u = np.zeros_like(z) if self.dual is None else self.dual / penalty
        inverse = _inverse(curvature + penalty * self.gram)
        turns = 0
        for k in range(1, _ITERATIONS + 1):
            d = -inverse @ (slope + penalty * self.map.T @ (z - w + u))
            there = z + self.map @ d
            relaxed = _RELAXED * there + (1 - _RELAXED) * w
            before, w = w, terms.prox(relaxed + u, 1 / penalty)
            u = u + relaxed - w
            self.left -= 1
            if k % _EVERY:
                continue
            self.dual, self.penalty = penalty * u, penalty
            found = self._certified(x + d, w)
            yield found
            if found.gap <= _ENOUGH * self.unit or self.left <= 0:
                return
            primal = float(np.linalg.norm(there - w))
            dual = penalty * float(np.linalg.norm(self.map.T @ (w - before)))
            # in units of what the two are made of
            primal /= max(float(np.linalg.norm(there)), float(np.linalg.norm(w)), 1e-30)
            dual /= max(penalty * float(np.linalg.norm(self.map.T @ u)), 1e-30)
            if max(primal, dual) < 1e-13 and not self.terms.quadratic:
                return
            turn = float(np.clip(np.sqrt(primal / max(dual, 1e-30)), 0.1, 10))
            if turns < _TURNS and max(turn, 1 / turn) > _BALANCE:
                turns += 1
                u, penalty = u / turn, penalty * turn
                inverse = _inverse(curvature + penalty * self.gram)

    def _certified(self, x: Point, w: Point) -> Minimum:
        """The bounds that a point and subgradients p at w give."""
        terms, p = self.terms, self.dual
        assert p is not None
        z = terms.rough_at(x)
        value = terms.value(x) + terms.height(w)
        s = terms.slope(x) + self.map.T @ p
        reach = max(self.reach, 2 * float(np.linalg.norm(x)))
        below = value + float(p @ (z - w)) - float(np.linalg.norm(s)) * reach
        apart = float(np.linalg.norm(z - w))
        return Minimum(x, value, abs(value - below), apart)


def _inverse(matrix: Point) -> Point:
    try:
        found = np.linalg.inv(matrix)
        if np.linalg.norm(found) * np.linalg.norm(matrix) < 1e14:
            return np.asarray(found)
    except np.linalg.LinAlgError:
        pass
    return np.asarray(np.linalg.pinv(matrix, rcond=1e-13, hermitian=True))


__all__ = ["Minimum", "minimum"]
