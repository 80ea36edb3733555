"""The objective along a run, and how the rows of two long runs are weighed."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import unroll_dsl
from unroll_dsl.spec import Spec
from unroll_dsl.verify import objective
from unroll_dsl.verify.cases import Case
from unroll_dsl.verify.functions import Objective, fixed_in_objective, varies
from unroll_dsl.verify.instance import draw
from unroll_dsl.verify.objective import (
    _asks_for_more,
    _figure,
    _place,
    _start,
    _weighed,
    check_along,
    check_minimiser,
)
from unroll_dsl.verify.report import Row, Verdict
from unroll_dsl.verify.settling import End, Settled

PAGE = """algorithm p
dims m, n
input y : vector[n]
fixed c : scalar > 0 = 0.5
fixed s : scalar > 0 = 0.5
{more}minimize over {over}:
    {objective}
state x : vector[n] = {start}
state z : matrix[m, n] = 0
phase (4):
    x <- {step}
    z <- z / 2
output {output}
"""
DIMS = {"m": 2, "n": 3}


def page(
    step: str = "x - s * (x - y)",
    *,
    value: str = "sumsq(x - y) / 2",
    over: str = "x",
    start: str = "0",
    output: str = "x, z",
    more: str = "",
) -> Spec:
    text = PAGE.format(step=step, objective=value, over=over, start=start, output=output, more=more)
    return unroll_dsl.loads(text, "p.unroll")


def along(spec: Spec, phases: int = 4) -> tuple[list[Row], list[float]]:
    values: list[float] = []
    return check_along(spec, draw(spec.graph, dims=DIMS), phases, values), values


# ---- along the phases ---------------------------------------------------------------------------


def test_the_objective_of_the_first_sample_after_each_phase() -> None:
    spec = page()
    y = draw(spec.graph, dims=DIMS).inputs[0][0]
    (row,), values = along(spec)
    assert values == pytest.approx([0.5 * 0.25**k * y @ y for k in (1, 2, 3, 4)])
    assert (row.name, row.verdict, row.detail) == ("falls", Verdict.NOTE, "in every phase")
    assert row.value == pytest.approx(values[0] - values[-1]) and row.tolerance is None


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("x - 3 * (x - y)", "rises in 3 phases of 3"),
        ("(2 - k) * (x + y) + (k - 1) * x", "rises in"),
        ("y", "in every phase"),  # it stays
        ("y + k - 2", "rises in 2 phases of 3"),  # by 1, 0, 1, 2
    ],
)
def test_where_it_rises(step: str, words: str) -> None:
    (row,), _ = along(page(step))
    assert row.detail.startswith(words)


def test_rounding_is_no_rise() -> None:
    (row,), _ = along(page("x * (1 + 1e-14) + (k == 1) * y", value="sumsq(x)"))
    assert row.detail == "in every phase"
    (row,), _ = along(page("x * (1 + 1e-11) + (k == 1) * y", value="sumsq(x)"))
    assert row.detail == "rises in 3 phases of 3"


def test_what_is_infinite_or_no_number_is_told() -> None:
    wall = "sumsq(x) + indicator(min(x) >= 0)"
    (row,), values = along(page("abs(y) * (k - 2.5)", value=wall))
    assert row.detail == "infinite in 2 phases of 4: a constraint does not hold there"
    assert row.verdict is Verdict.NOTE and np.isinf(values).tolist() == [True, True, False, False]
    (row,), _ = along(page("(3.5 - k) * y^2", value="sum(log(x))"))
    assert (row.name, row.verdict) == ("is a number", Verdict.FAILED)
    assert row.detail == "not so from phase 4 on"


def test_what_has_no_such_rows() -> None:
    spec = unroll_dsl.load("lista")
    assert check_along(spec, draw(spec.graph), 2, []) == []
    assert check_minimiser(spec, [], 0) == []


# ---- the objective as a function ----------------------------------------------------------------


def test_values_and_slopes_are_those_of_the_formula() -> None:
    spec = page(
        over="x, z", value="sumsq(x - c * y) + 3 * sum(z[1, :] * x) + sumsq(z)", step="x + z[1, :]"
    )
    instance = draw(spec.graph, dims=DIMS).first()
    made = Objective(spec, instance)
    rng = np.random.default_rng(0)
    x, z, y = rng.standard_normal(3), rng.standard_normal((2, 3)), instance.inputs[0][0]
    value = ((x - 0.5 * y) ** 2).sum() + 3 * z[0] @ x + (z**2).sum()
    assert made.at({"x": x, "z": z}) == pytest.approx(value)
    flat = made.space.flat({"x": x, "z": z})
    wanted = np.concatenate([2 * (x - 0.5 * y) + 3 * z[0], (2 * z).ravel()])
    wanted[3:6] += 3 * x
    assert made.function.slope(flat) == pytest.approx(wanted)
    two = made.along([{"x": x, "z": z}, {"x": 0 * x, "z": 0 * z}])
    assert two == pytest.approx([value, 0.25 * y @ y])


def test_what_is_no_number_is_infinite_to_a_search() -> None:
    spec = page(value="sum(log(x)) + sumsq(y)", step="x + y")
    made = Objective(spec, draw(spec.graph, dims=DIMS).first())
    assert made.at({"x": -np.ones(3)}) == np.inf
    assert np.isfinite(made.at({"x": np.ones(3)}))
    assert made.function.slope(np.array([1.0, 0.0, 4.0])) == pytest.approx([1.0, 0.0, 0.25])


def test_what_the_objective_reads() -> None:
    assert fixed_in_objective(page(value="c * sumsq(x - y)").graph) == {"c"}
    assert fixed_in_objective(page().graph) == set()
    more = "learnable t : scalar per phase = 1\nlearnable u : scalar = 1\n"
    for value, found in (("sumsq(x)", False), ("u * sumsq(x)", False), ("t * sumsq(x)", True)):
        assert varies(page(value=value, more=more, step="t * x + u * y").graph) is found


# ---- starts and places --------------------------------------------------------------------------


def test_a_run_starts_where_the_page_says() -> None:
    spec = page(start="c * y", over="x, z", value="sumsq(x - y) + sumsq(z)")
    instance = draw(spec.graph, dims=DIMS)
    found = _start(spec, instance, {"x": (3,), "z": (2, 3)})
    assert found["x"] == pytest.approx(0.5 * instance.inputs[0][0])
    assert found["z"].tolist() == [[0.0] * 3] * 2


def test_a_place_is_that_of_the_first_sample() -> None:
    spec = page()
    instance = draw(spec.graph, dims=DIMS)

    def states(value: float) -> dict[str, Any]:
        return {"x": np.array([[value] * 3, [9.0] * 3])}

    for end in (End.RESTS, End.MOVES):
        found = Settled(
            end, 4, 0.1, "x", states(1), (states(2), states(3)), (states(4),), frozenset("x"), ""
        )
        place = _place(spec.graph, instance, found)
        assert place.last["x"].tolist() == [1.0] * 3
        assert [s["x"][0] for s in place.late] == [2.0, 3.0]
        assert [s["x"][0] for s in place.early] == [4.0]
        assert place.rests is (end is End.RESTS) and place.positive == {"x"}


def test_figures_of_constants() -> None:
    instance: Any = SimpleNamespace(bind={"a": 0.123456, "b": np.array(2.0), "c": np.ones(3)})
    assert [_figure(instance, name) for name in "abc"] == ["0.123", "2", "..."]


# ---- two runs -----------------------------------------------------------------------------------

P, F, U, N = Verdict.PASSED, Verdict.FAILED, Verdict.UNDECIDED, Verdict.NOTE


@pytest.mark.parametrize(
    ("runs", "found"),
    [
        ([[P, P], [U, U]], [[P, P], [N]]),  # too slow, but decided elsewhere
        ([[U, U], [P, P]], [[N], [P, P]]),
        ([[U], [P, P]], [[U], [P, P]]),  # asks for more bounds: stays undecided
        ([[U, U], [U, U]], [[U, U], [U, U]]),
        ([[P, U], [U, U]], [[P, U], [U, U]]),  # at rest, not decided
        ([[P, F], [U, U]], [[P, F], [U, U]]),
        ([[N, P], [P, U]], [[N, P], [P, U]]),
        ([[P, P], [F]], [[P, P], [F]]),
    ],
)
def test_a_slow_run_is_a_note_where_another_is_decided(runs: Any, found: Any) -> None:
    rows = [[Row("g", str(i), verdict) for i, verdict in enumerate(run)] for run in runs]
    assert [[row.verdict for row in run] for run in _weighed(rows)] == found


@pytest.mark.parametrize(
    ("step", "drawn", "found"),
    [
        ("x - s * (x - y)", ("s",), True),  # it rests with its default
        ("x - s * (x - y)", ("c",), False),  # nothing else is tried
        ("x - 5 * s * (x - y)", ("s",), False),  # nor does it rest then
    ],
)
def test_an_iteration_that_rests_with_its_defaults_asks_for_bounds(
    step: str, drawn: tuple[str, ...], found: bool
) -> None:
    spec = page(step, value="c * sumsq(x - y)")
    instance = draw(spec.graph, dims=DIMS, batch=2)
    instance.bind["s"] = np.asarray(2.5)
    assert _asks_for_more(spec, Case(instance, drawn), ["x"]) is found


@pytest.mark.parametrize(("factor", "found"), [(4.0, True), (12.0, False)])
def test_or_where_a_map_from_outside_is_a_fifth(factor: float, found: bool) -> None:
    """x - P' P x diverges from a norm of sqrt 2 on; a fifth of 4 is less, of 12 not."""
    more = "fixed P : linear vector[n] -> vector[n]\n"
    spec = page("x - (c + s) * P' @ (P @ x - y)", value="c * sumsq(P @ x - y)", more=more)
    instance = draw(spec.graph, dims=DIMS, batch=2)
    instance.bind["P"] = factor * np.eye(3)
    assert _asks_for_more(spec, Case(instance, ()), ["x"]) is found


