"""Images as grey levels, and the figures of merit that papers print of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float64]  # [height, width], from 0 to 255
SUFFIXES = (".png", ".tif", ".tiff", ".bmp", ".jpg", ".jpeg", ".pgm")


class BadImages(ValueError):
    """A folder without images, or an image that cannot be used."""


def image_paths(folder: Path) -> list[Path]:
    """The images of a folder, by name; an image is a folder of itself."""
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise BadImages(f"there is no folder {folder}")
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
    if not found:
        raise BadImages(f"{folder} has no images ({', '.join(SUFFIXES)})")
    return found


def read_grey(path: Path) -> Grey:
    """Luma (ITU-R BT.601) rounded to whole grey levels; of a grey file the levels themselves."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            found = np.asarray(picture.convert("L"), dtype=np.float64)
    except OSError as error:
        raise BadImages(f"{path}: {error}") from error
    return found


def psnr(found: Grey, truth: Grey) -> float:
    """Peak signal-to-noise ratio in dB, peak 255; infinite for equal images."""
    error = float(np.sqrt(np.mean((found - truth) ** 2)))
    return float("inf") if error == 0 else float(20 * np.log10(255 / error))


def ssim(found: Grey, truth: Grey) -> float:
    """Structural similarity (Wang et al., 2004), windows of 7 x 7, by scikit-image."""
    from skimage.metrics import structural_similarity

    value: Any = structural_similarity(found, truth, data_range=255)  # type: ignore[no-untyped-call]
    return float(value)


def cut(image: Grey, side: int) -> tuple[Grey, tuple[int, int]]:
    """Blocks [count, side, side], from left to right, then from top to bottom; and how many down and
    across. The image is padded with zeros below and on the right, by a whole block if it fits."""
    rows, columns = (side - size % side for size in image.shape)
    padded = np.pad(image, ((0, rows), (0, columns)))
    down, across = padded.shape[0] // side, padded.shape[1] // side
    blocks = padded.reshape(down, side, across, side).swapaxes(1, 2)
    return blocks.reshape(-1, side, side), (down, across)


def join(blocks: Grey, grid: tuple[int, int], shape: Sequence[int]) -> Grey:
    """The image of `shape` that `cut` has cut."""
    down, across = grid
    side = blocks.shape[-1]
    whole = blocks.reshape(down, across, side, side).swapaxes(1, 2)
    return whole.reshape(down * side, across * side)[: shape[0], : shape[1]]
