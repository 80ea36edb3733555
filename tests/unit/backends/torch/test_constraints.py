"""Constraints of learnables hold wherever an optimiser steps, and keep classical values bit by bit."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import unroll_dsl

PROGRAM = """
algorithm bounded
input y : scalar
fixed top : scalar > 0 = 0.7
learnable p : scalar {constraint} = {value}
output p * y
"""
CONSTRAINTS = [
    ("> 0", 0.3, lambda v: v > 0),
    (">= 0", 0.0, lambda v: v >= 0),
    ("< 0", -0.3, lambda v: v < 0),
    ("<= 2", 2.0, lambda v: v <= 2),
    ("> -1.5", 0.1, lambda v: v > -1.5),
    ("in [0, 1]", 1.0, lambda v: (v >= 0) & (v <= 1)),
    ("in (0, 1)", 0.1, lambda v: (v > 0) & (v < 1)),
    ("in (-1, 0.25]", 0.25, lambda v: (v > -1) & (v <= 0.25)),
    ("in [0.5, 0.5]", 0.5, lambda v: v == 0.5),
    ("in [0, top]", 0.35, lambda v: (v >= 0) & (v <= 0.7)),
]
each_constraint = pytest.mark.parametrize(
    ("constraint", "value", "holds"), CONSTRAINTS, ids=[c[0] for c in CONSTRAINTS]
)


def network(constraint: str, value: float, dtype: torch.dtype) -> Any:
    spec = unroll_dsl.loads(PROGRAM.format(constraint=constraint, value=value))
    return spec.compile(dtype=dtype)


def effective(net: Any, dtype: torch.dtype) -> torch.Tensor:
    """The value that the network computes with."""
    found = net(torch.ones(1, dtype=dtype))
    assert isinstance(found, torch.Tensor)
    return found


@each_constraint
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_classical_value_survives_to_the_last_bit(
    constraint: str, value: float, holds: Any, dtype: torch.dtype
) -> None:
    net = network(constraint, value, dtype)
    assert torch.equal(effective(net, dtype).detach(), torch.tensor([value], dtype=dtype))


@each_constraint
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@settings(deadline=None)
@given(stored=st.floats(-1e6, 1e6, width=32))
def test_wherever_the_parameter_stands_the_constraint_holds(
    constraint: str, value: float, holds: Any, dtype: torch.dtype, stored: float
) -> None:
    net = network(constraint, value, dtype)
    with torch.no_grad():
        net.p.fill_(stored)
        assert bool(holds(effective(net, dtype)).all())


@each_constraint
@pytest.mark.parametrize("optimiser", [torch.optim.SGD, torch.optim.Adam, torch.optim.RMSprop])
def test_an_optimiser_that_pulls_both_ways_never_breaks_it(
    constraint: str, value: float, holds: Any, optimiser: Any
) -> None:
    net = network(constraint, value, torch.float32)
    steps = optimiser(net.parameters(), lr=0.4)
    moved = False
    for sign in (1, 1, 1, 1, -1, -1, -1, -1, -1, -1):
        steps.zero_grad()
        before = effective(net, torch.float32)
        (sign * before).sum().backward()
        steps.step()
        after = effective(net, torch.float32)
        moved = moved or bool((after != before).all())
        assert bool(holds(after).all())
        assert after.isfinite().all()
    assert moved == (constraint != "in [0.5, 0.5]")


@each_constraint
def test_the_gradient_inside_is_that_of_a_free_value(
    constraint: str, value: float, holds: Any
) -> None:
    inside = {"in [0, 1]": 0.5, ">= 0": 0.5, "<= 2": 0.5, "in (-1, 0.25]": 0.125}
    net = network(constraint, inside.get(constraint, value), torch.float64)
    effective(net, torch.float64).sum().backward()
    assert net.p.grad.item() == 1
