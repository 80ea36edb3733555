"""Phases in a loop, of any number: the last ones have less to do, some count, some have learnables of their own."""

from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.backends.torch.layout import place
from unroll_dsl.backends.torch.singular import _place

# what `x` needs of `v` comes from the phase before, and what that needs of `u` from the one before it
PAGE = """algorithm chain
dims n
input y : vector[n]
fixed A : matrix[n, n]
learnable w : scalar{per_phase} = 0.5
state u, v, x : vector[n] = 0
phase (4):
    x <- x + {number} * (A @ v)
    v <- w * (A @ u) + y
    u <- A @ u + y
{trace}output {output}
{loss}"""
A = np.random.default_rng(0).standard_normal((3, 3)) / 2
Y = np.random.default_rng(1).standard_normal((2, 3))


def page(number: str = "1", output: str = "x", *, own: bool = False, summed: bool = False) -> Any:
    return unroll_dsl.loads(
        PAGE.format(
            per_phase=" per phase" if own else "",
            number=number,
            output=output,
            trace="    trace r = u - k * x\n" if summed else "",
            loss="loss:\n    sumsq(x) + sum over phases k * sumsq(r)\n" if summed else "",
        )
    )


def chain(phases: int, number: str, w: Any = 0.5) -> list[dict[str, Any]]:
    """The states after each phase, written out."""
    u = v = x = np.zeros(3)
    found = []
    for k in range(1, phases + 1):
        own = w if np.ndim(w) == 0 else w[k - 1]
        x = x + eval(number, {"k": k}) * v @ A.T
        v = own * u @ A.T + Y
        u = u @ A.T + Y
        found.append({"u": u, "v": v, "x": x})
    return found


@pytest.mark.parametrize("phases", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("number", ["1", "k"])
@pytest.mark.parametrize("output", ["x", "v", "u"])
@pytest.mark.parametrize("own", [False, True])
def test_any_number_of_phases(phases: int, number: str, output: str, own: bool) -> None:
    spec = page(number, output, own=own)
    w = np.linspace(0.2, 0.9, phases) if own else 0.5
    init = {"w": w} if own else {}
    net: Any = spec.compile(phases, bind={"A": A}, init=init, dtype=torch.float64)
    expected = chain(phases, number, w)
    with torch.no_grad():
        found = np.broadcast_to(net(torch.from_numpy(Y)).numpy(), (2, 3))
        along = net.trajectory(torch.from_numpy(Y))
    np.testing.assert_allclose(found, np.broadcast_to(expected[-1][output], (2, 3)), atol=1e-13)
    assert len(along) == phases
    for states, wanted in zip(along, expected, strict=True):
        for name, value in states.items():
            np.testing.assert_allclose(
                np.broadcast_to(value.numpy(), (2, 3)),
                np.broadcast_to(wanted[name], (2, 3)),
                atol=1e-13,
            )
    assert output in along[-1]


@pytest.mark.parametrize("phases", [1, 2, 5])
@pytest.mark.parametrize("own", [False, True])
def test_a_loss_sums_over_all_of_them(phases: int, own: bool) -> None:
    net: Any = page("k", own=own, summed=True).compile(phases, bind={"A": A}, dtype=torch.float64)
    states = chain(phases, "k")
    terms = [k * ((s["u"] - k * s["x"]) ** 2).sum(-1) for k, s in enumerate(states, start=1)]
    expected = ((states[-1]["x"] ** 2) * np.ones((2, 1))).sum(-1) + sum(terms)
    assert float(net.loss(torch.from_numpy(Y)).detach()) == pytest.approx(float(expected.mean()))


@pytest.mark.parametrize("through", [2, 3, 4])
def test_derivatives_through_the_last_phases(through: int) -> None:
    """Those of the chain whose states are taken for numbers before."""
    net: Any = page("k").compile(4, bind={"A": A}, dtype=torch.float64, gradient=through)
    net(torch.from_numpy(Y)).sum().backward()
    matrix, y = torch.from_numpy(A), torch.from_numpy(Y)
    w = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    u = v = x = torch.zeros(2, 3, dtype=torch.float64)
    for k in range(1, 5):
        with torch.set_grad_enabled(k > 4 - through):
            x, v, u = x + k * v @ matrix.mT, w * u @ matrix.mT + y, u @ matrix.mT + y
    x.sum().backward()
    assert w.grad is not None and float(net.w.grad) == pytest.approx(float(w.grad))
    whole: Any = page("k").compile(4, bind={"A": A}, dtype=torch.float64)
    whole(torch.from_numpy(Y)).sum().backward()
    assert (float(whole.w.grad) == pytest.approx(float(w.grad))) == (through > 2)


def test_checkpoints_change_no_gradient() -> None:
    slopes = []
    for checkpoint in (None, "phase"):
        net: Any = page("k").compile(4, bind={"A": A}, dtype=torch.float64, checkpoint=checkpoint)
        net(torch.from_numpy(Y)).sum().backward()
        slopes.append(float(net.w.grad))
    assert slopes[0] == pytest.approx(slopes[1]) and slopes[0] != 0


# ---- places -----------------------------------------------------------------------------------------


def test_a_system_is_told_by_its_line_or_else_the_first() -> None:
    text = (
        "algorithm s\ndims n\ninput y : vector[n]\nfixed A, B : matrix[n, n]\nstate x : vector[n] = 0\n"
        "phase (2):\n    x <- solve(A, y + x)\n    x <- solve(B, y + x)\noutput x\n"
    )
    graph = unroll_dsl.loads(text, "s.unroll").graph
    for line in (7, 8):
        found = _place(graph, f"s.unroll:{line}")
        assert found is not None and place(found) == f"s.unroll:{line}"
    first = _place(graph, "elsewhere")
    assert first is not None and place(first) == "s.unroll:7"
    assert _place(unroll_dsl.load("ista").graph, "s.unroll:7") is None
