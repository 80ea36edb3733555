"""Every operator that takes an operand, with one a sample: at every level what a loop over the samples gives,
which is the reference, and with any number of batch axes."""

from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.operators.registry import linear_operators

IMAGE = "algorithm a\ndims h, w, b, l\ninput y : image[1, h, w]\n"
BANK = IMAGE + "input K : tensor[l, b, b]\n"
KERNEL = IMAGE + "input K : matrix[b, b]\n"
VECTOR = "algorithm a\ndims n, m\ninput y : vector[n]\n"
GRADIENT = (
    "state x : image[1, h, w] = y\nphase (3):\n    x <- x - 0.05 * {0}' @ ({0} @ x - y)\noutput x\n"
)
PROGRAMS = {
    "filters": BANK + "output filters(K) @ y\n",
    "filters, periodic": BANK + "output filters(K, padding=circular) @ y\n",
    "filters, there and back": BANK + "output filters(K)' @ (filters(K) @ y)\n",
    "filters of several channels": IMAGE
    + "input K : tensor[l, 2, b, b]\noutput filters(K)' @ (filters(K) @ (grad @ y))\n",
    "filters of a fixed image": BANK
    + "fixed z : image[1, h, w]\noutput y + 0 * sum(y), filters(K)' @ (filters(K) @ z)\n",
    "filters made of an input": BANK + "output filters(0.5 * K / (1 + sumsq(K))) @ y\n",
    "filters in a function": BANK
    + "def f(v, K) = filters(K)' @ relu(filters(K) @ v)\noutput f(y, K)\n",
    "blur": KERNEL + GRADIENT.format("blur(K)"),
    "blur, periodic": KERNEL + GRADIENT.format("blur(K, padding=circular)"),
    "coils": "algorithm a\ndims c, h, w\ninput y : complex image[1, h, w]\n"
    "input S : complex tensor[c, h, w]\noutput coils(S)' @ (fft2 @ (coils(S) @ y))\n",
    "radon": "algorithm a\ndims h, q\ninput y : image[1, h, h]\ninput t : vector[q]\n"
    "output radon(t)' @ (radon(t) @ y)\n",
    "plf": VECTOR + "input q : vector[m]\noutput plf(y, q)\n",
    "plf a channel": IMAGE + "input q : matrix[1, b]\noutput plf(y, q)\n",
    "plf in a function": VECTOR
    + "input q : vector[m]\ndef f(v, q) = plf(2 * v, q)\noutput f(y, q)\n",
    "quantile": VECTOR + "input q : scalar\noutput quantile(y, q) * y\n",
    "singular_soft": "algorithm a\ndims n, m\ninput M : matrix[n, m]\ninput t : scalar\n"
    "output singular_soft(M, abs(t))\n",
    "linspace": VECTOR + "input a : scalar\noutput linspace(a, 2, n) * y\n",
    "pinv": VECTOR + "input A : matrix[m, n]\noutput pinv(A) @ (A @ y) + spectral_norm(A) * y\n",
    "diag": VECTOR + "input d : vector[n]\noutput diag(d) @ y\n",
    "matrix": VECTOR + "input A : matrix[m, n]\noutput A' @ (A @ y)\n",
    "outer": VECTOR + "input d : vector[m]\noutput outer(y, d)\n",
    "solve, a matrix": VECTOR + "input A : matrix[m, n]\noutput solve(A' @ A + 0.5 * I, y)\n",
    "solve, no structure": VECTOR + "input A : matrix[n, n]\noutput solve(A + 4 * I, y)\n",
    "solve, a diagonal": VECTOR + "input d : vector[n]\noutput solve(diag(exp(d)) + I, y)\n",
    "solve, a blur": KERNEL
    + "let C = blur(K, padding=circular)\noutput solve(C' @ C + 0.5 * I, y)\n",
    "solve, filters": BANK
    + "let C = filters(K, padding=circular)\noutput solve(C' @ C + 0.5 * I, y)\n",
    "solve, with zeros beyond": KERNEL + "output solve(blur(K)' @ blur(K) + 0.5 * I, y)\n",
}
SIZES = {"h": 7, "w": 6, "b": 5, "l": 2, "n": 6, "m": 4, "c": 3, "q": 4}


def given(spec: Any, batch: tuple[int, ...]) -> tuple[list[Any], dict[str, Any]]:
    rng = np.random.default_rng(0)

    def draw(type_: Any, lead: tuple[int, ...]) -> Any:
        shape = (*lead, *(dim.substitute(SIZES).value for dim in type_.shape))
        value = rng.standard_normal(shape) / 2
        return value + 1j * rng.standard_normal(shape) if "complex" in str(type_) else value

    bind = {c.name: draw(c.type, ()) for c in spec.graph.constants}
    return [draw(entry.type, batch) for entry in spec.graph.inputs], bind


def several(found: Any) -> tuple[Any, ...]:
    return found if isinstance(found, tuple) else (found,)


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_sample_has_its_own_operand(name: str) -> None:
    spec = unroll_dsl.loads(PROGRAMS[name])
    sizes = {d: SIZES[d] for d, _ in spec.graph.dims}
    for batch, levels in (((3,), (0, 1, 2)), ((), (2,)), ((2, 2), (2,))):
        inputs, bind = given(spec, batch)
        expected = several(spec.reference(bind=bind, dims=sizes)(*inputs))
        for level in levels:
            net = spec.compile(bind=bind, dims=sizes, optimize=level, dtype=torch.float64)
            found = several(net(*map(torch.as_tensor, inputs)))
            for ours, theirs in zip(found, expected, strict=True):
                np.testing.assert_allclose(ours.detach(), theirs, rtol=1e-9, atol=1e-10)


def test_no_operator_is_forgotten() -> None:
    with_operands = {r.name for r in linear_operators() if any(not p.static for p in r.parameters)}
    assert with_operands == {"filters", "blur", "coils", "radon"}


@pytest.mark.parametrize("name", ["filters", "blur, periodic", "plf", "solve, a blur"])
def test_derivatives_are_those_of_a_loop(name: str) -> None:
    spec = unroll_dsl.loads(PROGRAMS[name])
    inputs, bind = given(spec, (3,))
    sizes = {d: SIZES[d] for d, _ in spec.graph.dims}
    net = spec.compile(bind=bind, dims=sizes, dtype=torch.float64)
    ours = [torch.as_tensor(v).requires_grad_() for v in inputs]
    net(*ours).square().sum().backward()
    for sample in range(3):
        alone = [torch.as_tensor(v[sample]).requires_grad_() for v in inputs]
        net(*alone).square().sum().backward()
        for whole, one in zip(ours, alone, strict=True):
            torch.testing.assert_close(whole.grad[sample], one.grad, rtol=1e-9, atol=1e-10)
