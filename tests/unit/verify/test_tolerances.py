"""What rows allow, and what the figures are made of that are held against it."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import unroll_dsl
from unroll_dsl.verify import Verdict, agreement, gradients, learned_values
from unroll_dsl.verify.agreement import ReferenceRun
from unroll_dsl.verify.counterpart import _plain
from unroll_dsl.verify.functions import _fresh
from unroll_dsl.verify.instance import draw
from unroll_dsl.verify.objective import _updated

TEXT = """algorithm small
dims m, n
input y : vector[m]
fixed A : matrix[m, n]
learnable t : scalar = 0.1
state x : vector[n] = 0
state z : vector[n] = 0
phase (3):
    x <- x + t * A' @ (y - A @ x)
    z <- 2 * x
output x
"""
SPEC = unroll_dsl.loads(TEXT, "small.unroll")


def run(x: float = 1.0, output: float = 1.0, loss: float | None = 1.0) -> ReferenceRun:
    states = [{"x": np.array([1.0, 2.0])}, {"x": np.array([x, 4.0])}]
    return ReferenceRun(states, (np.array([2.0]), np.array([output, 2.0])), loss, 1.0)


@pytest.mark.parametrize(
    ("other", "changed"),
    [
        (run(), 0.0),
        (run(x=1.4), 0.1),
        (run(output=1.2), 0.1),
        (run(loss=1.3), 0.3),
        (run(x=1.4, loss=1.3), 0.3),
        (run(x=math.nan), math.inf),
        (run(output=math.inf), math.inf),
    ],
)
def test_what_rounding_changes_is_the_most_of_all(other: ReferenceRun, changed: float) -> None:
    assert agreement._changed(run(), other) == pytest.approx(changed)


def test_without_a_loss_there_is_none_to_compare() -> None:
    assert agreement._changed(run(loss=None), run(loss=None)) == 0


def test_values_are_moved_by_a_rounding_unit_at_random() -> None:
    move = agreement._moved(1e-3, 0)
    value = np.linspace(1.1, 1.9, 1000)
    found = move(value) / value - 1
    assert np.abs(found).max() <= 1e-3
    assert abs(found.mean()) < 1e-4 and found.std() == pytest.approx(1e-3 / math.sqrt(3), rel=0.05)
    for exact in (np.arange(5.0), np.array([True, False]), 3):
        assert move(exact) is exact


@pytest.mark.parametrize(
    ("gap", "condition", "allowed"), [(1e-9, 1.0, 2e-8), (0.0, 1e9, 1e9 * 2.0**-52)]
)
def test_allowed_is_what_rounding_or_a_system_may_lose(
    monkeypatch: pytest.MonkeyPatch, gap: float, condition: float, allowed: float
) -> None:
    monkeypatch.setattr(ReferenceRun, "of", classmethod(lambda cls, *a, **k: run(loss=1.0 + gap)))
    exact = ReferenceRun(run().trajectory, run().outputs, 1.0, condition)
    found = agreement._allowed(SPEC, draw(SPEC.graph), 3, exact, torch.float64)
    assert found == pytest.approx(allowed, rel=1e-6)


def test_the_limit_of_differences_is_relative() -> None:
    """Where the first difference is as near as it has to be no other is tried, whatever the unit."""
    for size in (1e-3, 1.0, 1e6):
        p, calls = torch.zeros(1, dtype=torch.float64), []

        def value(p: Any = p, size: float = size, calls: list[int] = calls) -> torch.Tensor:
            calls.append(1)
            return size * p.sum()

        slope = size * (1 + 1e-7)
        gap, limit = gradients._gap([p], [torch.ones(1).double()], value, slope, 1e-9, 1e-5)
        assert gap == pytest.approx(1e-7, rel=1e-3) and limit == 1e-5 and len(calls) == 2
        calls.clear()
        gap, _ = gradients._gap([p], [torch.ones(1).double()], value, 1.1 * size, 1e-9, 1e-5)
        assert gap == pytest.approx(1 / 11) and len(calls) == 2 * len(gradients._STEPS)
        assert p.tolist() == [0.0]


class Cancelling(nn.Module):
    """The difference of two equal buffers, besides its input."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("a", torch.full((50,), 3.0, dtype=torch.float64))
        self.register_buffer("b", torch.full((50,), 3.0, dtype=torch.float64))

    def forward(self, x: torch.Tensor) -> Any:
        return 1 + 1e3 * (self.a - self.b)  # type: ignore[operator]


def test_values_are_moved_apart_not_together() -> None:
    net, x = Cancelling(), torch.ones(50, dtype=torch.float64)
    found = learned_values._sensitivity(net, [x], [net(x)], torch.Generator().manual_seed(0))
    assert 1e-13 < found < 1e-11
    assert torch.equal(net.a, net.b)  # type: ignore[arg-type]


@pytest.mark.parametrize(("changes", "allowed"), [(1e-6, 2e-5), (1e-15, 1e-12)])
def test_networks_of_the_same_values_may_differ_by_rounding(
    monkeypatch: pytest.MonkeyPatch, changes: float, allowed: float
) -> None:
    monkeypatch.setattr(learned_values, "_sensitivity", lambda *arguments: changes)
    rows = learned_values.check_learned_values(SPEC, draw(SPEC.graph), 3, 0)
    assert [row.name for row in rows] == ["frozen", "given again", "in the reference"]
    assert [row.tolerance for row in rows] == pytest.approx([allowed] * 3)
    assert all(row.verdict is Verdict.PASSED for row in rows)


def test_lines_of_states_are_told() -> None:
    assert _updated(SPEC.graph, "x") == "`x` is made in line 9"
    assert _updated(SPEC.graph, "z", "x") == "`x` is made in line 9, `z` is made in line 10"
    assert _updated(SPEC.graph) == "see its phase"


def test_names_of_variables_are_those_of_no_input() -> None:
    taken = {"y", "at_x"}
    assert [_fresh(name, taken) for name in ("x", "z", "x_")] == ["at_x_", "at_z", "at_x__"]
    assert taken == {"y", "at_x", "at_x_", "at_z", "at_x__"}


def test_a_default_that_is_computed_is_no_number() -> None:
    made = unroll_dsl.loads(
        TEXT.replace("learnable", "fixed a : scalar = 2\nfixed b : scalar = 2 * norm(A)\nlearnable")
    ).graph
    constants = {c.name: c for c in made.constants}
    assert [_plain(constants[name], made) for name in "Aab"] == [False, True, False]
    assert not _plain(SimpleNamespace(default=None), made)  # type: ignore[arg-type]
