"""The parts of a search and of a least value: moves, walks, line searches, certificates, each by a formula."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from unroll_dsl.verify import searching
from unroll_dsl.verify.minimum import Minimum, _inverse, _reach, _Splitting, minimum
from unroll_dsl.verify.searching import (
    WALL,
    Searched,
    _along,
    _coordinates,
    _feasible,
    _moves,
    _quasi_newton,
    _walk,
    minimise,
    search,
)

ABS = Searched(lambda p: np.abs(p).sum(1), np.sign)


def quadratic(matrix: Any, centre: Any) -> Searched:
    M, c = np.asarray(matrix, float), np.asarray(centre, float)
    return Searched(
        lambda p: 0.5 * np.einsum("ki,ij,kj->k", p - c, M, p - c), lambda x: M @ (x - c)
    )


# ---- moves --------------------------------------------------------------------------------------


def test_each_coordinate_moves_up_and_down_at_eight_scales_and_to_0() -> None:
    x = np.array([3.0, -2.0])
    found = _moves(x, 5.0)
    assert len(found) == 2 * (2 * 8 + 1)
    wanted = {(s * 5 * 10.0**-k, 0.0) for k in range(8) for s in (1, -1)}
    wanted |= {(0.0, s * 5 * 10.0**-k) for k in range(8) for s in (1, -1)}
    assert {tuple(np.round(m, 12)) for m in found[:-2]} == {tuple(np.round(w, 12)) for w in wanted}
    assert found[-2:].tolist() == [[-3.0, 0.0], [0.0, 2.0]]


def test_of_many_coordinates_the_largest_and_some_others_move() -> None:
    x = np.arange(200.0)
    for many, count in ((x[:80], 80), (x[:81], 40 + 21), (x, 40 + 54)):
        found = _moves(many, 1.0)
        moved = set(np.nonzero(found)[1])
        assert len(found) == 17 * count
        assert set(range(len(many) - 40, len(many))) <= moved
        assert len(moved | {0}) >= count - 1  # that of 0 to 0 is no move


def test_the_best_move_of_a_coordinate_is_none_to_0() -> None:
    """A function that rises before it falls at 0: the way there leads over the rise."""
    made = Searched(lambda p: np.where(p[:, 0] == 0, -1.0, -np.abs(p[:, 0] - 3.7)), lambda x: 0 * x)
    fall, step = _coordinates(made, np.array([3.7, 1.0]), 1.0)
    assert fall == pytest.approx(1.0) and abs(step[0]) == 1.0 and step[1] == 0
    fall, step = _coordinates(ABS, np.array([0.0, 2.0]), 2.0)
    assert fall == 2.0 and step.tolist() == [0.0, -2.0]
    assert _coordinates(ABS, np.zeros(2), 1.0)[0] == 0.0


# ---- along a direction --------------------------------------------------------------------------


def test_beyond_a_rise_nothing_counts() -> None:
    """-t falls to 0.1, rises to 0.2 and falls again: the second valley is another one."""
    made = Searched(
        lambda p: np.where(p[:, 0] < 0.1, -p[:, 0], np.where(p[:, 0] < 0.5, 1.0, -9.0)), lambda x: x
    )
    fall, step = _along(made, np.zeros(1), np.ones(1), 1.0, 1e-9)
    assert fall == pytest.approx(4.0**-2) and step.tolist() == [4.0**-2]
    fall, _ = _along(made, np.zeros(1), -np.ones(1), 1.0, 1e-9)
    assert fall == 0.0


def test_a_rise_within_a_hundredth_of_the_tolerance_is_rounding() -> None:
    def rise(by: float) -> Searched:
        return Searched(lambda p: np.where(p[:, 0] < 0.9, by * (p[:, 0] > 0), -1.0), lambda x: x)

    assert _along(rise(0.9e-11), np.zeros(1), np.ones(1), 1.0, 1e-9)[0] == 1.0
    assert _along(rise(1.1e-11), np.zeros(1), np.ones(1), 1.0, 1e-9)[0] == 0.0


@pytest.mark.parametrize("length", [1e-3, 1.0, 1e3])
def test_steps_are_of_the_size_of_the_point_and_the_whole_way(length: float) -> None:
    """The whole direction is tried, whatever its length; else steps of the unit by fours."""
    tried: list[Any] = []

    def value(p: Any) -> Any:
        tried.append(p)
        return -p[:, 0]

    fall, step = _along(Searched(value, lambda x: x), np.zeros(1), np.array([length]), 2.0, 0.0)
    steps = sorted([length, *(2.0 * 4.0**-k for k in range(14))])
    assert np.sort(tried[-1][:, 0]) == pytest.approx(steps)
    assert fall == pytest.approx(max(length, 2.0)) and step == pytest.approx([max(length, 2.0)])


@pytest.mark.parametrize(
    "direction", [np.zeros(2), np.array([np.inf, 0.0]), np.array([np.nan, 1.0])]
)
def test_no_direction_is_none(direction: Any) -> None:
    fall, step = _along(ABS, np.ones(2), direction, 1.0, 0.0)
    assert fall == 0.0 and step.tolist() == [0.0, 0.0]


# ---- walks --------------------------------------------------------------------------------------


def test_a_walk_goes_to_0_in_a_move_a_coordinate() -> None:
    x = np.array([3.3, -2.7, 1.1])
    assert _walk(ABS, x, 3.3, rounds=3).tolist() == [0, 0, 0]
    assert np.count_nonzero(_walk(ABS, x, 3.3, rounds=2)) == 1
    assert _walk(ABS, x, 3.3, rounds=0) is x


def test_a_walk_ends_where_nothing_falls() -> None:
    looks: list[int] = []

    def value(p: Any) -> Any:
        looks.append(len(p))
        return np.zeros(len(p))

    x = np.ones(2)
    assert _walk(Searched(value, lambda x: x), x, 1.0, rounds=40) is x
    assert len(looks) == 2


def test_a_start_behind_a_wall_keeps_the_coordinates_that_are_not() -> None:
    def box(p: Any) -> Any:
        return np.where((p < 0).any(1), WALL, p.sum(1))

    made = Searched(box, lambda x: np.ones_like(x))
    x = np.array([1.0, 1.0])
    assert _feasible(made, x, np.array([2.0, 3.0])).tolist() == [2.0, 3.0]
    assert _feasible(made, x, np.array([-2.0, 3.0])).tolist() == [1.0, 3.0]
    assert _feasible(made, x, np.array([2.0, -3.0])).tolist() == [2.0, 1.0]

    def sphere(p: Any) -> Any:
        return np.where((p**2).sum(1) > 2.5, WALL, 0.0)

    # each alone is allowed, both are not
    assert _feasible(Searched(sphere, lambda x: x), x, np.array([1.2, 1.2])) is x


# ---- quasi-Newton -------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_quasi_newton_ends_at_the_minimiser(scale: float) -> None:
    M = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.0, -1.0, 2.0]])
    made = quadratic(scale * M, [1.0, -2.0, 3.0])
    looks: list[int] = []
    counted = Searched(lambda p: (looks.append(1), made.value(p))[1], made.slope)
    found = _quasi_newton(counted, np.zeros(3), np.ones(3, bool))
    assert found == pytest.approx([1, -2, 3], abs=1e-5)
    assert len(looks) < 60


def test_a_kink_is_crossed() -> None:
    """|a| + (a + b - 1)^2, from where the slope of |a| is that of the other side."""
    made = Searched(
        lambda p: np.abs(p[:, 0]) + (p.sum(1) - 1) ** 2,
        lambda x: np.array([np.sign(x[0]), 0.0]) + 2 * (x.sum() - 1),
    )
    found = _quasi_newton(made, np.array([2.0, 1.5]), np.ones(2, bool))
    assert made.at(found) < 1e-6


def test_the_inverse_begins_in_the_size_of_the_curvature() -> None:
    """Along one axis of curvature c the second step is Newton's."""
    for c in (0.01, 100.0):
        made = quadratic([[c]], [3.0])
        found = _quasi_newton(made, np.zeros(1), np.ones(1, bool), iterations=4)
        assert found == pytest.approx([3.0], rel=1e-6)


