"""Arrays as PNG pictures that a page carries inside itself."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[Any]

_SIDE = 256  # pixels that a picture is enlarged to, by a whole factor
_TILE = 24  # and a filter,
_LARGE = 48  # or one of more than 7 pixels across
_GAP = 8  # between filters


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture with its caption; `data` is a data URI, `width` in pixels."""

    data: str
    caption: str
    width: int
    height: int
    alt: str = ""


def grey(image: Pixels, caption: str, *, top: float, bottom: float = 0.0) -> Picture:
    """An image [height, width] in shades of grey from `bottom` to `top`; of complex ones the modulus."""
    scaled = (_modulus(image) - bottom) / max(top - bottom, 1e-12)
    levels = np.round(255 * np.clip(np.nan_to_num(scaled), 0, 1)).astype(np.uint8)
    return _picture(_enlarged(levels, _SIDE), caption)


def heat(image: Pixels, caption: str, *, top: float) -> Picture:
    """The size of an error [height, width], dark where there is none."""
    from matplotlib import colormaps

    scaled = np.clip(np.nan_to_num(_modulus(image)) / max(top, 1e-12), 0, 1)
    colours = np.round(255 * colormaps["magma"](scaled)).astype(np.uint8)
    return _picture(_enlarged(colours, _SIDE), caption)


def mosaic(filters: Sequence[Pixels], caption: str, *, columns: int) -> Picture:
    """Filters [a, b] side by side, row by row: blue negative, white 0, red positive.

    Each is drawn to its own scale, since a filter's shape is looked for, not its size.
    """
    from matplotlib import colormaps

    rows = -(-len(filters) // columns)
    a, b = filters[0].shape
    side = max(a, b)
    factor = max(1, (_LARGE if side > 7 else _TILE) // side)
    gap = _GAP
    high, wide = a * factor + gap, b * factor + gap
    sheet = np.zeros((rows * high - gap, columns * wide - gap, 4), np.uint8)
    for place, kernel in enumerate(filters):
        real = np.real(np.nan_to_num(kernel))
        scaled = 0.5 + 0.5 * real / max(float(np.abs(real).max()), 1e-30)
        tile = np.round(255 * colormaps["RdBu_r"](scaled)).astype(np.uint8)
        tile = tile.repeat(factor, 0).repeat(factor, 1)
        row, column = divmod(place, columns)
        sheet[row * high : row * high + a * factor, column * wide : column * wide + b * factor] = (
            tile
        )
    return _picture(sheet, caption)


def _modulus(image: Pixels) -> Pixels:
    return np.abs(image) if np.iscomplexobj(image) else np.asarray(image, np.float64)


def _enlarged(levels: Pixels, side: int) -> Pixels:
    factor = max(1, side // max(levels.shape[:2]))
    return levels.repeat(factor, 0).repeat(factor, 1)


def _picture(levels: Pixels, caption: str) -> Picture:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(levels).save(stream, format="PNG", optimize=True)
    data = "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()
    return Picture(data, caption, levels.shape[1], levels.shape[0], caption)
