"""States that come from numbers alone are numbers: the `t` of FISTA."""

from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl

PROGRAM = """
algorithm counted
dims n
input y : vector[n]
state x : vector[n] = y
state t : scalar = {start}
phase (6):
    t <- {update}
    x <- x / (1 + t^2)
output x
"""


def made(start: str, update: str) -> tuple[Any, Any]:
    spec = unroll_dsl.loads(PROGRAM.format(start=start, update=update))
    return spec.compile(dims={"n": 4}, dtype=torch.float64), spec.reference(dims={"n": 4})


@pytest.mark.parametrize(
    ("start", "update", "is_number"),
    [
        ("1", "(1 + sqrt(1 + 4 * t^2)) / 2", True),
        ("0", "t + k / 2", True),
        ("1", "sqrt(t - 3)", False),  # of what may be negative: nan, as everywhere
        ("1", "cos(t)", False),
        ("1", "t * mean(x)", False),
    ],
)
def test_a_state_of_numbers_is_a_number(start: str, update: str, is_number: bool) -> None:
    net, reference = made(start, update)
    y = torch.arange(1.0, 5.0, dtype=torch.float64)
    with np.errstate(invalid="ignore"):
        expected = reference(y.numpy())
    np.testing.assert_allclose(net(y).numpy(), expected, rtol=1e-12)
    found = net.start(y)
    assert isinstance(found[1], float) is is_number
    assert all(isinstance(value, torch.Tensor) for value in net.trajectory(y)[-1].values())
