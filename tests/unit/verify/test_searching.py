"""Falls of functions whose minimisers are known: they are found where there are any, and nowhere else."""

from collections.abc import Callable

import numpy as np
import pytest

from unroll_dsl.verify.searching import (
    WALL,
    Point,
    Searched,
    _against_walls,
    _along,
    _limited,
    _quasi_newton,
    minimise,
    search,
)

TOLERANCE = 1e-9


def function(value: Callable[[Point], Point], slope: Callable[[Point], Point]) -> Searched:
    return Searched(value, slope)


# |x - c|^2 / 2 + |x|_1, whose minimiser is c shrunk by 1
C = np.array([3.0, -2.0, 0.5, 0.0, -4.0])
SHRUNK = np.sign(C) * np.maximum(np.abs(C) - 1, 0)
LASSO = function(
    lambda p: 0.5 * ((p - C) ** 2).sum(1) + np.abs(p).sum(1), lambda x: x - C + np.sign(x)
)


def test_from_the_minimiser_nothing_falls_and_a_minimisation_comes_back() -> None:
    found = search(LASSO, SHRUNK, 0, TOLERANCE)
    assert found.fall <= TOLERANCE
    assert abs(found.reached) < 1e-9


@pytest.mark.parametrize("place", range(5))
def test_beside_the_minimiser_it_falls_by_as_much_as_was_gained(place: int) -> None:
    x = SHRUNK.copy()
    x[place] += 0.01
    found = search(LASSO, x, 0, TOLERANCE)
    most = LASSO.at(x) - LASSO.at(SHRUNK)
    assert 0.1 * most < found.fall <= most * (1 + 1e-9)
    assert LASSO.at(x + found.step) == pytest.approx(LASSO.at(x) - found.fall, abs=1e-12)


def test_a_step_from_0_is_of_size_1() -> None:
    found = search(
        function(lambda p: np.abs(p - 1).sum(1), lambda x: np.sign(x - 1)), np.zeros(1), 0, 0
    )
    assert found.fall == 1 and found.step.tolist() == [1.0]


def test_a_valley_is_gone_along_by_a_minimisation_of_its_own() -> None:
    """1000 |a - b| + (a + b)^2 falls from (1, 1) towards 0 alone, beside which it rises steeply."""

    def value(p: Point) -> Point:
        return np.asarray(1000 * np.abs(p[:, 0] - p[:, 1]) + (p[:, 0] + p[:, 1]) ** 2)

    def slope(x: Point) -> Point:
        side = 1000.0 if x[0] >= x[1] else -1000.0
        return np.array([side, -side]) + 2 * x.sum()

    found = search(function(value, slope), np.ones(2), 0, TOLERANCE)
    assert found.fall > 3
    assert found.step == pytest.approx([-1, -1], abs=0.2)


def test_quasi_newton_steps_go_on_until_they_gain_nothing() -> None:
    """A quadratic of condition 10^4 in twelve variables."""
    scales = np.logspace(0, 4, 12)
    made = function(lambda p: 0.5 * (scales * p**2).sum(1), lambda x: scales * x)
    end = _quasi_newton(made, np.ones(12), np.ones(12, bool))
    assert made.at(end) < 1e-12
    half = _quasi_newton(made, np.ones(12), np.arange(12) < 6)
    assert np.array_equal(half[6:], np.ones(6)) and np.abs(half[:6]).max() < 1e-5


def test_minimisation_is_that_of_shrinkage() -> None:
    assert minimise(LASSO, np.ones(5), 3.0) == pytest.approx(SHRUNK, abs=1e-6)


def test_along_a_direction_two_fifths_of_what_there_is_are_found() -> None:
    """|t - s| falls by s at s; of steps by fours one gains 0.4 s at least, wherever s is."""
    for s in np.logspace(-7, 0, 50):
        made = function(lambda p, s=s: np.abs(p[:, 0] - s), lambda x: -np.ones(1))
        fall, _ = _along(made, np.zeros(1), np.ones(1), 1.0, 0.0)
        assert 0.4 * s * (1 - 1e-9) <= fall <= s


@pytest.mark.parametrize(("unit", "near"), [(1e3, 5e-5), (1.0, 5e-8), (1e-3, 5e-11)])
def test_a_wall_is_near_by_the_size_of_the_point(unit: float, near: float) -> None:
    """Beyond -1 there is none to go: at the wall and falling towards it, at it and away, far from it."""
    weights = np.array([1.0, -1.0, 1.0])

    def value(p: Point) -> Point:
        return np.where((p < 0).any(1), WALL, (weights * p).sum(1))

    made = function(value, lambda x: weights)
    found = _against_walls(made, np.array([near, near, 1e-6 * unit]), unit)
    assert found.tolist() == [True, False, False]


def test_a_function_is_looked_at_so_often_and_no_more() -> None:
    limited = _limited(LASSO, 3)
    assert [limited.at(SHRUNK) for _ in range(3)] == [LASSO.at(SHRUNK)] * 3
    with pytest.raises(TimeoutError):
        limited.at(SHRUNK)
