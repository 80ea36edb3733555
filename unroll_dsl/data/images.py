"""Images in files: pictures and arrays, one or a stack of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unroll_dsl.data.errors import BadImages, MissingExtra
from unroll_dsl.weights.files import ARRAYS, CannotRead, file_and_member, read_arrays

Image = NDArray[Any]  # [height, width], real from 0 to 1, or complex with a modulus up to 1
Stored = NDArray[Any]  # [channels, height, width] as a file has it: levels, or numbers
Colour = Literal["luma", "rgb"]
SUFFIXES = (".png", ".tif", ".tiff", ".bmp", ".jpg", ".jpeg", ".pgm")
_DEEP = ("I", "I;16", "I;16L", "I;16B", "I;16N")  # how Pillow calls pictures of 16 bits


def image_paths(folder: Path) -> list[Path]:
    """The images of a folder and the folders in it, in order; a file stands for itself, and
    `FILE:NAME` for an array in it."""
    if file_and_member(folder)[0].is_file():
        return [folder]
    if not folder.is_dir():
        raise BadImages(f"there is no folder {folder}")
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in (*SUFFIXES, *ARRAYS)
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )
    if not found:
        raise BadImages(f"{folder} has no images ({', '.join((*SUFFIXES, *ARRAYS))})")
    return found


def read_images(path: Path) -> Iterator[tuple[str, Image]]:
    """Names and images of a file in double precision, [height, width]: luma of a picture, of arrays
    each plane.

    Raises
    ------
    BadImages
        For what cannot be read, for arrays that are no images, and for values that are not finite.
    """
    for name, stored in read_stored(path):
        image = scaled(stored[0])
        yield name, image.astype(np.complex128 if np.iscomplexobj(image) else np.float64)


def read_stored(path: Path, colour: Colour = "luma") -> list[tuple[str, Stored]]:
    """Names and images of a file, [channels, height, width], in the precision of the file.

    A stack in a .npy file is not read but mapped into memory. See `scaled`.

    Raises
    ------
    BadImages
        As `read_images`.
    """
    file, _ = file_and_member(path)
    if file.suffix.lower() in SUFFIXES:
        found = [(path.name, read_picture(path, colour))]
    else:
        found = _planes(path, colour)
    for name, stored in found:
        if stored.dtype.kind in "fc" and not np.isfinite(stored).all():
            count = int((~np.isfinite(stored)).sum())
            raise BadImages(f"{path}: {count} of {stored.size} pixels of {name} are not finite")
    return found


def scaled(stored: Stored) -> NDArray[Any]:
    """Levels of 8 and 16 bits as numbers from 0 to 1; other numbers as they are. Precise to 64 bits."""
    if stored.dtype in (np.uint8, np.uint16):
        return stored / np.float64(np.iinfo(stored.dtype).max)
    if np.iscomplexobj(stored):
        return stored.astype(np.complex128)
    return stored.astype(np.float64)


def read_picture(path: Path, colour: Colour = "luma") -> Stored:
    """The levels of a picture, [1, height, width] of luma or [3, height, width] of "rgb".

    Luma is that of ITU-R BT.601, rounded to whole levels; of a grey file the levels themselves. Palettes are
    expanded. Levels have 8 bits, or 16 where the file has; files of floats keep them.

    Raises
    ------
    BadImages
        With the path and the reason.
    """
    try:
        from PIL import Image as Pictures
    except ImportError as error:
        raise MissingExtra("Pillow", "reproduce") from error

    try:
        with Pictures.open(path) as picture:
            if picture.mode in _DEEP or picture.mode == "F":
                levels = np.asarray(picture)
                if picture.mode in _DEEP:
                    levels = _sixteen_bits(levels)
                return np.repeat(levels[None], 3 if colour == "rgb" else 1, axis=0)
            # Pillow warns of the direct way from a palette with transparency
            opaque: Pictures.Image = picture
            if picture.mode == "P" and "transparency" in picture.info:
                opaque = picture.convert("RGBA")
            levels = np.asarray(opaque.convert("L" if colour == "luma" else "RGB"))
    except MemoryError:
        raise
    except Exception as error:  # decoders of broken files raise anything
        raise BadImages(f"{path}: {error or type(error).__name__}") from error
    return levels[None] if levels.ndim == 2 else np.ascontiguousarray(np.moveaxis(levels, 2, 0))


def _sixteen_bits(levels: NDArray[Any]) -> NDArray[np.uint16]:
    if levels.min() < 0 or levels.max() > 65535:
        raise ValueError(f"levels from {levels.min()} to {levels.max()}: more than 16 bits")
    return levels.astype(np.uint16)


def _planes(path: Path, colour: Colour) -> list[tuple[str, Stored]]:
    file, _ = file_and_member(path)
    try:
        arrays = _mapped(file) if file.suffix.lower() == ".npy" else read_arrays(path)
    except CannotRead as error:
        raise BadImages(str(error)) from error
    found = []
    for name, array in arrays.items():
        if array.ndim not in (2, 3) or 0 in array.shape or array.dtype.kind not in "biufc":
            raise BadImages(
                f"{path}: `{name}` {array.shape} is neither an image nor a stack of them"
            )
        stack = array[None] if array.ndim == 2 else array
        base = file.stem if name in ("", file.stem) or len(arrays) == 1 else f"{file.stem}:{name}"
        for place, image in enumerate(stack):
            planes = image[None] if colour == "luma" else np.repeat(image[None], 3, axis=0)
            found.append((base if len(stack) == 1 else f"{base}[{place}]", planes))
    return found


def _mapped(path: Path) -> dict[str, NDArray[Any]]:
    try:
        return {path.stem: np.load(path, mmap_mode="r", allow_pickle=False)}
    except FileNotFoundError as error:
        raise CannotRead(f"{path}: there is no such file") from error
    except (OSError, ValueError, EOFError) as error:
        raise CannotRead(f"{path}: {error}") from error


def cut(image: Image, side: int) -> tuple[Image, tuple[int, int]]:
    """Blocks [count, side, side], from left to right, then from top to bottom; and how many down and
    across. The image is padded with zeros below and on the right, by a whole block if it fits."""
    rows, columns = (side - size % side for size in image.shape)
    padded = np.pad(image, ((0, rows), (0, columns)))
    down, across = padded.shape[0] // side, padded.shape[1] // side
    blocks = padded.reshape(down, side, across, side).swapaxes(1, 2)
    return blocks.reshape(-1, side, side), (down, across)


def join(blocks: Image, grid: tuple[int, int], shape: Sequence[int]) -> Image:
    """The image of `shape` that `cut` has cut."""
    down, across = grid
    side = blocks.shape[-1]
    whole = blocks.reshape(down, across, side, side).swapaxes(1, 2)
    return whole.reshape(down * side, across * side)[: shape[0], : shape[1]]
