"""Functions in place of the networks that a program binds: smooth, and of the declared spaces."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from unroll_dsl.types import Array, Field, Layer


class StandIn(nn.Module):
    """x -> f(M x) on flattened arguments, with a random matrix M and f(z) = z / sqrt(1 + |z|^2)."""

    matrix: Tensor

    def __init__(
        self,
        domains: Sequence[tuple[int, ...]],
        codomain: tuple[int, ...],
        real: bool,
        learns: bool,
    ) -> None:
        super().__init__()
        self.domains, self.codomain, self.real = domains, codomain, real
        shape = math.prod(codomain), sum(map(math.prod, domains))
        generator = torch.Generator().manual_seed(0)
        matrix = torch.randn(shape, generator=generator, dtype=torch.float64)
        matrix = matrix / math.sqrt(shape[1])
        if learns:
            self.matrix = nn.Parameter(matrix)
        else:
            self.register_buffer("matrix", matrix)

    def forward(self, *arguments: Tensor) -> Tensor:
        flat = [
            v.flatten(v.ndim - len(domain)) if domain else v[..., None]
            for v, domain in zip(arguments, self.domains, strict=True)
        ]
        z = torch.cat(flat, -1)
        z = z @ self.matrix.to(z).mT
        z = z / (1 + z.abs().square()).sqrt()
        z = z.reshape(*z.shape[:-1], *self.codomain)
        return z.real if self.real else z + 0j


def stand_in(layer: Layer, sizes: Mapping[str, int], *, learns: bool = False) -> Any:
    """A function for a bound network; None for what is no network alone."""
    step = layer.from_outside
    if step is None:
        return None
    if step.domains == (step.codomain,) and not learns:
        return nn.Tanh()
    return StandIn(
        [_shape(domain, sizes) for domain in step.domains],
        _shape(step.codomain, sizes),
        step.codomain.field is not Field.COMPLEX,
        learns,
    )


def _shape(space: Array, sizes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(dim.substitute(sizes).value or 0 for dim in space.shape)
