"""Whether a function falls from a point: by single coordinates, within the support, by quasi-Newton steps.

The functions are objectives of algorithms: continuous where finite, with kinks, infinite (or above
`WALL`) where a constraint is violated. A fall that is found is a proof that the point is no minimiser. That
none is found is one only as far as the search goes: see `Found.reached`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unroll_dsl.verify.spaces import Point

WALL = 1e100  # `where(min(x) < 0, 1e300, 0)` and the like
_LOOKS = 4000  # at the function, for minimisations: many points at once are one
_SCALES = 10.0 ** -np.arange(0, 8)
_MANY = 80  # coordinates that are tried one by one
_STEPS = 4.0 ** -np.arange(0, 14)


@dataclass(frozen=True, slots=True)
class Searched:
    """`value` of points [count, entries], shape [count]; `slope` at a point [entries]."""

    value: Callable[[Point], Point]
    slope: Callable[[Point], Point]

    def at(self, x: Point) -> float:
        return float(self.value(x[None])[0])


@dataclass(frozen=True, slots=True)
class Reached:
    """What a search from a point came to.

    Attributes
    ----------
    fall
        By how much the function falls along a segment that begins at the point, at least 0.
    step
        The step that does it.
    reached
        By how much more than at the point the function still is where a minimisation from elsewhere ended; infinite where it did not end.
    """

    fall: float
    step: Point
    reached: float


def search(function: Searched, x: Point, seed: int, tolerance: float) -> Reached:
    """Look for a fall of more than `tolerance` from `x`, nearest means first."""
    best = function.at(x)
    unit = float(np.abs(x).max(initial=0.0)) or 1.0
    rng = np.random.default_rng(seed)
    found = _coordinates(function, x, unit)
    if found[0] > tolerance:
        return Reached(*found, 0.0)
    directions = [-_masked(function.slope(x), np.abs(x) > 1e-8 * unit)]
    directions += list(rng.standard_normal((20, len(x))))
    found = max(
        [found, *(_along(function, x, d, unit, tolerance) for d in directions)], key=lambda f: f[0]
    )
    if found[0] > tolerance:
        return Reached(*found, 0.0)
    reached = np.inf
    function = _limited(function, _LOOKS)
    for away in (1e-1, 1e-5):
        start = _feasible(function, x, x + away * unit * rng.standard_normal(len(x)))
        try:
            end = minimise(function, start, unit)
        except TimeoutError:
            break
        reached = min(reached, function.at(end) - best)
        found = max(found, _along(function, x, end - x, unit, tolerance), key=lambda f: f[0])
        if found[0] > tolerance:
            break
    return Reached(*found, float(reached))


def _limited(function: Searched, looks: int) -> Searched:
    """The function, for so many looks at it."""
    left = looks

    def value(points: Point) -> Point:
        nonlocal left
        left -= 1
        if left < 0:
            raise TimeoutError
        return function.value(points)

    return Searched(value, function.slope)


def minimise(function: Searched, x: Point, unit: float, rounds: int = 6) -> Point:
    """Coordinates and quasi-Newton steps, in all entries and in the support, until neither helps."""
    value = function.at(x)
    for _ in range(rounds):
        before = value
        x = _walk(function, x, unit, rounds=min(2 * len(x), 40))
        x = _quasi_newton(function, x, np.abs(x) > 1e-9 * unit)
        x = _quasi_newton(function, x, ~_against_walls(function, x, unit))
        value = function.at(x)
        if before - value <= 1e-12 * max(abs(before), 1e-30):
            break
    return x


# ---- steps --------------------------------------------------------------------------------------


def _masked(direction: Point, mask: NDArray[np.bool_]) -> Point:
    return np.where(mask, direction, 0.0)


def _moves(x: Point, unit: float) -> Point:
    """Each coordinate up and down at every scale, and to 0: [moves, entries]."""
    eye = np.eye(len(x))
    if len(x) > _MANY:  # those that are largest, and some of the others
        order = np.argsort(-np.abs(x))
        eye = eye[np.r_[order[: _MANY // 2], order[_MANY // 2 :: len(x) // _MANY + 1]]]
    scaled = np.concatenate([sign * scale * unit * eye for scale in _SCALES for sign in (1, -1)])
    return np.concatenate([scaled, -eye * x])


def _coordinates(function: Searched, x: Point, unit: float) -> tuple[float, Point]:
    """The best move of a single coordinate: the fall, and the step."""
    moves = _moves(x, unit)
    moves = moves[: moves.shape[0] * 16 // 17]  # not those to 0: they may lead over a rise
    values = function.value(x + moves)
    place = int(np.argmin(values))
    return max(function.at(x) - float(values[place]), 0.0), moves[place]


def _along(
    function: Searched, x: Point, direction: Point, unit: float, tolerance: float
) -> tuple[float, Point]:
    """The best step along a direction that the function falls on all the way."""
    length = float(np.abs(direction).max(initial=0.0))
    if not np.isfinite(length) or length == 0:
        return 0.0, np.zeros_like(x)
    steps = np.concatenate([[1.0], _STEPS * unit / length])
    steps = np.sort(steps)
    moves = steps[:, None] * direction
    falls = function.at(x) - function.value(x + moves)
    rises = np.nonzero(~(falls >= -0.01 * tolerance))[0]
    falls = falls[: rises[0]] if len(rises) else falls  # beyond a rise lies another valley
    if not len(falls):
        return 0.0, np.zeros_like(x)
    place = int(np.argmax(falls))
    return max(float(falls[place]), 0.0), moves[place]


def _walk(function: Searched, x: Point, unit: float, rounds: int) -> Point:
    """Best moves of single coordinates, one after the other."""
    value = function.at(x)
    for _ in range(rounds):
        moves = _moves(x, unit)
        values = function.value(x + moves)
        place = int(np.argmin(values))
        if not values[place] < value - 1e-13 * max(abs(value), 1e-30):
            break
        x, value = x + moves[place], float(values[place])
    return x


def _feasible(function: Searched, x: Point, wanted: Point) -> Point:
    """`wanted`, or where it is behind a wall those coordinates of it that are not."""
    if function.at(wanted) < WALL:
        return wanted
    single = x + np.diag(wanted - x)
    kept = np.where(function.value(single) < WALL, wanted, x)
    return kept if function.at(kept) < WALL else x


def _against_walls(function: Searched, x: Point, unit: float) -> NDArray[np.bool_]:
    """Coordinates that stand at a wall towards which the function falls."""
    tiny = 1e-7 * unit * np.eye(len(x))
    slope = function.slope(x)
    up, down = function.value(x + tiny) >= WALL, function.value(x - tiny) >= WALL
    return np.asarray((up & (slope < 0)) | (down & (slope > 0)))


def _quasi_newton(
    function: Searched, x: Point, free: NDArray[np.bool_], iterations: int = 150
) -> Point:
    """BFGS with a line search for the weak Wolfe conditions, which functions with kinks need (A. S. Lewis,
    M. L. Overton: Nonsmooth optimization via quasi-Newton methods, Mathematical Programming, 2013)."""
    value, slope = function.at(x), _masked(function.slope(x), free)
    inverse = np.eye(len(x))
    stalled = 0
    for _ in range(iterations):
        direction = -inverse @ slope
        steepness = float(slope @ direction)
        if not steepness < 0:
            break
        low, high, step = 0.0, np.inf, 1.0
        for _ in range(40):
            there = x + step * direction
            new = function.at(there)
            if not new < value + 1e-4 * step * steepness:
                high = step
            else:
                new_slope = _masked(function.slope(there), free)
                if float(new_slope @ direction) >= 0.5 * steepness:
                    break
                low = step
            step = (low + high) / 2 if np.isfinite(high) else 2 * low
        else:
            return x
        moved, turned = there - x, new_slope - slope
        product = float(moved @ turned)
        if product > 0:
            if not inverse.any() or np.array_equal(inverse, np.eye(len(x))):
                inverse = inverse * product / float(turned @ turned)
            along = np.eye(len(x)) - np.outer(moved, turned) / product
            inverse = along @ inverse @ along.T + np.outer(moved, moved) / product
        stalled = stalled + 1 if value - new <= 1e-13 * max(abs(value), 1e-30) else 0
        x, value, slope = there, new, new_slope
        if stalled >= 3:
            break
    return x
