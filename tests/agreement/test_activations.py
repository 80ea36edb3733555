"""Activations of layers agree with the reference at every size of values; layers have what is given."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.semantics.layers import ACTIVATIONS


def page(word: str) -> unroll_dsl.Spec:
    return unroll_dsl.loads(
        f"algorithm a\ndims n\ninput y : vector[n]\nlearnable N : dense[n -> n] >> {word}\noutput N(y)\n"
    )


def values() -> np.ndarray:
    near = np.linspace(-50, 50, 401)
    return np.concatenate([near, -np.logspace(-12, 2.8, 50), np.logspace(-12, 2.8, 50)])


@pytest.mark.parametrize("word", [a for a in ACTIVATIONS if a != "plf"])
def test_values(word: str) -> None:
    spec, y = page(word), values()
    weight = {"N": {"0.weight": np.eye(len(y))}}
    expected = spec.reference(init=weight)(y)
    atol = 0 if word == "softplus" else 1e-14  # what is subtracted from 1, as erf is
    for level in (0, 1, 2):
        net = spec.compile(init=weight, dtype=torch.float64, optimize=level)
        for found in (net, net.freeze()):
            with torch.no_grad():
                np.testing.assert_allclose(
                    found(torch.as_tensor(y)), expected, rtol=1e-12, atol=atol
                )


@pytest.mark.parametrize("at", [19.0, 21.0, 39.0, 41.0, -30.0])
def test_derivatives_of_softplus(at: float) -> None:
    net = page("softplus").compile(init={"N": {"0.weight": np.eye(1)}}, dtype=torch.float64)
    x = torch.tensor([at], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(net(x).sum(), x, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), x)
    s = 1 / (1 + np.exp(-at))
    np.testing.assert_allclose(slope.item(), s, rtol=1e-13)
    np.testing.assert_allclose(curvature.item(), np.exp(-at) * s**2, atol=1e-16)


@pytest.mark.parametrize("sharing", ["", " per phase"])
def test_a_layer_without_a_start_of_its_own_has_what_is_given(sharing: str) -> None:
    spec = unroll_dsl.loads(
        f"algorithm a\ndims h, w\ninput y : image[1, h, w]\nlearnable N : conv[1 -> 1, 3, bias]{sharing}\n"
        "state x : image[1, h, w] = y\nphase (2):\n    x <- N(x)\noutput x\n"
    )
    rng = np.random.default_rng(0)
    count = (2,) if sharing else ()
    init = {"N": {"weight": rng.normal(size=(*count, 1, 1, 3, 3)), "bias": np.ones((*count, 1))}}
    y = rng.normal(size=(1, 5, 6))
    expected = spec.reference(init=init)(y)
    for level in (0, 1, 2):
        net = spec.compile(init=init, dtype=torch.float64, optimize=level)
        with torch.no_grad():
            np.testing.assert_allclose(net(torch.as_tensor(y)), expected, rtol=1e-12)
            np.testing.assert_allclose(net.freeze()(torch.as_tensor(y)), expected, rtol=1e-12)
    with pytest.raises(unroll_dsl.UnrollError, match="learnable `N` has no value"):
        spec.compile()