def test_a_minimisation_is_of_all_entries_and_of_those_that_are_not_0() -> None:
    M = np.diag([1.0, 10.0, 100.0])
    value = quadratic(M, [2.0, 0.05, 0.0])
    made = Searched(
        lambda p: value.value(p) + np.abs(p).sum(1), lambda x: value.slope(x) + np.sign(x)
    )
    found = minimise(made, np.array([0.3, 0.3, 0.3]), 1.0)
    assert found == pytest.approx([1.0, 0.0, 0.0], abs=1e-6)


@pytest.mark.parametrize("tolerance", [1e-9, 1e-3])
def test_a_fall_below_the_tolerance_is_none(tolerance: float) -> None:
    x = np.array([1e-4, 0.0])
    made = quadratic(np.eye(2) * 2, [0.0, 0.0])  # a fall of 1e-8 from x
    found = search(made, x, 0, tolerance)
    assert (found.fall > tolerance) is (tolerance < 1e-8)
    assert found.reached <= 0


def test_minimisations_begin_near_at_random(monkeypatch: pytest.MonkeyPatch) -> None:
    """At 10 % and at 1e-5 of the size of the point, in all directions alike."""
    starts: list[Any] = []
    x = np.full(400, 3.0)
    flat = Searched(lambda p: np.zeros(len(p)), lambda x: np.zeros_like(x))

    def ended(function: Any, start: Any, unit: float) -> Any:
        starts.append(start)
        assert unit == 3.0
        return x

    monkeypatch.setattr(searching, "minimise", ended)
    assert search(flat, x, 0, 1e-9).reached == 0
    for start, away in zip(starts, (0.1, 1e-5), strict=True):
        moved = (start - x) / (away * 3.0)
        assert abs(moved.mean()) < 0.15 and moved.std() == pytest.approx(1.0, abs=0.1)


