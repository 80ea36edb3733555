"""Systems under conjugate gradients that are made of a state: their gradients are those of the values that
they had, also once the phase has given the state another one."""

from typing import Any

import pytest
import torch

import unroll_dsl

HEAD = """
algorithm a
dims h, w
input y : image[1, h, w]
fixed K : matrix[3, 3]
learnable a : scalar > 0 = 0.7
let B = blur(K)
state x, z : image[1, h, w] = y
phase (3):
"""
PHASES = {
    "in the line itself": "    x <- a * solve(diag(x) @ B' @ B @ diag(x) + I, y)\n    z <- x\n",
    "in a line below": "    r = solve(diag(x) @ B' @ B @ diag(x) + a * I, z)\n    z <- r + y\n    x <- sin(r)\n",
    "the new value": "    x <- a * x\n    z <- solve(B' @ diag(x)' @ diag(x) @ B + I, y)\n    x <- z - x\n",
    "the old one": "    x <- solve(diag(a * x + prev(z)) @ B' @ B @ diag(prev(z)) + 2 * I, y)\n    z <- 0.5 * x\n",
}


@pytest.mark.parametrize("name", PHASES)
@pytest.mark.parametrize("level", [0, 2])
def test_against_differences(name: str, level: int) -> None:
    spec = unroll_dsl.loads(f"{HEAD}{PHASES[name]}output x + z\n")
    assert "conjugate_gradients(" in spec.source(optimize=level)
    generator = torch.Generator().manual_seed(0)
    K = torch.rand(3, 3, dtype=torch.float64, generator=generator) / 4
    y = torch.randn(2, 1, 3, 4, dtype=torch.float64, generator=generator)
    net: Any = spec.compile(bind={"K": K}, optimize=level)
    y.requires_grad_()
    net(y).square().sum().backward()
    ways = {net.a: torch.ones_like(net.a), y: torch.randn(y.shape, generator=generator).double()}
    for leaf, way in ways.items():
        ends = []
        for step in (1e-6, -1e-6):
            with torch.no_grad():
                leaf += step * way
                ends.append(net(y).square().sum().item())
                leaf -= step * way
        expected = (ends[0] - ends[1]) / 2e-6
        assert (leaf.grad * way).sum().item() == pytest.approx(expected, rel=1e-6)
