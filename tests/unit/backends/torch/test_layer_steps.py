"""Steps of layers against `torch.nn` written by hand, with the tensors of its `state_dict`."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import unroll_dsl
from unroll_dsl.ir.read_types import TypeReader
from unroll_dsl.types import Layer

PAGE = """algorithm steps
dims h, w
input y : image[4, 4 * h, 4 * w]
learnable N : {} ~ xavier_normal
output N(y)
"""

CASES: dict[str, Any] = {
    "conv[4 -> 6, 3, stride=2, bias] >> relu": lambda: nn.Sequential(
        nn.Conv2d(4, 6, 3, 2, 1), nn.ReLU()
    ),
    "conv[4 -> 6, 4, stride=2] >> silu": lambda: nn.Sequential(
        nn.Conv2d(4, 6, 4, 2, 1, bias=False), nn.SiLU()
    ),
    "conv[4 -> 6, 2, stride=2, groups=2] >> relu": lambda: nn.Sequential(
        nn.Conv2d(4, 6, 2, 2, 0, groups=2, bias=False), nn.ReLU()
    ),
    "conv[4 -> 6, 3, dilation=2] >> conv[6 -> 4, 3, dilation=3, bias]": lambda: nn.Sequential(
        nn.Conv2d(4, 6, 3, padding=2, dilation=2, bias=False),
        nn.Conv2d(6, 4, 3, padding=3, dilation=3),
    ),
    "deconv[4 -> 3, 2, stride=2, bias] >> relu": lambda: nn.Sequential(
        nn.ConvTranspose2d(4, 3, 2, 2), nn.ReLU()
    ),
    "deconv[4 -> 3, 3, stride=2] >> relu": lambda: nn.Sequential(
        nn.ConvTranspose2d(4, 3, 3, 2, 1, 1, bias=False), nn.ReLU()
    ),
    "deconv[4 -> 3, 5] >> relu": lambda: nn.Sequential(
        nn.ConvTranspose2d(4, 3, 5, padding=2, bias=False), nn.ReLU()
    ),
    "max_pool[2] >> conv[4 -> 4, 3] >> avg_pool[2]": lambda: nn.Sequential(
        nn.MaxPool2d(2), nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.AvgPool2d(2)
    ),
    "conv[4 -> 4, 3] >> up[2] >> up[3, bilinear]": lambda: nn.Sequential(
        nn.Conv2d(4, 4, 3, padding=1, bias=False),
        nn.Upsample(scale_factor=2),
        nn.Upsample(scale_factor=3, mode="bilinear"),
    ),
    "conv[4 -> 6, 3] >> batch_norm >> prelu >> instance_norm >> group_norm[3]": lambda: (
        nn.Sequential(
            nn.Conv2d(4, 6, 3, padding=1, bias=False),
            nn.BatchNorm2d(6),
            nn.PReLU(6),
            nn.InstanceNorm2d(6),
            nn.GroupNorm(3, 6),
        )
    ),
    "conv[4 -> 6, 3] >> softmax >> dropout[0.5]": lambda: nn.Sequential(
        nn.Conv2d(4, 6, 3, padding=1, bias=False), nn.Softmax(1), nn.Dropout(0.5)
    ),
    "conv[4 -> 4, 3, bias] >> (conv[4 -> 4, 3, bias] >> relu) * 3 >> conv[4 -> 4, 1]": lambda: (
        nn.Sequential(
            nn.Conv2d(4, 4, 3, padding=1),
            *(m for _ in range(3) for m in (nn.Conv2d(4, 4, 3, padding=1), nn.ReLU())),
            nn.Conv2d(4, 4, 1, bias=False),
        )
    ),
}


@pytest.mark.parametrize("layer", CASES)
def test_a_chain_is_that_of_torch(layer: str) -> None:
    torch.manual_seed(0)
    spec = unroll_dsl.loads(PAGE.format(layer))
    module = CASES[layer]().double()
    for norm in module:
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.uniform_(-1, 1), norm.running_var.uniform_(0.5, 2)
    for p in module.parameters():
        nn.init.uniform_(p, -0.5, 0.5)
    tensors = {k: v for k, v in module.state_dict().items() if v.is_floating_point()}
    options: dict[str, Any] = {"init": {"N": tensors}} if tensors else {"seed": 0}
    y = torch.randn(2, 4, 8, 12, dtype=torch.float64)
    expected = module.eval()(y).detach()
    network = spec.compile(dtype=torch.float64, **options).eval()
    assert torch.allclose(network(y), expected, rtol=0, atol=1e-12)
    assert torch.allclose(network(y[0]), expected[0], rtol=0, atol=1e-12)
    assert torch.allclose(network(y[None])[0], expected, rtol=0, atol=1e-12)
    reference = spec.reference(**options)(y.numpy())
    np.testing.assert_allclose(reference, expected.numpy(), rtol=0, atol=1e-12)
    assert {k for k, v in network.N.state_dict().items() if v.is_floating_point()} == {*tensors}  # type: ignore[union-attr]


def test_norms_of_channels_and_dense_layers() -> None:
    text = (
        "algorithm a\ndims h, w\ninput y : image[3, h, w]\ninput v : vector[5]\n"
        "learnable N : conv[3 -> 4, 1] >> layer_norm ~ xavier_normal\n"
        "learnable E : dense[5 -> 7, bias] >> softmax ~ xavier_normal\noutput N(y), E(v)\n"
    )
    network = unroll_dsl.loads(text).compile(dtype=torch.float64, seed=0)
    y, v = torch.randn(2, 3, 4, 5).double(), torch.randn(2, 5).double()
    image, codes = network(y, v)
    conv, dense = network.N[0], network.E[0]  # type: ignore[index]
    by_pixel = nn.functional.layer_norm(conv(y).movedim(1, -1), (4,)).movedim(-1, 1)
    assert torch.allclose(image, by_pixel, rtol=0, atol=1e-12)
    by_hand = (v @ dense.weight.mT + dense.bias).softmax(-1)
    assert torch.allclose(codes, by_hand, rtol=0, atol=1e-12)


def test_a_network_in_training_drops_and_one_in_evaluation_does_not() -> None:
    text = (
        "algorithm a\ninput v : vector[50]\n"
        "learnable E : dense[50 -> 50] >> dropout[0.5] ~ xavier_normal\noutput E(v)\n"
    )
    network = unroll_dsl.loads(text).compile(seed=0)
    v = torch.randn(50)
    assert not torch.equal(network.train()(v), network(v))
    assert torch.equal(network.eval()(v), network(v))


@pytest.mark.parametrize("layer", CASES)
def test_types_are_read_as_they_are_written(layer: str) -> None:
    spec = unroll_dsl.loads(PAGE.format(layer))
    type_ = spec.graph.parameters[0].type
    assert isinstance(type_, Layer)
    assert TypeReader().read(str(type_)) == type_
