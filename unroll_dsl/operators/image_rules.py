"""Shape rules that operators on images share; an image is [channels, height, width]."""

from __future__ import annotations

from unroll_dsl.operators.model import Static
from unroll_dsl.types import Array, Dim, Form, Type

Operands = tuple[Type, ...]
Statics = dict[str, Static]


def not_an_image(x: Array) -> str | None:
    """Why `x` is no image, or None."""
    return None if x.rank == 3 else f"expected an image, found {x}"


def same_planes(x: Array, operands: Operands, statics: Statics) -> Array | str:
    """The rule of an operator that acts on the last two axes and keeps the shape."""
    return x if x.rank >= 2 else f"expected an image, found {x}"


def with_channels(channels: Dim, x: Array) -> Array:
    return Array((channels, *x.shape[1:]), x.field, Form.IMAGE)
