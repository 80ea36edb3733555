"""The verdict on a place, from functions written out: units, what is still to come, limits from both sides."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import unroll_dsl
from unroll_dsl.verify import optimality
from unroll_dsl.verify.minimum import Minimum
from unroll_dsl.verify.optimality import TOLERANCE, Decision, Judge, RestingPlace
from unroll_dsl.verify.report import Verdict
from unroll_dsl.verify.searching import WALL, Reached, Searched
from unroll_dsl.verify.spaces import Space

SPEC = unroll_dsl.loads(
    "algorithm p\ndims n\ninput y : vector[n]\nminimize over x:\n    sumsq(x - y)\n"
    "state x : vector[n] = 0\nphase (2):\n    x <- y\noutput x\n"
)
Value = Callable[[Any], Any]


def judge(value: Value, size: int = 2) -> Any:
    """A judge of a function of points [count, entries]; it has no terms."""
    made: Any = Judge(SPEC, SimpleNamespace(), 0)  # type: ignore[arg-type]
    space = Space(["x"], [(size,)], [False])
    function = Searched(value, lambda x: np.zeros_like(x))

    def along(places: list[Any]) -> Any:
        return value(np.stack([space.flat(p) for p in places]))

    made.__dict__["objective"] = SimpleNamespace(space=space, function=function, along=along)
    made.__dict__["terms"] = None
    return made


def place(x: Any, **more: Any) -> RestingPlace:
    given = {"late": (), "early": (), "rests": True, "positive": frozenset()} | more
    return RestingPlace({"x": np.asarray(x, float)}, **given)  # type: ignore[arg-type]


def at(*values: float) -> tuple[dict[str, Any], ...]:
    return tuple({"x": np.array([v, 0.0])} for v in values)


FIRST = judge(lambda p: p[:, 0])


# ---- units and what is to come ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "x", "unit"),
    [
        (lambda p: p[:, 0], (3.0, 0.0), 3.0),
        (lambda p: p[:, 0], (-3.0, 0.0), 3.0),
        (lambda p: p[:, 0] + 5, (-1.0, 0.0), 5.0),
        (lambda p: p[:, 0] - 5, (1.0, 0.0), 5.0),
        (lambda p: np.where(p[:, 0] == 0, 2 * WALL, 1.0), (1.0, 0.0), 1.0),
        (lambda p: np.where(p[:, 0] == 0, WALL, 1.0), (1.0, 0.0), 1.0),
        (lambda p: 0 * p[:, 0], (1.0, 0.0), 1e-30),
    ],
)
def test_the_unit_is_the_size_of_the_objective(value: Value, x: Any, unit: float) -> None:
    made = judge(value)
    here = made.objective.function.at(np.asarray(x))
    assert made._unit(np.asarray(x), here) == unit


@pytest.mark.parametrize(
    ("late", "early", "expected"),
    [
        ((1.0, 1.0), (2.0, 2.0), 0.0),
        ((1.01, 1.0), (1.11, 1.01), 0.01 * 10),  # a tenth of what was gained before
        ((1.05, 1.0), (1.15, 1.05), 0.05 * 10),
        ((1.08, 1.0), (1.18, 1.08), 0.08 * 4 * 0.8 / 0.2),  # four times what is to come
        ((1.0999, 1.0), (1.2, 1.1), 0.0999 * 4 * 0.999 / 1e-3),
        ((1.1, 1.0), (1.2, 1.1), np.inf),
        ((1.2, 1.0), (1.2, 1.1), np.inf),
        ((1.0, 1.1), (1.1, 1.3), 0.1 * 10),
        ((1.0 + 1e-13, 1.0), (1.0, 1.0), None),
    ],
)
def test_what_is_still_to_come(late: Any, early: Any, expected: float | None) -> None:
    for unit in (1.0, 4.0):
        found = FIRST._to_come(place((1, 0), rests=False, late=at(*late), early=at(*early)), unit)
        if expected is None:  # rounding is no gain
            assert 0 < found < 1e-8
        else:
            assert found == pytest.approx(expected / unit, rel=1e-6)
    assert FIRST._to_come(place((1, 0), late=at(*late), early=at(*early)), 1.0) == 0


def test_what_becomes_no_number_is_never_at_its_end() -> None:
    made = judge(lambda p: np.where(p[:, 0] > 1, np.inf, p[:, 0]))
    found = made._to_come(place((1, 0), rests=False, late=at(2.0, 1.0), early=at(1.0, 0.5)), 1.0)
    assert found == np.inf


@pytest.mark.parametrize(
    ("late", "early", "rises"),
    [
        ((1.0, 1.3, 1.2), (1.0, 1.1), True),
        ((1.0, 1.1, 1.2), (1.0, 1.1), False),  # not above by more than rounding
        ((1.0, 1.3, 1.05), (1.0, 1.1), False),
        ((0.0, 1.1 + 0.5e-9, 1.2), (1.0, 1.1), False),
        ((0.0, 1.1 + 2e-9, 1.2), (1.0, 1.1), True),
        ((9.0, 0.3, 0.2), (1.0, 1.1), False),
        ((0.0, 1.2, 1.2), (1.0, 1.1), True),  # the first is the last of those before
    ],
)
def test_an_objective_that_rises(late: Any, early: Any, rises: bool) -> None:
    assert FIRST._rises(place((1, 0), late=at(*late), early=at(*early)), 1.0) is rises


# ---- constraints --------------------------------------------------------------------------------


def positive(p: Any) -> Any:
    return np.where((p < 0).any(axis=1), np.inf, p.sum(axis=1) + 1)


def test_a_point_within_rounding_of_its_constraints_is_taken_for_one_that_keeps_to_them() -> None:
    made = judge(positive)
    inside = np.array([1.0, 2.0])
    assert made._within(inside) is inside
    assert made._within(np.array([-1e-13, 2.0])).tolist() == [0.0, 2.0]
    far = np.array([-1e-11, 2.0])
    assert made._within(far) is far
    assert made._within(np.array([-1e-11, 20.0])).tolist() == [0.0, 20.0]  # relative to the largest


@pytest.mark.parametrize(
    ("bound", "x"),
    [
        (lambda p: p[:, 0] >= 1, 1 - 1e-13),
        (lambda p: p[:, 0] <= 1, 1 + 1e-13),
        (lambda p: p[:, 0] <= -1, -1 + 1e-13),
        (lambda p: p[:, 0] >= -1, -1 - 1e-13),
        (lambda p: (p**2).sum(axis=1) <= 4, 2 + 1e-12),
        (lambda p: (p**2).sum(axis=1) >= 4, -2 + 1e-12),
    ],
)
def test_points_are_moved_to_either_side(bound: Value, x: float) -> None:
    made = judge(lambda p: np.where(bound(p), 0.0, np.inf))
    found = made._within(np.array([x, 0.0]))
    assert bound(found[None])[0] and abs(found[0] - x) <= 3e-12


@pytest.mark.parametrize("sign", [1, -1])
def test_points_are_moved_towards_0_and_away_from_it(sign: int) -> None:
    """Of two entries of different sign a shift of both leaves the norm as it is: a factor does not."""
    made = judge(lambda p: np.where(sign * ((p**2).sum(axis=1) - 2) <= 0, 0.0, np.inf))
    x = np.array([1.0, -1.0]) * (1 + sign * 5e-13)
    found = made._within(x)
    assert sign * ((found**2).sum() - 2) <= 0 and np.abs(found - x).max() <= 2e-12


@pytest.mark.parametrize(("rests", "verdict"), [(True, Verdict.FAILED), (False, Verdict.UNDECIDED)])
def test_a_violated_constraint_fails_at_rest(rests: bool, verdict: Verdict) -> None:
    found = judge(positive).decide(place((-1.0, 1.0), rests=rests))
    assert found.verdict is verdict and np.isnan(found.above)
    assert found.words.startswith("it violates a constraint of the objective there")
    assert judge(positive).least(place((-1.0, 1.0))) is None


# ---- against the least value --------------------------------------------------------------------


def against(
    above: float,
    *,
    gap: float = 0.0,
    tolerance: float = TOLERANCE,
    positive: frozenset[str] = frozenset(),
    rises: bool = False,
    unit: float = 2.0,
) -> Decision | None:
    made = judge(lambda p: p[:, 0])
    made._rest = lambda x: 0.25  # what no variable changes
    made._rises = lambda place, unit: rises
    made._of_another_weight = lambda x, unit: ""
    least = Minimum(np.array([1.0, 0.0]), 10.0, gap * unit, 0.0)
    here = 10.25 + above * unit
    x = np.array([here, 0.0])
    return made._held_against(place(x, positive=positive), x, here, unit, tolerance, least)


@pytest.mark.parametrize(
    ("above", "more", "verdict"),
    [
        (0.0, {}, Verdict.PASSED),
        (0.9e-9, {}, Verdict.PASSED),
        (1.2e-9, {}, Verdict.FAILED),
        (-0.5, {}, Verdict.PASSED),  # a value below the least one, as a certificate allows
        (1.2e-9, {"gap": 0.5e-9}, Verdict.PASSED),
        (1.6e-9, {"gap": 0.5e-9}, Verdict.FAILED),
        (0.9e-6, {"tolerance": 1e-3}, Verdict.PASSED),
        (1.1e-6, {"tolerance": 1e-3}, Verdict.UNDECIDED),
        (0.9e-6, {"tolerance": 1e-3, "gap": 0.2e-6}, Verdict.UNDECIDED),
        (0.9e-3, {"tolerance": 1e-3}, Verdict.UNDECIDED),
        (1.1e-3, {"tolerance": 1e-3}, Verdict.FAILED),
        (0.9e-3, {"tolerance": np.inf, "rises": True}, Verdict.UNDECIDED),
        (1.1e-3, {"tolerance": np.inf, "rises": True}, Verdict.FAILED),
        (1.1e-3, {"tolerance": np.inf}, Verdict.UNDECIDED),
        (1.1e-3, {"tolerance": 1.0, "rises": True}, Verdict.UNDECIDED),
    ],
)
def test_how_far_above_the_least_value(above: float, more: Any, verdict: Verdict) -> None:
    for unit in (2.0, 0.5):
        found = against(above, unit=unit, **more)
        assert found is not None and found.verdict is verdict
        if verdict is not Verdict.PASSED:
            assert found.above == pytest.approx(above, abs=1e-14)
        else:
            assert found.above == pytest.approx(max(above, 0.0), abs=1e-14)
            allowed = min(more.get("tolerance", TOLERANCE), 1e-6) + more.get("gap", 0.0)
            assert found.tolerance == pytest.approx(allowed)


def test_above_the_least_value_where_nothing_is_negative_is_searched() -> None:
    assert against(1e-3, positive=frozenset("x")) is None
    found = against(1e-10, positive=frozenset("x"))
    assert found is not None and found.verdict is Verdict.PASSED


def test_words_of_a_place_above_the_least_value() -> None:
    found = against(0.5)
    assert found is not None
    assert (
        found.words
        == "it is 5.0e-01 above the least value; it falls where `x[1]` moves by -1.0e+01"
    )
    found = against(0.5, tolerance=np.inf, rises=True)
    assert found is not None
    assert found.words == "the objective rises while it moves on, to 5.0e-01 above the least value"
    found = against(1e-10, gap=1e-12)
    assert found is not None and found.words == "the least value, which duality gives to 1e-12"
    found = against(0.0)
    assert found is not None and found.words == "the least value, which duality gives to 1e-16"


# ---- a search -----------------------------------------------------------------------------------


def searched(
    monkeypatch: pytest.MonkeyPatch,
    *results: Reached,
    tolerance: float = TOLERANCE,
    positive: frozenset[str] = frozenset(),
) -> Decision:
    found = iter(results)
    monkeypatch.setattr(optimality, "search", lambda *arguments: next(found))
    made = judge(lambda p: p[:, 0])
    return made._searched(place((1.0, 1.0), positive=positive), np.ones(2), 2.0, tolerance)


def reached(fall: float, reached: float = 0.0) -> Reached:
    return Reached(2 * fall, np.array([0.0, -0.5]), 2 * reached)  # the unit is 2


@pytest.mark.parametrize(
    ("result", "tolerance", "verdict"),
    [
        (reached(0.0), TOLERANCE, Verdict.PASSED),
        (reached(0.9e-9), TOLERANCE, Verdict.PASSED),
        (reached(1.1e-9), TOLERANCE, Verdict.FAILED),
        (reached(0.0, 0.9e-6), TOLERANCE, Verdict.PASSED),
        (reached(0.0, 1.1e-6), TOLERANCE, Verdict.UNDECIDED),
        (reached(0.0, 1.1e-6), 2e-6, Verdict.PASSED),
        (reached(0.0, np.inf), TOLERANCE, Verdict.UNDECIDED),
        (reached(0.5), 1.1e-5, Verdict.UNDECIDED),
        (reached(0.5), 1e-5, Verdict.FAILED),
        (reached(0.5), np.nan, Verdict.UNDECIDED),
    ],
)
def test_what_a_search_decides(
    monkeypatch: pytest.MonkeyPatch, result: Reached, tolerance: float, verdict: Verdict
) -> None:
    found = searched(monkeypatch, result, tolerance=tolerance)
    assert found.verdict is verdict and found.tolerance is tolerance
    if verdict is Verdict.FAILED:
        assert found.above == pytest.approx(result.fall / 2)
        assert found.words == "it falls where `x[2]` moves by -5.0e-01"


def test_words_of_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    passed = searched(monkeypatch, reached(0.0, 3e-8))
    assert passed.words == "no step from it falls; a minimisation of its own comes back to 3e-08"
    below = searched(monkeypatch, reached(0.0, -3e-8))
    assert below.words.endswith("comes back to 0e+00")
    above = searched(monkeypatch, reached(0.0, 2e-6))
    assert above.words == "no step from it falls, but a minimisation of its own ends 2e-06 above it"
    endless = searched(monkeypatch, reached(0.0, np.inf))
    assert endless.words == "no step from it falls, but a minimisation of its own does not end"


@pytest.mark.parametrize(
    ("free", "verdict"),
    [(0.9e-9, Verdict.PASSED), (1e-9, Verdict.PASSED), (1.1e-9, Verdict.UNDECIDED)],
)
def test_a_fall_below_0_decides_nothing(
    monkeypatch: pytest.MonkeyPatch, free: float, verdict: Verdict
) -> None:
    found = searched(monkeypatch, reached(0.0), reached(free), positive=frozenset("x"))
    assert found.verdict is verdict
    if verdict is Verdict.UNDECIDED:
        assert found.above == pytest.approx(free)
        assert found.words == "over `x` >= 0 it does, and falls below: does the objective say >= 0?"


def test_the_search_over_what_is_positive_sees_a_wall_below_0() -> None:
    made = judge(lambda p: p.sum(axis=1), size=3)
    only = optimality._within(made.objective.function, np.array([True, False, True]))
    points = np.array([[0.0, -1.0, 0.0], [-1e-9, 1.0, 1.0], [1.0, 1.0, -1e-9], [1.0, 2.0, 3.0]])
    assert only.value(points).tolist() == [-1.0, np.inf, np.inf, 6.0]
    free = optimality._within(made.objective.function, np.zeros(3, bool))
    assert free is made.objective.function


# ---- where a least value is certain -------------------------------------------------------------


@pytest.mark.parametrize(
    ("gap", "apart", "certain"),
    [
        (0.9e-7, 0.0, True),
        (1e-7, 0.0, True),
        (0.0, 1e-7, True),
        (1.1e-7, 0.0, False),
        (0.0, 0.9e-7, True),
        (0.0, 1.1e-7, False),
    ],
)
def test_a_certificate_leaves_little_open(
    monkeypatch: pytest.MonkeyPatch, gap: float, apart: float, certain: bool
) -> None:
    """The gap by the unit, 4, the distance by the size of the rough terms' arguments, 3."""
    made = judge(lambda p: p[:, 0] + 7)
    made.__dict__["terms"] = SimpleNamespace(
        rough_at=lambda x: np.array([0.0, 3.0]), value=lambda x: x[0], height=lambda z: 0.0
    )
    calls: list[int] = []

    def minimum(*arguments: Any) -> Minimum:
        calls.append(1)
        return Minimum(np.zeros(2), 0.0, 4 * gap, 3 * apart)

    monkeypatch.setattr(optimality, "minimum", minimum)
    for _ in range(2):
        assert (made._least_value(np.ones(2), 4.0) is not None) is certain
    assert len(calls) == 1  # it is looked for once
    assert made.unread == ("" if certain else made.unread)
    assert bool(made.unread) is not certain
    if certain:
        least = made.least(place((1.0, 0.0)))
        assert least[1:] == (7.0, 8.0)