def test_a_search_tells_how_near_the_nearer_minimisation_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ends = iter([np.array([3.0]), np.array([2.0])])
    monkeypatch.setattr(searching, "minimise", lambda *arguments: next(ends))
    found = search(ABS, np.zeros(1), 0, 1e-9)
    assert found.fall == 0 and found.reached == 2.0

    def slow(*arguments: Any) -> Any:
        raise TimeoutError

    monkeypatch.setattr(searching, "minimise", slow)
    assert search(ABS, np.zeros(1), 0, 1e-9).reached == np.inf


# ---- certificates -------------------------------------------------------------------------------


def test_a_minimiser_is_thought_within_twice_the_size_of_what_is_known() -> None:
    curvature = np.diag([8.0, 2.0])
    assert _reach(curvature, 1.0, np.zeros(2)) == pytest.approx(2 * np.sqrt(2 / 8))
    assert _reach(curvature, 1.0, np.array([3.0, 4.0]), np.zeros(2)) == pytest.approx(10.0)
    assert _reach(np.zeros((2, 2)), 1.0, np.zeros(2)) == 2.0
    assert _reach(np.zeros((0, 0)), 1.0, np.zeros(0)) == 2.0


def test_singular_systems_have_the_least_solution() -> None:
    M = np.array([[2.0, 1.0], [1.0, 3.0]])
    assert _inverse(M) == pytest.approx(np.linalg.inv(M))
    assert _inverse(np.diag([2.0, 0.0])) == pytest.approx(np.diag([0.5, 0.0]))
    assert _inverse(np.diag([1.0, 1e-15])) == pytest.approx(np.diag([1.0, 0.0]))
    assert _inverse(np.diag([1.0, 1e-12]))[1, 1] == pytest.approx(1e12)


def smooth(value: Callable[[Any], float], slope: Any, curvature: Any, size: int = 2) -> Any:
    return SimpleNamespace(
        rough_map=np.zeros((0, size)), value=value, slope=slope, curvature=curvature, quadratic=True
    )


def test_the_least_value_of_a_smooth_objective_is_that_of_newtons_method() -> None:
    M, b = np.array([[3.0, 1.0], [1.0, 2.0]]), np.array([1.0, -4.0])
    terms = smooth(lambda x: 0.5 * x @ M @ x - b @ x, lambda x: M @ x - b, lambda x: M)
    found = minimum(terms, np.array([5.0, 5.0]), 10.0)
    assert found.x == pytest.approx(np.linalg.solve(M, b))
    assert found.value == pytest.approx(-0.5 * b @ np.linalg.solve(M, b))
    assert found.gap <= 1e-9 and found.apart == 0
    # (x - 1)^4 has no quadratic form: the steps take a third each
    terms = smooth(
        lambda x: ((x - 1) ** 4).sum(),
        lambda x: 4 * (x - 1) ** 3,
        lambda x: np.diag(12 * (x - 1) ** 2),
    )
    found = minimum(terms, np.array([2.0, 2.0]), 2.0)
    assert found.x == pytest.approx([1 + (2 / 3) ** 9] * 2)
    steepest, slope = 12 * (found.x[0] - 1) ** 2, np.linalg.norm(4 * (found.x - 1) ** 3)
    assert found.gap == pytest.approx(2 * slope * np.sqrt(2 * 2.0 / steepest))


