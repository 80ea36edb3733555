"""Images in files: pictures and arrays, one or a stack of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unroll_dsl.data.errors import BadImages
from unroll_dsl.files import ARRAYS, PICTURES, CannotRead, file_and_member
from unroll_dsl.files.arrays import listed, read_arrays
from unroll_dsl.files.pictures import luma, read_pictures

Image = NDArray[Any]  # [height, width], real from 0 to 1, or complex with a modulus up to 1
Stored = NDArray[Any]  # [channels, height, width] as a file has it: levels, or numbers
Colour = Literal["luma", "rgb"]
LARGE = 64 * 2**20  # bytes of a .npy file from which on it is mapped into memory


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
        if path.suffix.lower() in (*PICTURES, *ARRAYS)
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )
    if not found:
        raise BadImages(f"{folder} has no images ({', '.join((*PICTURES, *ARRAYS))})")
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


def read_stored(
    path: Path, colour: Colour = "luma", *, checked: bool = False
) -> list[tuple[str, Stored]]:
    """Names and images of a file, [channels, height, width], in the precision of the file.

    A large .npy file is not read but mapped into memory. `checked`: it has been read before, and its
    pixels were finite. See `scaled`.

    Raises
    ------
    BadImages
        As `read_images`.
    """
    try:
        found = (
            _pictures(path, colour) if path.suffix.lower() in PICTURES else _planes(path, colour)
        )
    except CannotRead as error:
        raise BadImages(error.message, error.mend) from error
    for name, stored in () if checked else found:
        if stored.dtype.kind in "fc" and not np.isfinite(stored).all():
            count = int((~np.isfinite(stored)).sum())
            raise BadImages(f"{path}: {count} of {stored.size} pixels of {name} are not finite")
    return found


def levels_of(stored: Stored) -> int | None:
    """The highest level of pixels of 8 or 16 bits in any byte order; None of numbers of other types."""
    dtype = stored.dtype
    return 2 ** (8 * dtype.itemsize) - 1 if dtype.kind == "u" and dtype.itemsize <= 2 else None


def scaled(stored: Stored) -> NDArray[Any]:
    """Levels of 8 and 16 bits as numbers from 0 to 1; other numbers as they are. Precise to 64 bits."""
    highest = levels_of(stored)
    if highest is not None:
        return stored / np.float64(highest)
    if np.iscomplexobj(stored):
        return stored.astype(np.complex128)
    return stored.astype(np.float64)


def _pictures(path: Path, colour: Colour) -> list[tuple[str, Stored]]:
    pages = read_pictures(path)
    names = [path.name] if len(pages) == 1 else [f"{path.name}[{k}]" for k in range(len(pages))]
    return [(name, coloured(page, colour)) for name, page in zip(names, pages, strict=True)]


def coloured(image: Stored, colour: Colour) -> Stored:
    """An image of one channel or of three as luma, or as three channels."""
    if colour == "luma":
        return luma(image)
    return image if len(image) == 3 else np.repeat(image, 3, axis=0)


def _planes(path: Path, colour: Colour) -> list[tuple[str, Stored]]:
    file, _ = file_and_member(path)
    found = []
    arrays = read_arrays(path, map_above=LARGE)
    if len(arrays) > 1 and _asks(file, arrays):
        raise BadImages(
            f"{file} holds {listed(arrays)}: which is the image?",
            f"choose: `{file}:{next(iter(arrays))}`",
        )
    for name, array in arrays.items():
        stack = _stack(array)
        if stack is None:
            raise BadImages(
                f"{path}: `{name}` {array.shape} is neither an image nor a stack of them",
                "images are [height, width], [height, width, 3], or stacks of these along a first axis",
            )
        base = file.stem if name in ("", file.stem) or len(arrays) == 1 else f"{file.stem}:{name}"
        for place, image in enumerate(stack):
            each = base if len(stack) == 1 else f"{base}[{place}]"
            found.append((each, coloured(image, colour)))
    return found


def _asks(file: Path, arrays: Mapping[str, NDArray[Any]]) -> bool:
    """Whether a file of several arrays is probably no collection of images: a workspace, or a picture beside its
    transform."""
    if file.suffix.lower() in (".mat", ".h5", ".hdf5"):
        return True
    return len({a.shape for a in arrays.values()}) < len({(a.shape, a.dtype.kind == "c") for a in arrays.values()})  # fmt: skip


def _stack(array: NDArray[Any]) -> NDArray[Any] | None:
    """The images of an array, [count, channels, height, width]; None if it holds none.

    Three numbers a pixel along the last axis are colours, four of whole levels colours with alpha. A first axis
    of three is a stack of three images: nothing tells it from channels.
    """
    if 0 in array.shape or array.ndim not in (2, 3, 4):
        return None
    colours = array.ndim > 2 and _colours(array)
    if colours:
        array = np.moveaxis(array[..., :3], -1, -3)
    if array.ndim == 4:
        return array if array.shape[1] in (1, 3) else None
    if colours or array.ndim == 2:
        return array[None] if colours else array[None, None]
    return array[:, None]


def _colours(array: NDArray[Any]) -> bool:
    height, width, channels = array.shape[-3:]
    levels = array.dtype.kind == "u"
    enough = min(height, width) > channels
    return enough and array.dtype.kind != "c" and (channels == 3 or (channels == 4 and levels))


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
