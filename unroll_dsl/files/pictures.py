"""Pictures from files: all pages, in their own depth, the right way up.

Pillow reads what has 8 bits, tifffile TIFF files of any numbers, imagecodecs colours of 16 bits in PNG files,
which Pillow reduces to 8.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unroll_dsl.files.errors import CannotRead, MissingExtra
from unroll_dsl.files.formats import check_there

if TYPE_CHECKING:
    from PIL import Image as Pictures

Levels = NDArray[Any]  # [1 or 3, height, width]
_DEEP = ("I", "I;16", "I;16L", "I;16B", "I;16N")  # how Pillow calls grey of 16 bits
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_WHOLE = (299, 587, 114)
_PILLOW = (19595, 38470, 7471)  # in 1/65536
_PLAIN = ("MINISBLACK", "MINISWHITE", "RGB")  # what TIFF calls grey and colours
_ORIENTATION = 274  # the tag of EXIF and TIFF


def read_pictures(path: Path) -> list[Levels]:
    """The pictures of a file, [1, height, width] if they are grey, else [3, height, width] in the order red,
    green, blue.

    Levels are uint8 or uint16 as the file has them; other numbers (signed, 32 bits, floats) are as they are.
    All pages of a TIFF file are read. Palettes and CMYK are made RGB, black and white becomes 0 and 255, an alpha
    channel is left out, and the orientation that a camera notes is applied.

    Raises
    ------
    CannotRead
        With the path and the reason.
    """
    check_there(path)
    try:
        if path.suffix.lower() in (".tif", ".tiff"):
            return _tiff(path)
        deep = _deep_colours(path)
        return [deep] if deep is not None else _by_pillow(path)
    except (CannotRead, ImportError, MemoryError):
        raise
    except Exception as error:  # decoders of broken files raise anything
        raise CannotRead(f"{path}: {error or type(error).__name__}") from error


def luma(levels: Levels) -> Levels:
    """[1, height, width]: what ITU-R BT.601 calls luma, 0.299 R + 0.587 G + 0.114 B; whole levels stay whole.

    Of 8 bits it is what Pillow and, but for rounding, MATLAB's `rgb2gray` give.
    """
    if len(levels) == 1:
        return levels
    if levels.dtype.kind == "u" and levels.dtype.itemsize <= 2:
        # of 8 bits by the weights of Pillow, which the figures of papers were made with
        weights, unit = (_PILLOW, 65536) if levels.dtype.itemsize == 1 else (_WHOLE, 1000)
        whole = np.tensordot(np.array(weights, np.int64), levels.astype(np.int64), 1)
        return np.asarray((whole + unit // 2) // unit, levels.dtype)[None]
    return np.tensordot(np.array(_LUMA), levels.astype(np.float64), 1)[None]


# ---- Pillow --------------------------------------------------------------------------------------


def _by_pillow(path: Path) -> list[Levels]:
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise MissingExtra("Pillow", "files") from error
    with Image.open(path) as picture:
        pages = getattr(picture, "n_frames", 1) if picture.format == "TIFF" else 1
        found = []
        for page in range(pages):
            if pages > 1:
                picture.seek(page)
            found.append(_levels(ImageOps.exif_transpose(picture)))
    return found


def _levels(picture: Pictures.Image) -> Levels:
    if picture.mode == "F":
        return np.asarray(picture)[None]
    if picture.mode in _DEEP:
        levels = np.asarray(picture)
        if levels.min() < 0 or levels.max() > 65535:
            raise ValueError(f"levels from {levels.min()} to {levels.max()}: more than 16 bits")
        return levels.astype(np.uint16)[None]
    # Pillow warns of the direct way from a palette with transparency
    if picture.mode in ("P", "PA"):
        picture = picture.convert("RGBA")
    grey = picture.mode in ("1", "L", "LA", "La")
    levels = np.asarray(picture.convert("L" if grey else "RGB"))
    return levels[None] if grey else np.ascontiguousarray(np.moveaxis(levels, 2, 0))


def _deep_colours(path: Path) -> Levels | None:
    """A PNG file of more than one channel in 16 bits; None of any other file."""
    with path.open("rb") as stream:
        start = stream.read(26)
    if len(start) < 26 or start[:8] != b"\x89PNG\r\n\x1a\n" or start[24] != 16 or start[25] == 0:
        return None
    levels = _codecs(path).png_decode(path.read_bytes())
    channels = 1 if levels.shape[2] < 3 else 3  # without alpha
    return np.ascontiguousarray(np.moveaxis(levels[..., :channels], 2, 0))


def _codecs(path: Path) -> Any:
    try:
        import imagecodecs
    except ImportError as error:
        raise CannotRead(
            f"{path} has colours of 16 bits", "reading them needs `pip install imagecodecs`"
        ) from error
    return imagecodecs


# ---- TIFF ----------------------------------------------------------------------------------------


def _tiff(path: Path) -> list[Levels]:
    try:
        import tifffile
    except ImportError as error:
        raise MissingExtra("tifffile", "files") from error
    with tifffile.TiffFile(path) as file:
        first = file.pages.first
        eight = first.bitspersample == 8 and first.sampleformat == 1
        if first.bitspersample == 1 or (eight and _kind(first) not in _PLAIN):
            if _turn(first) > 4:  # Pillow 13 mixes up the sides of these
                raise CannotRead(
                    f"{path}: {_kind(first).lower()} that is to be turned", "save it upright"
                )
            return _by_pillow(path)
        return [levels for series in file.series for levels in _series(path, series)]


def _series(path: Path, series: Any) -> list[Levels]:
    """The pictures of pages of one size."""
    page = series.keyframe
    kind = _kind(page)
    if kind not in _PLAIN:
        raise CannotRead(
            f"{path}: {page.bitspersample} bits of {kind.lower()}", "save it as grey or RGB"
        )
    array = np.asarray(series.asarray())
    if array.dtype.kind == "u" and page.bitspersample not in (8, 16, 32, 64):
        array = array / np.float64(2**page.bitspersample - 1)  # 12 bits, say, as the file counts
    if kind == "MINISWHITE":
        if array.dtype.kind != "u":
            raise CannotRead(f"{path}: {array.dtype} with white at 0", "save it with black at 0")
        array = np.iinfo(array.dtype).max - array
    axes = series.axes
    last = [axes.index(name) for name in "YX"]
    colour = axes.index("S") if "S" in axes else None
    front = [place for place in range(array.ndim) if place not in (*last, colour)]
    order = front + ([colour] if colour is not None else []) + last
    array = np.transpose(array, order)
    channels = array.shape[len(front)] if colour is not None else 1
    stack = array.reshape(math.prod(array.shape[: len(front)]), channels, *array.shape[-2:])
    kept = 3 if kind == "RGB" else 1
    turn = _turn(page)
    return [np.ascontiguousarray(_upright(levels[:kept], turn)) for levels in stack]


def _kind(page: Any) -> str:
    return str(getattr(page.photometric, "name", page.photometric))


def _turn(page: Any) -> int:
    tag = page.tags.get(_ORIENTATION)
    return int(tag.value) if tag is not None else 1


def _upright(levels: Levels, orientation: int) -> Levels:
    """As it is to be seen: 1 to 8 say where the first row and the first column lie."""
    if orientation in (5, 6, 7, 8):
        levels = levels.swapaxes(1, 2)
    if orientation in (3, 4, 7, 8):
        levels = levels[:, ::-1]
    if orientation in (2, 3, 6, 7):
        levels = levels[:, :, ::-1]
    return levels
