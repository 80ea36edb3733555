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


def whole_factor(x: Array, statics: Statics, what: str) -> Dim | str:
    """The static `s` by which the sides of an image are divided or multiplied, or why there is none; `what` is said
    of it: "the side of `blocks`"."""
    if (reason := not_an_image(x)) is not None:
        return reason
    factor = statics["s"]
    if isinstance(factor, Dim) and len(factor.terms) == 1:
        return factor
    if not isinstance(factor, int) or factor < 1:
        return f"{what} is a whole number of at least 1, or a product of sizes"
    return Dim.of(factor)


def sides_over(x: Array, factor: Dim) -> tuple[Dim, ...] | str:
    """Height and width of an image divided by a factor, or why they cannot be."""
    sides = tuple(side for dim in x.shape[1:] if (side := dim.over(factor)) is not None)
    if len(sides) < 2:
        return f"expected an image whose height and width are multiples of {factor}, found {x}"
    return sides


def with_channels(channels: Dim, x: Array) -> Array:
    return Array((channels, *x.shape[1:]), x.field, Form.IMAGE)
