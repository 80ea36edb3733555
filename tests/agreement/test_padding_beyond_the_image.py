"""Layers whose kernels are larger than the image, with every padding: what the reference gives."""

from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl


@pytest.mark.parametrize("padding", ["circular", "reflect", "replicate", "zero"])
@pytest.mark.parametrize("size", [4, 5, 7])
def test_small_images(padding: str, size: int) -> None:
    spec = unroll_dsl.loads(
        "algorithm a\ndims h, w\ninput y : image[2, h, w]\n"
        f"learnable D : conv[2 -> 4, {size}, bias, groups=2, padding={padding}] >> relu >> "
        f"conv[4 -> 2, {size}, padding={padding}] ~ xavier_normal\noutput D(y)\n"
    )
    net: Any = spec.compile(seed=0, dtype=torch.float64)
    reference = spec.reference(init=spec.values(net))
    for h, w in ((1, 1), (1, 6), (2, 5), (3, 3), (9, 8)):
        y = torch.randn(2, 3, 2, h, w, dtype=torch.float64)
        found = net(y).detach()
        torch.testing.assert_close(found, torch.as_tensor(np.array(reference(y.numpy()))))
        torch.testing.assert_close(net(y[1, 2]).detach(), found[1, 2])


@pytest.mark.parametrize("padding", ["circular", "reflect"])
@pytest.mark.parametrize("size", [4, 5])
def test_what_torch_pads_itself(padding: str, size: int) -> None:
    spec = unroll_dsl.loads(
        "algorithm a\ndims h, w\ninput y : image[1, h, w]\n"
        f"learnable D : conv[1 -> 3, {size}, bias, padding={padding}] ~ xavier_normal\noutput D(y)\n"
    )
    net: Any = spec.compile(seed=0, dtype=torch.float64)
    made = torch.nn.Conv2d(1, 3, size, padding="same", padding_mode=padding, dtype=torch.float64)
    made.load_state_dict(net.D.state_dict())
    y = torch.randn(2, 1, 6, 7, dtype=torch.float64)
    torch.testing.assert_close(net(y), made(y))


def test_exported() -> None:
    spec = unroll_dsl.loads(
        "algorithm a\ndims h, w\ninput y : image[1, h, w]\n"
        "learnable D : conv[1 -> 3, 5, padding=circular] ~ xavier_normal\noutput D(y)\n"
    )
    net: Any = spec.compile(seed=0, dtype=torch.float64)
    h, w = torch.export.Dim("h", min=3), torch.export.Dim("w", min=3)
    y = torch.randn(2, 1, 6, 7, dtype=torch.float64)
    exported = torch.export.export(net, (y,), dynamic_shapes=({2: h, 3: w},)).module()
    for x in (y, y[..., :4, :3]):
        torch.testing.assert_close(exported(x), net(x))
