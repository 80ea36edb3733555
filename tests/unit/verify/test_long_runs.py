"""Long runs: how long they are, what is kept of them, which state tells, and what has no long run."""

from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.spec import Spec
from unroll_dsl.verify import settling
from unroll_dsl.verify.instance import draw
from unroll_dsl.verify.settling import (
    End,
    Settled,
    _alike,
    _cost,
    _entries,
    _path,
    _phases,
    _settled,
    idle,
    repeatable,
    settle,
)

PAGE = """algorithm p
dims m, n
input y : vector[n]
fixed c : scalar = {c}
{declared}
state x : {field}vector[n] = 0
state z : matrix[m, n] = 1
phase (3):
    x <- {step}
    z <- z / 2
output {output}
"""
DIMS = {"m": 2, "n": 3}


def spec_of(
    step: str = "c * x + y",
    *,
    c: str = "0.5",
    declared: str = "",
    output: str = "x, z",
    field: str = "",
) -> Spec:
    text = PAGE.format(step=step, c=c, declared=declared, output=output, field=field)
    return unroll_dsl.loads(text, "p.unroll")


def ran(
    spec: Spec, *, enough: bool = False, names: tuple[str, ...] = ("x",), **more: Any
) -> Settled:
    instance = draw(spec.graph, dims=DIMS, batch=2)
    return settle(spec, instance, names, lambda _: enough, **more)


# ---- what is kept -------------------------------------------------------------------------------


def paths(count: int = 400) -> dict[str, Any]:
    k = np.arange(1, count + 1)[:, None, None]
    still = np.ones((count, 2, 3))
    still[:, 1] = 2
    return {"still": still, "moving": 5 - 1.0 / k + np.zeros((1, 2, 1)), "negative": -(1 + 0.5**k)}


def test_the_worst_state_tells() -> None:
    found = _settled(paths(), 400)
    assert (found.end, found.name, found.phases) == (End.MOVES, "moving", 400)
    assert found.moved == pytest.approx((1 / 395 - 1 / 396) / 5, rel=0.02)
    assert "still moving" in found.detail
    two = {"slow": 1 + 1.0 / np.arange(1, 401)[:, None, None] ** 2, **paths()}
    assert _settled(two, 400).name == "moving"  # of two that move the one that moves more
    assert _settled({"still": paths()["still"]}, 400).end is End.RESTS


def test_places_are_those_of_the_last_half_and_of_the_quarter_before() -> None:
    k = np.arange(400.0)[:, None, None]
    found = _settled({"x": k}, 400)
    assert [float(s["x"][0, 0]) for s in found.late] == [200, 228, 257, 285, 314, 342, 371, 399]
    assert [float(s["x"][0, 0]) for s in found.early] == [100, 114, 129, 143, 157, 171, 186, 200]
    assert found.last["x"].tolist() == [[399.0]]
    assert found.along["x"].shape == (400, 1)


def test_only_the_first_sample_is_drawn_and_all_tell_of_signs() -> None:
    found = _settled(paths(), 400)
    assert found.positive == {"still", "moving"}
    assert np.array_equal(found.along["still"], np.ones((400, 3)))
    one = paths()
    one["still"][7, 1, 2] = -1e-9
    assert _settled(one, 400).positive == {"moving"}
    zero = {"x": np.zeros((400, 1, 1)), "z": np.ones((400, 1, 1), complex)}
    assert _settled(zero, 400).positive == {"x"}


def test_states_along_the_phases() -> None:
    along = [{"x": torch.full((2, 3), float(k)), "z": torch.full((3,), 2.0 * k)} for k in range(4)]
    along.append({"x": torch.zeros(2, 3)})  # a last phase that makes no z
    found = _path(along, "x", 3)
    assert found.shape == (5, 2, 3) and found[:, 1, 2].tolist() == [0, 1, 2, 3, 0]
    assert _path(along, "z", 3).tolist() == [[[2.0 * k] * 3] for k in range(4)]
    mixed = [{"x": torch.ones(3)}, {"x": torch.zeros(2, 3)}]  # what no input has reached yet
    assert _path(mixed, "x", 3).shape == (2, 2, 3)
    spec = spec_of()
    assert [_entries(spec.graph, draw(spec.graph, dims=DIMS), name) for name in "xz"] == [3, 6]


