"""Programs like those at which random ones failed, each against a formula that is written here."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl

HEAD = (
    "algorithm a\ndims n\ninput y : vector[n]\nfixed c : vector[n]\nfixed z : complex vector[n]\n"
)
SAMPLES = np.array([[1.0, -2.0, 3.0], [0.5, 0.25, 4.0]])
C = np.array([0.5, 2.0, -1.0])
Z = np.array([1 + 1j, 2 - 1j, 0.5j])
Y, ONES = SAMPLES, np.ones((2, 3))
NUMBER = "state s : scalar = 0\n"
VECTOR = "state x : vector[n] = y\n"
CASES: dict[str, tuple[str, Callable[[], Any]]] = {
    "a number for a state that nothing reads": (
        f"{NUMBER}phase (2):\n    s <- -0.2\noutput s\n",
        lambda: np.full(2, -0.2),
    ),
    "a number for a state that was read": (
        f"{NUMBER}{VECTOR}phase (2):\n    x <- x + s * y\n    s <- -0.4\noutput x, s\n",
        lambda: (0.6 * Y, np.full(2, -0.4)),
    ),
    "one value for all samples": (
        f"{VECTOR}state w : vector[n] = 0\nphase (3):\n    w <- w + x\n    x <- sin(c)\noutput x, w\n",
        lambda: (np.sin(C) * ONES, Y + 2 * np.sin(C)),
    ),
    "one value of a state for all samples, read below": (
        f"{VECTOR}state w : vector[n] = 0\nphase (2):\n    x <- c + w * 0\n    w <- x\n"
        "    trace seen = y - x\noutput x\nloss (g : vector[n]):\n    sumsq(g) + sum over phases sumsq(seen)\n",
        lambda: C * ONES,
    ),
    "one value for all samples beside what only another state reads": (
        f"{VECTOR}state w : vector[n] = y\nphase (2):\n    w <- w + x\n    x <- sin(c)\noutput x\n",
        lambda: np.sin(C) * ONES,
    ),
    "a product of real diagonals beside a complex matrix": (
        "output (diag(z) @ (diag(c) @ diag(c))) @ y\n",
        lambda: Z * C**2 * Y,
    ),
    "the adjoint of a real diagonal beside a complex matrix": (
        "let M = outer(z, c)\noutput ((M @ diag(c)') - diag(c)') @ y\n",
        lambda: (Y * C**2).sum(1)[:, None] * Z - C * Y,
    ),
    "products that are made for a complex matrix": (
        "let M = outer(z, z)\nlet D = diag(c) @ diag(c)\noutput (M' @ D) @ y\n",
        lambda: (Y * C**2 * Z.conj()).sum(1)[:, None] * Z.conj(),
    ),
    "large values of softplus": (
        "output softplus(7.1 * y + 0.003)\n",
        lambda: np.logaddexp(7.1 * Y + 0.003, 0),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_reference_levels_and_frozen(name: str) -> None:
    text, formula = CASES[name]
    expected = formula()
    expected = expected if isinstance(expected, tuple) else (expected,)
    spec = unroll_dsl.loads(HEAD + text)
    bind = {"c": C, "z": Z}
    found = [spec.reference(bind=bind)(SAMPLES)]
    y = torch.as_tensor(SAMPLES)
    with torch.no_grad():
        for level in (0, 1, 2):
            net: Any = spec.compile(bind=bind, dtype=torch.float64, optimize=level)
            found += [net(y), net.freeze()(y)]
            single = net(y[1])
            for value, whole in zip(_several(single), expected, strict=True):
                np.testing.assert_allclose(value, whole[1], rtol=1e-13)
    for outputs in found:
        for value, formula_value in zip(_several(outputs), expected, strict=True):
            np.testing.assert_allclose(value, formula_value, rtol=1e-13)


def test_functions_of_numbers_that_differ_from_phase_to_phase() -> None:
    """Frozen, they are arguments that are numbers: nothing that a tensor could be made like."""
    text = (
        f"{HEAD}fixed s : scalar > 0 per phase = 0.5 * 0.9^k\nstate v : complex scalar = 1.5\n"
        "phase (2):\n    v <- soft(v / (1 + s), 0.1 * s) + 0.25 * v\noutput v + 0 * mean(y)\n"
    )
    net: Any = unroll_dsl.loads(text).compile(bind={"c": C, "z": Z}, dtype=torch.float64)
    value = 1.5
    for k in (1, 2):
        s = 0.5 * 0.9**k
        value = value / (1 + s) - 0.1 * s + 0.25 * value
    found = net.freeze()(torch.as_tensor(SAMPLES))
    np.testing.assert_allclose(found.resolve_conj(), np.full(2, value + 0j), rtol=1e-13)


LOSSES: dict[str, tuple[str, list[Any], float, float]] = {
    "a phase that takes no argument makes a number like a learnable of its own": (
        "input y : complex vector[n]\nlearnable p : scalar per phase = 0.3\nstate x : scalar = 0\n"
        "phase (2):\n    x <- soft(p + 0.65, 0.1)\noutput x\n"
        "loss (g : scalar):\n    mean(abs(x)^2) + sumsq(g)\n",
        [np.ones(3) + 0j],
        0.85,
        0.85**2 + 1,
    ),
    "the next to last phase is run for the loss alone": (
        "learnable p : vector[m] per phase = 0.5\nfixed c : vector[m]\nstate a : scalar = 0\n"
        "state x : scalar = 0\nphase (3):\n    a <- cos(-x)\n    x <- mean(p * c)\noutput x\n"
        "loss (g : scalar):\n    a^2 + sumsq(g)\n",
        [],
        0.5 * C.mean(),
        np.cos(0.5 * C.mean()) ** 2 + 1,
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_of_phases_that_take_little(name: str) -> None:
    text, inputs, output, loss = LOSSES[name]
    spec = unroll_dsl.loads(f"algorithm a\ndims m, n\n{text}")
    bind = {"c": C} if "fixed c" in text else {}
    np.testing.assert_allclose(spec.reference(bind=bind)(*inputs), output, rtol=1e-13)
    given = [torch.as_tensor(x) for x in inputs]
    for level in (0, 1, 2):
        net: Any = spec.compile(bind=bind, dtype=torch.float64, optimize=level)
        np.testing.assert_allclose(net(*given).detach(), output, rtol=1e-13)
        found = net.loss(*given, torch.tensor(1.0, dtype=torch.float64))
        found.backward()
        np.testing.assert_allclose(found.detach(), loss, rtol=1e-13)


def _several(outputs: Any) -> tuple[Any, ...]:
    return outputs if isinstance(outputs, tuple) else (outputs,)
