"""Test images, and the figures of merit that papers print of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll_dsl.weights.files import ARRAYS, CannotRead, file_and_member, read_arrays

Image = NDArray[Any]  # [height, width], real from 0 to 1, or complex with a modulus up to 1
SUFFIXES = (".png", ".tif", ".tiff", ".bmp", ".jpg", ".jpeg", ".pgm")


class BadImages(ValueError):
    """A folder without images, or an image that cannot be used."""


def image_paths(folder: Path) -> list[Path]:
    """The images of a folder, by name; a file stands for itself, `FILE:NAME` for an array in it."""
    if file_and_member(folder)[0].is_file():
        return [folder]
    if not folder.is_dir():
        raise BadImages(f"there is no folder {folder}")
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in (*SUFFIXES, *ARRAYS))
    if not found:
        raise BadImages(f"{folder} has no images ({', '.join((*SUFFIXES, *ARRAYS))})")
    return found


def read_images(path: Path) -> Iterator[tuple[str, Image]]:
    """Names and images of a file: one of a picture, of arrays each plane [height, width].

    Raises
    ------
    BadImages
        For what cannot be read, for arrays that are no images, and for values that are not finite.
    """
    for name, image in _images(path):
        if not np.isfinite(image).all():
            count = int((~np.isfinite(image)).sum())
            raise BadImages(f"{name}: {count} of {image.size} pixels are not finite")
        yield name, image


def _images(path: Path) -> Iterator[tuple[str, Image]]:
    file, _ = file_and_member(path)
    if file.suffix.lower() in SUFFIXES:
        yield path.name, read_grey(path) / 255
        return
    try:
        arrays = read_arrays(path)
    except CannotRead as error:
        raise BadImages(str(error)) from error
    for name, array in arrays.items():
        if array.ndim not in (2, 3):
            raise BadImages(
                f"{path}: `{name}` {array.shape} is neither an image nor a stack of them"
            )
        stack = array[None] if array.ndim == 2 else array
        base = file.stem if name in ("", file.stem) or len(arrays) == 1 else f"{file.stem}:{name}"
        for place, image in enumerate(stack):
            wide = np.complex128 if np.iscomplexobj(image) else np.float64
            yield base if len(stack) == 1 else f"{base}[{place}]", np.asarray(image, wide)


def read_grey(path: Path) -> NDArray[np.float64]:
    """Luma (ITU-R BT.601) rounded to whole grey levels, 0 to 255; of a grey file the levels themselves."""
    from PIL import Image as Pictures

    try:
        with Pictures.open(path) as picture:
            found = np.asarray(picture.convert("L"), dtype=np.float64)
    except OSError as error:
        raise BadImages(f"{path}: {error}") from error
    return found


def psnr(found: Image, truth: Image) -> float:
    """Peak signal-to-noise ratio of the moduli in dB, peak 1; infinite for equal images."""
    error = float(np.mean((np.abs(found) - np.abs(truth)) ** 2))
    return float("inf") if error == 0 else float(10 * np.log10(1 / error))


def ssim(found: Image, truth: Image) -> float:
    """Structural similarity of the moduli (Wang et al., 2004), windows of 7 x 7, by scikit-image."""
    from skimage.metrics import structural_similarity

    if min(truth.shape) < 7:
        return float("nan")
    value: Any = structural_similarity(  # type: ignore[no-untyped-call]
        np.abs(found), np.abs(truth), data_range=1
    )
    return float(value)


def nmse(found: Image, truth: Image) -> float:
    """The norm of the error over the norm of the truth, as the papers on ADMM-Net define it."""
    return float(np.linalg.norm(found - truth) / np.linalg.norm(truth))


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
