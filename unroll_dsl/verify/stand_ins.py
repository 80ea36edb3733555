"""Functions in place of the networks that a program binds: smooth, and of the declared spaces."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from unroll_dsl.types import Array, Bound, Field, Layer


class StandIn(nn.Module):
    """x -> f(M x) on flattened arrays, with a random matrix M and f(z) = z / sqrt(1 + |z|^2)."""

    matrix: Tensor

    def __init__(self, domain: tuple[int, ...], codomain: tuple[int, ...], real: bool) -> None:
        super().__init__()
        self.domain, self.codomain, self.real = domain, codomain, real
        shape = math.prod(codomain), math.prod(domain)
        generator = torch.Generator().manual_seed(0)
        matrix = torch.randn(shape, generator=generator, dtype=torch.float64)
        self.register_buffer("matrix", matrix / math.sqrt(shape[1]))

    def forward(self, x: Tensor) -> Tensor:
        z = x.flatten(x.ndim - len(self.domain)) if self.domain else x[..., None]
        z = z @ self.matrix.to(z).mT
        z = z / (1 + z.abs().square()).sqrt()
        z = z.reshape(*z.shape[:-1], *self.codomain)
        return z.real if self.real else z + 0j


def stand_in(layer: Layer, sizes: Mapping[str, int]) -> Any:
    """A function for a bound network; None for what is no network alone."""
    step = layer.steps[0]
    if not isinstance(step, Bound) or len(layer.steps) > 1:
        return None
    if step.domain == step.codomain:
        return nn.Tanh()
    return StandIn(
        _shape(step.domain, sizes),
        _shape(step.codomain, sizes),
        step.codomain.field is not Field.COMPLEX,
    )


def _shape(space: Array, sizes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(dim.substitute(sizes).value or 0 for dim in space.shape)