# ---- how long -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("c", "end", "phases"),
    [
        ("0.5", End.RESTS, 300),
        ("2", End.DIVERGES, 300),
        ("0.999", End.RESTS, 3000),
        ("-1", End.WANDERS, 3000),
    ],
)
def test_a_run_that_rests_or_diverges_is_short(c: str, end: End, phases: int) -> None:
    found = ran(spec_of(c=c), work=10**9)
    assert (found.end, found.phases) == (end if c != "0.999" else found.end, phases)
    if c == "0.999":
        assert found.end is End.MOVES


def test_a_run_ends_where_it_is_enough_or_its_work_is_done() -> None:
    spec = spec_of(c="0.999")
    assert ran(spec, enough=True).phases == 300
    instance = draw(spec.graph, dims=DIMS, batch=2)
    net = settling.network(spec, instance, 300, torch.float64)
    cost = _cost(net, instance)
    assert ran(spec, work=599 * cost + cost - 1).phases == 300  # fewer than twice as many
    assert ran(spec, work=600 * cost).phases == 600
    assert ran(spec, work=1000 * cost).phases == 1000
    assert ran(spec, work=10**9).phases == 3000


def test_costly_phases_are_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = spec_of(c="0.5")
    for cost, phases in ((100, 300), (200, 300), (300, 200), (10_000, 60)):
        monkeypatch.setattr(settling, "_cost", lambda net, instance, cost=cost: cost)
        assert ran(spec).phases == phases


def test_phases_of_their_own_are_not_more_than_1200() -> None:
    spec = spec_of("c * x + t * y", c="0.999", declared="learnable t : scalar per phase = 1")
    found = ran(spec, work=10**9)
    assert found.phases == 1200 and found.along["x"].shape == (1200, 3)


def test_a_phase_costs_what_it_asks_of_torch() -> None:
    one, two = spec_of("x + y"), spec_of("tanh(sin(tanh(x + y)))")
    costs = []
    for spec in (one, two):
        instance = draw(spec.graph, dims=DIMS, batch=2)
        costs.append(_cost(settling.network(spec, instance, 300, torch.float64), instance))
    assert costs[1] - costs[0] == 3
    per_phase = spec_of("x + t * y", declared="learnable t : scalar per phase = 1")
    instance = draw(per_phase.graph, dims=DIMS, batch=2)
    net = settling.network(per_phase, instance, 300, torch.float64)
    assert not _alike(net) and _cost(net, instance) >= 2


def test_other_numbers_of_phases_are_taken_back() -> None:
    net = SimpleNamespace(phases=7)
    assert _alike(net)
    with suppress(RuntimeError), _phases(net, 3):
        assert net.phases == 3
        raise RuntimeError
    assert net.phases == 7
    other = SimpleNamespace(phases=[1, 2])
    with _phases(other, 3):
        assert other.phases == [1, 2]


def test_a_number_out_of_range_diverges() -> None:
    text = PAGE.format(step="t * x + y", c="1", declared="", output="x, z", field="")
    text = text.replace("state x", "state t : scalar = 2\nstate x").replace(
        "    z <-", "    t <- t * t * t\n    z <-"
    )
    spec = unroll_dsl.loads(text, "p.unroll")
    found = ran(spec)
    assert found.end is End.DIVERGES


# ---- which programs -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        ("learnable t : scalar = 1", True),
        ("learnable t : scalar per phase = 1", True),
        ("learnable t : scalar ~ normal(0, 1)", True),
        ("learnable t : scalar per phase ~ normal(0, 1)", False),
        ("learnable t : scalar", True),
        ("learnable t : scalar per phase", False),
    ],
)
def test_what_each_phase_draws_for_itself_has_no_continuation(declared: str, found: bool) -> None:
    assert repeatable(spec_of("x + t * y", declared=declared).graph) is found


def test_states_that_no_output_needs_are_idle() -> None:
    assert idle(spec_of(output="x"), ["x", "z"]) == ["z"]
    assert idle(spec_of(), ["x", "z"]) == []
    assert idle(spec_of("x + y + z[1, :]", output="x"), ["x", "z"]) == []