def test_a_certificate_is_what_tangents_give() -> None:
    """|x - 3|^2 / 2 + |2 x - 1|_1 with p at w, and what the slope that is left leaves open."""
    terms = SimpleNamespace(
        rough_map=2 * np.eye(1),
        rough_at=lambda x: 2 * x - 1,
        value=lambda x: float(0.5 * (x[0] - 3) ** 2),
        height=lambda w: float(np.abs(w).sum()),
        slope=lambda x: x - 3,
        quadratic=True,
    )
    made = _Splitting(terms, np.zeros(1), 1.0)  # type: ignore[arg-type]
    made.reach = 7.0
    for x, p, w in ((1.0, 1.0, 1.0), (1.5, 1.0, 1.8), (1.0, 0.5, 0.0), (5.0, 1.0, 9.5)):
        made.dual = np.array([p])
        found = made._certified(np.array([x]), np.array([w]))
        z, s = 2 * x - 1, x - 3 + 2 * p
        value = 0.5 * (x - 3) ** 2 + abs(w)
        below = value + p * (z - w) - abs(s) * max(7.0, 2 * abs(x))
        assert found.value == pytest.approx(value) and found.apart == pytest.approx(abs(z - w))
        assert found.gap == pytest.approx(abs(value - below))
        least = min(0.5 * (t - 3) ** 2 + abs(2 * t - 1) for t in np.linspace(-4, 4, 8001))
        assert value - found.gap <= least + 1e-6


def test_the_least_value_of_a_rough_objective_has_a_formula() -> None:
    """x^2 + <b, x> + |x|_1, entry by entry."""
    b = np.array([4.0, 0.5, -3.0])
    wanted = -np.sign(b) * np.maximum(np.abs(b) - 1, 0) / 2
    terms = SimpleNamespace(
        rough_map=np.eye(3),
        rough_at=lambda x: x,
        value=lambda x: float(x @ x + b @ x),
        height=lambda w: float(np.abs(w).sum()),
        slope=lambda x: 2 * x + b,
        curvature=lambda x: 2 * np.eye(3),
        prox=lambda z, s: np.sign(z) * np.maximum(np.abs(z) - s, 0),
        quadratic=True,
    )
    found = minimum(terms, np.ones(3), 1.0)  # type: ignore[arg-type]
    assert isinstance(found, Minimum)
    assert found.x == pytest.approx(wanted, abs=1e-8)
    assert found.value == pytest.approx(float(wanted @ wanted + b @ wanted + np.abs(wanted).sum()))
    assert found.gap <= 1e-10 and found.apart <= 1e-8


def test_iterations_go_on_until_arguments_and_subgradients_rest() -> None:
    """|x|^2 / 2 where K x = b: the points w are b from the first iteration on, the arguments come to them slowly."""
    K, b = np.diag([1.0, 0.01]), np.array([1.0, 0.02])
    terms = SimpleNamespace(
        rough_map=K,
        rough_at=lambda x: K @ x,
        value=lambda x: float(x @ x / 2),
        height=lambda w: 0.0,
        slope=lambda x: x,
        curvature=lambda x: np.eye(2),
        prox=lambda z, s: b,
        quadratic=False,
    )
    found = minimum(terms, np.zeros(2), 2.5)  # type: ignore[arg-type]
    assert found.x == pytest.approx([1.0, 2.0], rel=1e-6)
    assert found.gap <= 1e-8 and found.apart <= 1e-9


def test_an_iteration_of_the_splitting_begins_where_the_last_step_ended() -> None:
    """H = 1, K = 2, slope g: what the proximal map is asked for in the first two iterations, by hand."""
    g, x, point, penalty, p = 3.0, 0.5, 0.7, 4.0, 6.0
    asked: list[tuple[float, float]] = []

    def prox(z: Any, scale: float) -> Any:
        asked.append((float(z[0]), scale))
        return np.array([point])

    terms = SimpleNamespace(
        rough_map=np.array([[2.0]]),
        rough_at=lambda x: 2 * x,
        value=lambda x: 0.0,
        height=lambda w: 0.0,
        slope=lambda x: np.array([g]),
        curvature=lambda x: np.eye(1),
        prox=prox,
        quadratic=True,
    )
    made = _Splitting(terms, np.zeros(1), 1.0)  # type: ignore[arg-type]
    made.dual, made.penalty = np.array([p]), penalty
    next(made._step(np.array([x])))
    z, w, u = 2 * x, 2 * x, p / penalty
    for found in asked[:2]:
        d = -(g + penalty * 2 * (z - w + u)) / (1 + penalty * 4)
        relaxed = 1.6 * (z + 2 * d) - 0.6 * w
        assert found == pytest.approx((relaxed + u, 1 / penalty))
        u, w = u + relaxed - point, point
    assert len(asked) == 25
    made = _Splitting(terms, np.zeros(1), 1.0)  # type: ignore[arg-type]
    asked.clear()
    next(made._step(np.array([x])))  # without a step before: the penalty is |H| / |K|^2, u is 0
    d = -g / (1 + 1)
    assert asked[0] == pytest.approx((1.6 * (z + 2 * d) - 0.6 * z, 4.0))
