"""`net.compile()`: one phase is compiled and serves all of its kind."""

import copy
from typing import Any

import pytest
import torch
from torch._dynamo.testing import CompileCounter, CompileCounterWithBackend

import unroll_dsl
from tests.agreement.test_levels import made, several


@pytest.fixture(autouse=True)
def fresh() -> Any:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def ista_net_plus(phases: int) -> Any:
    torch.manual_seed(0)
    bind = {"Phi": torch.randn(10, 64), "Q": torch.randn(64, 10)}
    return unroll_dsl.load("ista_net_plus").compile(phases, bind=bind, dims={"h": 8, "w": 8})


@pytest.mark.parametrize("phases", [3, 9])
def test_graphs_do_not_grow_with_the_number_of_phases(phases: int) -> None:
    net, counter = ista_net_plus(phases), CompileCounter()
    y = torch.randn(2, 10)
    with torch.no_grad():
        expected = net(y)
        net.compile(backend=counter)
        found = net(y)
    assert counter.frame_count == 1
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


@pytest.mark.parametrize("name", ["fista", "fista_cd", "lista_cpss"])
def test_counters_make_no_more_graphs(name: str) -> None:
    torch.manual_seed(0)
    graphs, A, inputs = (
        [],
        torch.randn(6, 9, dtype=torch.float64),
        [torch.randn(2, 6, dtype=torch.float64)],
    )
    for phases in (4, 12):  # beyond 8, `torch.compile` would fall back to running eagerly
        torch._dynamo.reset()
        net: Any = unroll_dsl.load(name).compile(phases, bind={"A": A}, dtype=torch.float64)
        counter = CompileCounterWithBackend("aot_eager")
        with torch.no_grad():
            expected = net.trajectory(*inputs)[-1]
            net.compile(backend=counter)
            found = net.trajectory(*inputs)[-1]
        for key, value in expected.items():
            torch.testing.assert_close(found[key], value, rtol=1e-10, atol=1e-12)
        graphs.append(counter.frame_count)
    assert graphs[0] == graphs[1]


def test_numbers_of_frozen_phases_make_no_more_graphs() -> None:
    graphs = []
    for phases in (4, 12):
        torch._dynamo.reset()
        net, y = ista_net_plus(phases).freeze(), torch.randn(2, 10)
        counter = CompileCounterWithBackend("aot_eager")
        for number, phase in enumerate(net.phases):
            phase.rho, phase.theta = 0.3 + 0.01 * number, 0.01 * number
        with torch.no_grad():
            expected = net(y)
            net.compile(backend=counter)
            found = net(y)
        scale = float(expected.abs().max())
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4 * scale)
        graphs.append(counter.frame_count)
    assert graphs[0] == graphs[1]


def test_a_training_step_is_compiled_too() -> None:
    net, counter = ista_net_plus(4), CompileCounter()
    y, target = torch.randn(2, 10), torch.randn(2, 1, 8, 8)
    expected = net.loss(y, target)
    net.compile(backend=counter)
    found = net.loss(y, target)
    found.backward()
    assert (
        counter.frame_count == 2
    )  # the state that the first phase is given asks for no derivative
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=0)


@pytest.mark.parametrize("name", ["fista", "ista", "lista", "fista_net", "baseline_tanh"])
def test_compiled_networks_compute_the_same(name: str) -> None:
    net, inputs, _ = made(name, 2)
    with torch.no_grad():
        expected = several(net(*inputs))
        net.compile(backend="aot_eager")
        for found, wanted in zip(several(net(*inputs)), expected, strict=True):
            torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-12)


def test_compiled_networks_are_copied() -> None:
    net = ista_net_plus(2)
    y = torch.randn(2, 10)
    net.compile(backend="eager")
    with torch.no_grad():
        torch.testing.assert_close(copy.deepcopy(net)(y), net(y), rtol=1e-4, atol=1e-3)