def test_variables_that_are_no_states_or_idle() -> None:
    spec = page("x + 0 * y", output="z[:, 1]")
    (row,) = check_minimiser(spec, [], 0)
    assert (row.name, row.verdict) == ("minimiser", Verdict.FAILED)
    assert row.detail == "no output depends on `x`; `x` is made in line 11"
    more = "learnable t : scalar per phase ~ normal(0, 1)\n"
    (row,) = check_minimiser(page("x - t * (x - y)", more=more), [], 0)
    assert row.verdict is Verdict.UNDECIDED
    assert row.detail == "its phases start at random: there is no long run"


def test_a_run_ends_where_its_objective_is_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on while it could still gain more than a hundred-millionth."""
    asked: list[Any] = []

    def settle(spec: Any, instance: Any, names: Any, enough: Any, work: int) -> Settled:
        state = {"x": np.ones((2, 3))}
        found = Settled(End.MOVES, 9, 0.1, "x", state, (state,), (state,), frozenset(), "moves")
        asked.append(enough(found))
        rests = Settled(End.RESTS, 9, 0.1, "x", state, (state,), (state,), frozenset(), "rests")
        assert enough(rests) is False
        return found

    from unroll_dsl.verify.optimality import Decision

    monkeypatch.setattr(objective, "settle", settle)
    spec = page()
    case = Case(draw(spec.graph, dims=DIMS, batch=2), ())
    for verdict, tolerance, enough, first in (
        (P, 1e-9, True, N),
        (P, 1e-8, True, N),
        (P, 1.1e-8, False, N),
        (U, 1e-9, False, U),
        (F, 1e-9, False, N),
    ):
        monkeypatch.setattr(
            objective.Judge,
            "decide",
            lambda self, place, v=verdict, t=tolerance: Decision(v, 0.5, t, "w"),
        )
        rows = objective._case(spec, case, ["x"], 0, [])
        assert asked[-1] is enough
        assert [row.verdict for row in rows] == [first, verdict]
        assert rows[1].value == 0.5 and rows[1].tolerance == tolerance
        assert rows[0].value == 0.1 and rows[0].tolerance is None
        assert rows[1].detail == ("w; `x` is made in line 11" if verdict is F else "w")


@pytest.mark.parametrize(
    ("end", "phases", "verdict", "longer"),
    [
        (End.MOVES, 9, U, True),
        (End.MOVES, 3000, U, False),  # it went on for as long as any may
        (End.MOVES, 9, P, False),
        (End.WANDERS, 9, U, False),
    ],
)
def test_where_nothing_is_decided_the_run_with_the_defaults_goes_on(
    monkeypatch: pytest.MonkeyPatch, end: End, phases: int, verdict: Verdict, longer: bool
) -> None:
    from unroll_dsl.verify.optimality import Decision

    works: list[int] = []

    def settle(spec: Any, instance: Any, names: Any, enough: Any, work: int) -> Settled:
        works.append(work)
        state = {"x": np.ones((2, 3))}
        count = 10 * phases if len(works) > 2 else phases
        return Settled(end, count, 0.1, "x", state, (state,), (state,), frozenset(), "moves")

    def decide(self: Any, place: Any) -> Decision:
        return Decision(P if len(works) > 2 else verdict, 0.5, 1e-7, "w")

    monkeypatch.setattr(objective, "settle", settle)
    monkeypatch.setattr(objective, "_asks_for_more", lambda *given: True)
    monkeypatch.setattr(objective, "_of_method", lambda spec, run, falls: [])
    monkeypatch.setattr(objective.Judge, "decide", decide)
    spec = page()
    instance = draw(spec.graph, dims=DIMS, batch=2)
    instance.bind["c"] = np.asarray(2.0)
    found = [Case(instance, drawn) for drawn in (("c",), ())]
    rows = check_minimiser(spec, found, 0)
    assert works == [100_000] * 2 + [400_000] * longer
    if longer:
        assert [row.name for row in rows][-1] == "rests at the minimiser"
        assert rows[-1].verdict is P
