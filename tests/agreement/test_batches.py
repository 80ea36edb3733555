"""A network takes any number of leading batch axes, none included, whatever it consists of."""

from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from tests.agreement.test_levels import made, several
from unroll_dsl.resources import algorithm_names
from unroll_dsl.verify.instance import draw

IMAGE = "algorithm q\ndims h, w\ninput y : image[1, h, w]\n"
CASES = {
    "layers": (
        f"{IMAGE}learnable D : conv[1 -> 8, 3] per phase ~ xavier_normal\n"
        "learnable N : conv[8 -> 8, 3, bias] >> relu >> conv[8 -> 1, 3, bias] per phase ~ xavier_normal\n"
        "state x : image[1, h, w] = y\nphase (2):\n    x <- x - N(D(x))\noutput x\n"
    ),
    "paddings and activations": (
        "algorithm q\ndims h, w\ninput y : image[2, h, w]\n"
        "learnable A : conv[2 -> 4, 3, padding=circular] ~ xavier_normal\n"
        "learnable B : conv[4 -> 4, 5, bias, padding=reflect, groups=2] >> plf ~ xavier_normal\n"
        "learnable C : conv[4 -> 2, 4, padding=replicate] >> tanh ~ xavier_normal\n"
        "output C(B(A(y))), A(y)\n"
    ),
    "complex images": (
        "algorithm q\ndims h, w\ninput y : complex image[1, h, w]\n"
        "learnable N : conv[1 -> 8, 3, bias] >> relu >> conv[8 -> 1, 3] ~ xavier_normal\n"
        "state x : complex image[1, h, w] = y\nphase (2):\n    x <- x - split(N)(fft2 @ x)\noutput x\n"
    ),
    "a network that wants one batch axis, and a map": (
        f"{IMAGE}fixed N : network image[1, h, w] -> image[1, h, w]\n"
        "fixed A : linear image[1, h, w] -> image[1, h, w]\n"
        "state x : image[1, h, w] = y\nphase (2):\n    x <- x - N(A @ x)\noutput x\n"
    ),
    "outputs that depend on no input": (
        "algorithm q\ndims n\ninput y : vector[n]\nfixed A : matrix[n, n]\nlearnable w : scalar = 2\n"
        "learnable v : vector[n] >= 0 = 1\nstate x : vector[n] = y\nstate t : scalar = 1\nphase (3):\n"
        "    x <- x - y\n    t <- t * w + 1\noutput x, t, v, w, A, 3, n\n"
    ),
    "outputs without phases": (
        "algorithm q\ndims n\ninput y : complex vector[n]\nlearnable w : scalar > 0 = 2\noutput w * y, w, 1 / n\n"
    ),
}  # fmt: skip


class OneBatchAxis(torch.nn.Module):
    """As batch normalisation does: images, and a batch of them."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        assert x.ndim == 4
        return x.tanh() * torch.arange(1, x.shape[-1] + 1)


def batches(net: Any, inputs: list[torch.Tensor]) -> None:
    """Inputs have a batch of 6; as [2, 1, 3], as [2, 3] and one by one they give the same."""
    with torch.no_grad():
        expected = several(net(*inputs))
        for batch in ((2, 1, 3), (2, 3)):
            found = several(net(*(x.unflatten(0, batch) for x in inputs)))
            for a, b in zip(found, expected, strict=True):
                torch.testing.assert_close(a, b.unflatten(0, batch), rtol=1e-11, atol=1e-12)
        for a, b in zip(several(net(*(x[4] for x in inputs))), expected, strict=True):
            torch.testing.assert_close(a, b[4], rtol=1e-11, atol=1e-12)


def six(arrays: Any) -> list[torch.Tensor]:
    """Three samples, and three others."""
    tensors = [torch.as_tensor(np.asarray(array)) for array in arrays]
    return [torch.cat([x, 0.5 * x.flip(0)]) if x.is_floating_point() or x.is_complex()
            else torch.cat([x, x]) for x in tensors]  # fmt: skip


@pytest.mark.parametrize("name", sorted(algorithm_names()))
def test_algorithms(name: str) -> None:
    net, inputs, _ = made(name, 2)
    batches(net, six(inputs))


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("text", CASES.values(), ids=CASES.keys())
def test_programs(text: str, level: int) -> None:
    spec = unroll_dsl.loads(text)
    sizes = {"h": 7, "w": 8} if "dims h" in text else {"n": 5}
    instance = draw(spec.graph, dims=sizes)
    bind = instance.bind | ({"N": OneBatchAxis()} if "fixed N" in text else {})
    net: Any = spec.compile(bind=bind, dims=sizes, seed=0, dtype=torch.float64, optimize=level)
    inputs = six(instance.inputs)
    batches(net, inputs)
    batches(net.freeze(), inputs)
    reference = spec.reference(bind=bind, dims=sizes, init=spec.values(net, bind=bind, dims=sizes))
    for count in range(4):
        shape = ((), (6,), (2, 3), (2, 1, 3))[count]
        given = [x[0] if not count else x.unflatten(0, shape) for x in inputs]
        exact = several(reference(*(x.numpy() for x in given)))
        for a, b in zip(several(net(*given)), exact, strict=True):
            torch.testing.assert_close(
                a.detach(), torch.as_tensor(np.array(b)), rtol=1e-11, atol=1e-12
            )
    # derivatives, by kernels of our own too, and one sample at a time by vmap
    pairs = [x.unflatten(0, (2, 3)) for x in inputs]
    parameters = [p for p in net.parameters() if p.requires_grad]

    def gradients(outputs: Any) -> Any:
        total = torch.stack([o.abs().square().sum() for o in outputs]).sum()
        return torch.autograd.grad(total, parameters) if total.requires_grad else ()

    for a, b in zip(gradients(several(net(*pairs))), gradients(several(net(*inputs))), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-10)
    mapped = several(torch.vmap(net)(*inputs))
    for a, b in zip(mapped, several(net(*inputs)), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-12)


@pytest.mark.slow
def test_an_exported_network_takes_them_too() -> None:
    spec = unroll_dsl.loads(CASES["layers"])
    net: Any = spec.compile(dims={"h": 7, "w": 8}, seed=0)
    y = torch.randn(2, 3, 1, 7, 8)
    exported = torch.export.export(net, (y,)).module()
    torch.testing.assert_close(exported(y), net(y), rtol=1e-4, atol=1e-5)