@pytest.mark.parametrize(("wrong", "certain"), [(0.0, True), (3e-9, True), (6e-9, False)])
def test_terms_are_those_of_the_page(
    monkeypatch: pytest.MonkeyPatch, wrong: float, certain: bool
) -> None:
    """They differ from its objective by the same at two points, but for a billionth of the unit."""
    made = judge(lambda p: p[:, 0] + 7 + wrong * (p[:, 0] != 1))
    made.__dict__["terms"] = SimpleNamespace(
        rough_at=lambda x: x, value=lambda x: x[0], height=lambda z: 0.0
    )
    monkeypatch.setattr(
        optimality, "minimum", lambda *arguments: Minimum(np.zeros(2), 0.0, 0.0, 0.0)
    )
    assert (made._least_value(np.array([1.0, 0.0]), 4.0) is not None) is certain
    assert made.unread == ("" if certain else "its terms are not read rightly")


def test_a_page_whose_objective_reads_a_phase_is_not_decided() -> None:
    text = (
        "algorithm p\ndims n\ninput y : vector[n]\nlearnable t : scalar per phase = 1\n"
        "minimize over x:\n    sumsq(x - t * y)\nstate x : vector[n] = 0\nphase (2):\n    x <- y\noutput x\n"
    )
    made = judge(lambda p: p[:, 0])
    made.spec = unroll_dsl.loads(text)
    assert made.decide(place((1.0, 0.0))).verdict is Verdict.UNDECIDED
    assert made.least(place((1.0, 0.0))) is None
    assert dataclasses.replace(place((1.0, 0.0))).rests
