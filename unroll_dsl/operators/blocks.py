"""Images cut into square blocks, as a linear map."""

from __future__ import annotations

from typing import Any

from unroll_dsl.operators.image_rules import Operands, Statics, sides_over, whole_factor
from unroll_dsl.operators.lazy import np
from unroll_dsl.operators.model import LinearOperator, Parameter
from unroll_dsl.types import Array, Form

_SIDE = "the side of `blocks`"


def _cut(x: Array, operands: Operands, statics: Statics) -> Array | str:
    side = whole_factor(x, statics, _SIDE)
    if isinstance(side, str):
        return side
    counts = sides_over(x, side)
    if isinstance(counts, str):
        return counts
    return Array((x.shape[0] * side * side, *counts), x.field, Form.IMAGE)


def _joined(x: Array, operands: Operands, statics: Statics) -> Array | str:
    side = whole_factor(x, statics, _SIDE)
    if isinstance(side, str):
        return side
    channels = x.shape[0].over(side * side)
    if channels is None:
        return f"expected an image whose channels are a multiple of {side * side}, found {x}"
    return Array((channels, *(dim * side for dim in x.shape[1:])), x.field, Form.IMAGE)


def _blocks(x: Any, s: int) -> Any:
    c, h, w = x.shape
    tiles = x.reshape(c, h // s, s, w // s, s)
    return tiles.transpose(0, 2, 4, 1, 3).reshape(c * s * s, h // s, w // s)


def _image(y: Any, s: int) -> Any:
    n, p, q = y.shape
    tiles = y.reshape(n // (s * s), s, s, p, q)
    return np.ascontiguousarray(tiles.transpose(0, 3, 1, 4, 2)).reshape(-1, p * s, q * s)


RECORDS = (
    LinearOperator(
        "blocks",
        (Parameter("s", static=True),),
        "The blocks of s x s pixels of an image, side by side: the pixels of each, row by row, become channels, and "
        "image[c, s * p, s * q] becomes image[c * s^2, p, q]. `Phi @ (blocks(s) @ x)` measures each block.",
        complex=False,
        forward=_cut,
        backward=_joined,
        structure=frozenset({"unitary", "permutation"}),
        numpy_forward=_blocks,
        numpy_adjoint=_image,
        torch_forward="nn.functional.pixel_unshuffle(x, s)",
        torch_adjoint="nn.functional.pixel_shuffle(x, s)",
    ),
)
