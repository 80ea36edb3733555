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
