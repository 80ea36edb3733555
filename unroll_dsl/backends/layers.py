"""The tensors that a layer consists of, under the names that `nn.Module.state_dict` gives them.

A chain of steps is an `nn.Sequential`: its tensors are called `0.weight`, `2.weight` and so on; those
of a single convolution `weight` and `bias`.
"""

from __future__ import annotations

from dataclasses import dataclass

from unroll_dsl.types import Conv, Dim, Layer


@dataclass(frozen=True, slots=True)
class Piece:
    """One tensor of a layer. `drawn` tells whether random initialisation draws it; else it is 0."""

    name: str
    shape: tuple[Dim, ...]
    drawn: bool


def pieces(layer: Layer) -> tuple[Piece, ...]:
    """All tensors of a layer, in the order of its `state_dict`."""
    found: list[Piece] = []
    for place, step in enumerate(layer.steps):
        if not isinstance(step, Conv):
            continue
        prefix = f"{place}." if len(layer.steps) > 1 else ""
        side = Dim.of(step.size)
        found.append(
            Piece(f"{prefix}weight", (step.channels_out, _per_group(step), side, side), True)
        )
        if step.bias:
            found.append(Piece(f"{prefix}bias", (step.channels_out,), False))
    return tuple(found)


def _per_group(step: Conv) -> Dim:
    terms = tuple((monomial, c // step.groups) for monomial, c in step.channels_in.terms)
    return Dim(terms)
