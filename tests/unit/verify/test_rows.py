"""Which row of the real `check` fails, for each way in which a compiler could be wrong.

What is wrong is wrong by little more than what a row allows, and in one place: a row that looked at another
phase, at another map, at the real part alone, or allowed a hundred times as much would not notice.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.backends.numpy import evaluate
from unroll_dsl.operators.registry import linear_operator
from unroll_dsl.verify import Report, Verdict, agreement, check

TWO_MAPS = """algorithm two_maps
dims h, w
input y : image[1, h, w]
fixed t : scalar > 0 = 0.1
state x : image[1, h, w] = 0
phase (3):
    x <- x - t * grad' @ (grad @ x) - t * dct2' @ (dct2 @ x - y)
output x
"""
COMPLEX = """algorithm complex_map
dims h, w
input y : complex image[1, h, w]
state x : complex image[1, h, w] = 0
phase (2):
    x <- x - fft2' @ (fft2 @ x - y)
output x
"""
LEARNT = """algorithm learnt
dims m, n
input y : vector[m]
fixed A : matrix[m, n]
learnable t : scalar > 0 = 0.1
learnable s : scalar > 0 per phase = 0.3
state x : vector[n] = 0
phase (3):
    x <- soft(x - s * A' @ (A @ x - y), t)
output x, norm1(x)
loss (x_star : vector[n]):
    sumsq(x - x_star)
"""


def failed(report: Report) -> set[str]:
    return {row.name for row in report.rows if row.verdict is Verdict.FAILED}


def patched_adjoint(
    monkeypatch: pytest.MonkeyPatch, operator: str, change: Callable[[Any], Any]
) -> None:
    def found(name: str) -> Any:
        record = linear_operator(name)
        if name != operator:
            return record
        backward = record.numpy_adjoint
        assert backward is not None
        return dataclasses.replace(
            record, numpy_adjoint=lambda *a, **options: change(backward(*a, **options))
        )

    monkeypatch.setattr(evaluate, "linear_operator", found)


@pytest.mark.parametrize("text", [TWO_MAPS, COMPLEX, LEARNT])
def test_nothing_fails_where_nothing_is_wrong(text: str) -> None:
    assert failed(check(unroll_dsl.loads(text))) == set()


@pytest.mark.parametrize("operator", ["grad", "dct2"])
def test_the_adjoint_of_each_map(monkeypatch: pytest.MonkeyPatch, operator: str) -> None:
    patched_adjoint(monkeypatch, operator, lambda v: v * (1 + 1e-9))
    found = failed(check(unroll_dsl.loads(TWO_MAPS)))
    assert operator in found
    assert not {"grad", "dct2"} - {operator} & found


def test_an_adjoint_that_is_wrong_in_the_imaginary_part(monkeypatch: pytest.MonkeyPatch) -> None:
    patched_adjoint(monkeypatch, "fft2", lambda v: v * np.exp(1e-9j))
    assert "fft2" in failed(check(unroll_dsl.loads(COMPLEX)))


def test_an_adjoint_that_is_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    patched_adjoint(monkeypatch, "grad", lambda v: v * np.nan)
    assert "numerics" in failed(check(unroll_dsl.loads(TWO_MAPS)))


# ---- what torch makes against what the reference makes ------------------------------------------


def scaled_state(
    phase: int, factor: float
) -> Callable[[agreement.ReferenceRun], agreement.ReferenceRun]:
    def change(run: agreement.ReferenceRun) -> agreement.ReferenceRun:
        states = [dict(values) for values in run.trajectory]
        states[phase]["x"] = states[phase]["x"] * factor
        return dataclasses.replace(run, trajectory=states)

    return change


SLIGHTLY = 1 + 2e-11  # a hundred times 1e-12 would be more
OTHER_RESULTS: dict[str, tuple[Callable[[agreement.ReferenceRun], agreement.ReferenceRun], str]] = {
    "the first phase": (scaled_state(0, SLIGHTLY), "states, float64"),
    "the middle phase": (scaled_state(1, SLIGHTLY), "states, float64"),
    "the last phase": (scaled_state(2, SLIGHTLY), "states, float64"),
    "the first output": (
        lambda run: dataclasses.replace(run, outputs=(run.outputs[0] * SLIGHTLY, run.outputs[1])),
        "outputs, float64",
    ),
    "the last output": (
        lambda run: dataclasses.replace(run, outputs=(run.outputs[0], run.outputs[1] * SLIGHTLY)),
        "outputs, float64",
    ),
    "the loss": (
        lambda run: dataclasses.replace(run, loss=(run.loss or 0) * SLIGHTLY),
        "loss, float64",
    ),
    "single precision": (scaled_state(1, 1 + 2e-4), "states, float32"),
    "a state that is no number": (scaled_state(1, np.nan), "finite"),
}


@pytest.mark.parametrize("name", OTHER_RESULTS)
def test_each_result(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    change, row = OTHER_RESULTS[name]
    of = agreement.ReferenceRun.of
    monkeypatch.setattr(agreement.ReferenceRun, "of", lambda *a, **k: change(of(*a, **k)))
    found = failed(check(unroll_dsl.loads(LEARNT)))
    assert row in found
    kinds = {"states", "outputs", "loss"} - {row.split(",")[0]}
    assert not {f"{kind}, float64" for kind in kinds} & found


def test_a_network_that_makes_no_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    make = agreement.network

    def broken(*arguments: Any) -> Any:
        net = make(*arguments)
        along = net.trajectory

        def trajectory(*inputs: torch.Tensor) -> Any:
            states = along(*inputs)
            states[1]["x"] = states[1]["x"] * torch.nan
            return states

        net.trajectory = trajectory
        return net

    monkeypatch.setattr(agreement, "network", broken)
    assert {"states, float64", "states, float32"} <= failed(check(unroll_dsl.loads(LEARNT)))


# ---- gradients ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "factor", "row"),
    [(0, 1.004, "s"), (2, 1.0004, "s"), (-1, 1.0004, "t"), (-1, np.nan, "t")],
)
def test_gradients(monkeypatch: pytest.MonkeyPatch, place: int, factor: float, row: str) -> None:
    """The gradient of the shared learnable, or of the first or the last of those per phase."""
    grad = torch.autograd.grad

    def wrong(value: Any, wanted: Any, **options: Any) -> Any:
        found = list(grad(value, wanted, **options))
        if len(found) == 4:  # t, and an s in each phase
            order = [i for i, p in enumerate(names) if p.endswith("s")]
            at = names.index("t") if place == -1 else order[place]
            found[at] = found[at] * factor
        return tuple(found)

    spec = unroll_dsl.loads(LEARNT)
    net = spec.compile(3, bind={"A": torch.ones(2, 3)})
    names = [name for name, _ in net.named_parameters()]
    monkeypatch.setattr(torch.autograd, "grad", wrong)
    assert failed(check(spec)) == {row}
