"""Half precision, made from what single precision computes at set-up; large images in pieces."""

from typing import Any

import pytest
import torch

import unroll_dsl
from unroll_dsl.diagnostics.raised import UnrollError

EPSILON = {torch.bfloat16: 2**-8, torch.float16: 2**-11}


@pytest.mark.parametrize("dtype", EPSILON)
@pytest.mark.parametrize("name", ["ista", "fista", "admm_lasso", "lista"])
def test_half_precision_rounds_the_network(name: str, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    A, y = torch.randn(20, 12) / 20**0.5, torch.randn(3, 20)
    bind = {"Wd" if name == "lista" else "A": A}
    half: Any = unroll_dsl.load(name).compile(5, bind=bind, dtype=dtype)
    single: Any = unroll_dsl.load(name).compile(5, bind=bind)
    expected = single(y)
    for network in (half, half.freeze()):
        found = network(y.to(dtype))
        assert found.dtype == dtype
        gap = (found.float() - expected).norm() / expected.norm()
        assert gap < 20 * EPSILON[dtype]


def test_complex_values_have_no_half_precision() -> None:
    mask = torch.ones(4, 4)
    with pytest.raises(UnrollError, match="complex values have no half precision"):
        unroll_dsl.load("zero_filling").compile(bind={"P": mask}, dtype=torch.bfloat16)


def test_piecewise_linear_functions_of_a_large_image_are_those_of_its_channels() -> None:
    text = """
algorithm a
dims h, w
input y : image[8, h, w]
learnable N : plf >> conv[8 -> 8, 1] ~ xavier_normal
let x = N(y)
output x
"""
    net: Any = unroll_dsl.loads(text).compile()
    curves = net.N[0]
    y = 2 * torch.rand(1, 8, 256, 256) - 1
    with torch.no_grad():
        curves.slopes += torch.randn_like(curves.slopes)
        curves.start += torch.randn_like(curves.start)
        pieces = curves(y)
    torch.testing.assert_close(pieces, curves(y).detach(), rtol=0, atol=0)


@pytest.mark.parametrize("name", ["ista_net_plus", "lista"])
def test_mixed_precision_has_the_gradients_of_single_precision_to_its_rounding(name: str) -> None:
    torch.manual_seed(0)
    if name == "lista":
        bind, y, target = {"Wd": torch.randn(20, 12) / 5}, torch.randn(3, 20), torch.randn(3, 12)
    else:
        Phi = torch.linalg.qr(torch.randn(64, 64))[0][:16]
        bind, target = {"Phi": Phi, "Q": Phi.mT}, torch.rand(3, 1, 8, 8)
        y = target.flatten(1) @ Phi.mT
    dims = {} if name == "lista" else {"h": 8, "w": 8}
    found = []
    for mixed in (False, True):
        network: Any = unroll_dsl.load(name).compile(2, bind=bind, dims=dims, seed=0)
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            loss = network.loss(y, target)
        loss.backward()
        found.append(torch.cat([p.grad.flatten() for p in network.parameters()]))
    single, half = found
    assert (half - single).norm() < 0.05 * single.norm()
