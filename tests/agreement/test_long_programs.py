"""Programs of thousands of statements, and functions that call each other: answered soon, in words or rightly."""

import time
from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.diagnostics import UnrollError

COUNT = 2000
FEWER = 600
HEAD = "algorithm a\ndims n\ninput y : vector[n]\n"
PHASE = "state x : vector[n] = 0\nphase (2):\n"
CHAINS = {
    "vectors in a phase": HEAD
    + PHASE
    + "    a0 = x\n"
    + "".join(f"    a{i} = 0.999 * a{i - 1} + y\n" for i in range(1, COUNT + 1))
    + f"    x <- a{COUNT} / {COUNT}\noutput x\n",
    "numbers at set-up": HEAD
    + "let a0 = 1\n"
    + "".join(f"let a{i} = 0.5 * a{i - 1} + {i}\n" for i in range(1, FEWER + 1))
    + f"output a{FEWER} * y\n",
    "numbers in a phase": HEAD
    + PHASE
    + "    a0 = k\n"
    + "".join(f"    a{i} = 0.5 * a{i - 1} + {i}\n" for i in range(1, FEWER + 1))
    + f"    x <- a{FEWER} * y + x\noutput x\n",
    "numbers that are read twice": HEAD
    + "let a0 = 1\n"
    + "".join(f"let a{i} = a{i - 1} + {i} / a{i - 1}\n" for i in range(1, FEWER + 1))
    + f"output a{FEWER} * y\n",
}


@pytest.mark.parametrize("name", CHAINS)
def test_thousands_of_statements(name: str) -> None:
    spec = unroll_dsl.loads(CHAINS[name])
    y = np.linspace(-1, 1, 4)
    net: Any = spec.compile(dtype=torch.float64)
    expected = spec.reference()(y)
    np.testing.assert_allclose(net(torch.as_tensor(y)).detach(), expected, rtol=1e-10)
    if name == "numbers at set-up":
        np.testing.assert_allclose(net.freeze()(torch.as_tensor(y)), expected, rtol=1e-10)


def nested(count: int) -> str:
    """Each function calls the one before twice."""
    lines = [f"def f{i}(v) = 0.5 * f{i - 1}(v) * f{i - 1}(v + 1)\n" for i in range(1, count + 1)]
    return HEAD + "def f0(v) = 0.1 * v + 1\n" + "".join(lines) + f"output f{count}(y)\n"


def test_functions_that_double_their_calls_are_refused_in_time() -> None:
    start = time.process_time()
    with pytest.raises(UnrollError, match="calls 8,191 functions in all, at most 4,096"):
        unroll_dsl.loads(nested(30))
    assert time.process_time() - start < 2


def test_functions_that_double_their_calls_compile_in_time() -> None:
    spec = unroll_dsl.loads(nested(9))
    start = time.process_time()
    net: Any = spec.compile(dtype=torch.float64)
    assert time.process_time() - start < 2
    y = np.linspace(-1, 1, 3)
    np.testing.assert_allclose(net(torch.as_tensor(y)), spec.reference()(y), rtol=1e-12)


def test_functions_that_call_each_other_without_end_are_refused() -> None:
    lines = "".join(f"def f{i}(v) = f{i - 1}(v) + {i}\n" for i in range(1, 2001))
    with pytest.raises(UnrollError, match="call each other at most 40 deep"):
        unroll_dsl.loads(f"{HEAD}def f0(v) = v + 1\n{lines}output f2000(y)\n")
    lines = "".join(f"def f{i}(v) = f{i - 1}(v) + {i}\n" for i in range(1, 39))
    text = f"{HEAD}def f0(v) = v + 1\n{lines}output f38(y)\n"
    found = unroll_dsl.loads(text).compile()(torch.zeros(3))
    assert found.tolist() == [1 + 38 * 39 / 2] * 3


MAPS = "algorithm a\ndims h, w\ninput y : image[1, h, w]\nlet B0 = 0.1 * grad' @ grad\n"
STEPS = {
    # each step, how many of it, and what all of them make of b = B0 @ y and y
    "sums": ("B{} + 0.5 * I", 95, lambda b, y: b + 0.5 * 95 * y),
    "compositions": ("B{} @ (0.9 * I)", 90, lambda b, y: 0.9**90 * b),
    "multiples": ("0.9 * B{}", 95, lambda b, y: 0.9**95 * b),
    "adjoints of sums": ("(B{} + 0.5 * I)'", 45, lambda b, y: b + 0.5 * 45 * y),
    "sums of a function": ("shifted(B{})", 45, lambda b, y: b + 0.5 * 45 * y),
}


def chain(step: str, count: int) -> str:
    lines = "".join(f"let B{i} = {step.format(i - 1)}\n" for i in range(1, count + 1))
    return f"{MAPS}def shifted(M) = M + 0.5 * I\n{lines}"


@pytest.mark.parametrize("name", STEPS)
def test_maps_that_are_made_of_maps(name: str) -> None:
    """`grad' @ grad` is the Laplacian of a grid, whose matrix is written here."""
    step, count, result = STEPS[name]
    text = chain(step, count) + f"output B{count} @ y\n"
    down, right = np.diff(np.eye(3), axis=0), np.diff(np.eye(4), axis=0)
    laplacian = np.kron(down.T @ down, np.eye(4)) + np.kron(np.eye(3), right.T @ right)
    y = np.linspace(-1, 2, 12) ** 2
    expected = result(0.1 * laplacian @ y, y)
    spec = unroll_dsl.loads(text)
    for level in (0, 1, 2):
        net: Any = spec.compile(dtype=torch.float64, optimize=level)
        found = net(torch.as_tensor(y).reshape(1, 3, 4)).flatten()
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", STEPS)
def test_maps_that_are_made_of_too_many_are_refused(name: str) -> None:
    step, start = STEPS[name][0], time.process_time()
    count = COUNT if name == "sums" else 300
    with pytest.raises(UnrollError, match="made of more than 100 maps, one within the other"):
        unroll_dsl.loads(chain(step, count) + f"output B{count} @ y\n")
    assert time.process_time() - start < 5


def test_a_system_of_more_terms_than_are_told_apart_is_solved() -> None:
    spec = unroll_dsl.loads(chain("B{} + 0.5 * I", 50) + "output solve(B50, B50 @ y)\n")
    y = torch.linspace(-1, 2, 12, dtype=torch.float64).reshape(1, 3, 4)
    for level in (0, 2):
        net: Any = spec.compile(dtype=torch.float64, optimize=level)
        torch.testing.assert_close(net(y), y)
