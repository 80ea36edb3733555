"""A collection of images: found readable once, kept in memory within a budget, read again beyond it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll_dsl.data.errors import BadImages
from unroll_dsl.data.images import Colour, Stored, levels_of, read_stored

SCALES = (1.0, 0.9, 0.8, 0.7)  # of the augmentation "scale", as in the training of DnCNN


@dataclass(frozen=True, slots=True)
class Plane:
    """One image at one scale. `path` is None where it only lies in memory."""

    name: str
    path: Path | None
    place: int  # among the images of its file
    scale: float
    shape: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Pictures:
    """Images [channels, height, width], in the order of their files.

    What `cache` lacks is read again when it is asked for.
    """

    planes: tuple[Plane, ...]
    cache: tuple[Stored | None, ...]
    colour: Colour
    problems: tuple[str, ...] = ()

    def stored(self, which: Iterable[int]) -> dict[int, Stored]:
        """Some of the images; each file that must be read again is read once.

        Raises
        ------
        BadImages
            For a file that cannot be read any more.
        """
        found: dict[int, Stored] = {}
        again: dict[Path, list[int]] = {}
        for index in which:
            kept, path = self.cache[index], self.planes[index].path
            if kept is not None:
                found[index] = kept
            elif path is not None:
                again.setdefault(path, []).append(index)
        for path, indices in again.items():
            images = read_stored(path, self.colour, checked=True)
            for index in indices:
                plane = self.planes[index]
                image = _resized(_compact(images[plane.place][1]), plane.scale)
                if image.shape[1:] != plane.shape:
                    raise BadImages(f"{path}: has changed since it was first read")
                found[index] = image
        return found

    def some(self, which: Sequence[int]) -> Pictures:
        """A collection of some of them, which share their memory."""
        planes = tuple(self.planes[i] for i in which)
        return Pictures(planes, tuple(self.cache[i] for i in which), self.colour, self.problems)


def open_pictures(
    paths: Sequence[Path],
    *,
    colour: Colour = "luma",
    scales: Sequence[float] = (1.0,),
    least: tuple[int, int] = (1, 1),
    real: bool = False,
    budget: float = 2 * 2**30,
) -> Pictures:
    """Read images; those that cannot be used are left out and told of in `problems`.

    Parameters
    ----------
    paths
        Files. If there is one alone, what is wrong with it is an error.
    scales
        Each image is there at each of these; a smaller one that falls below `least` is not.
    least
        Height and width that an image must have.
    real
        Complex images cannot be used.
    budget
        Bytes of pixels that are kept in memory; files beyond it are read again as needed. Of large .npy files
        only the pixels that are asked for are ever read again.

    Raises
    ------
    BadImages
        If no image is left, with the first reasons.
    """
    found = _Collected(scales, least, real, budget)
    for path, images in zip(paths, _read_all(paths, colour), strict=True):
        if isinstance(images, BadImages):
            found.problems.append(images.message)
        else:
            found.add(path, images)
    return found.pictures(colour, alone=len(paths) == 1)


def pictures_of(
    images: Sequence[tuple[str, NDArray[Any]]],
    *,
    colour: Colour = "luma",
    scales: Sequence[float] = (1.0,),
    least: tuple[int, int] = (1, 1),
) -> Pictures:
    """A collection of named images in memory, [channels, height, width]; else as `open_pictures`."""
    found = _Collected(scales, least, False, math.inf)
    for image in images:
        found.add(None, [image])
    return found.pictures(colour, alone=False)


@dataclass
class _Collected:
    """A collection as it grows."""

    scales: Sequence[float]
    least: tuple[int, int]
    real: bool
    budget: float
    planes: list[Plane] = field(default_factory=list)
    cache: list[Stored | None] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    used: int = 0

    def add(self, path: Path | None, images: Sequence[tuple[str, Stored]]) -> None:
        for place, (name, raw) in enumerate(images):
            reason = _unfit(raw, self.least, self.real)
            if reason:
                where = name if path is None else f"{path}"
                within = "" if len(images) == 1 else f" {name}:"
                self.problems.append(f"{where}:{within} {reason}")
                continue
            for scale in self.scales:
                image = _resized(_compact(raw), scale)
                if scale == 1 or not _small(image, self.least):
                    size = (image.shape[1], image.shape[2])
                    self.planes.append(Plane(name, path, place, scale, size))
                    self.cache.append(image if self._affords(image) else None)

    def _affords(self, image: Stored) -> bool:
        # what is mapped costs no memory, and kept it would cost an open file
        if _mapped(image) or self.used + image.nbytes > self.budget:
            return False
        self.used += image.nbytes
        return True

    def pictures(self, colour: Colour, *, alone: bool) -> Pictures:
        if not self.planes:
            more = f" (and {len(self.problems) - 3} more)" if len(self.problems) > 3 else ""
            lines = "; ".join(self.problems[:3])
            raise BadImages(lines if alone else f"no image can be used: {lines}{more}")
        return Pictures(tuple(self.planes), tuple(self.cache), colour, tuple(self.problems))


def _read_all(
    paths: Sequence[Path], colour: Colour
) -> Iterable[list[tuple[str, Stored]] | BadImages]:
    """What is in each file, in order, or why it cannot be read. Decoders run beside each other."""

    def one(path: Path) -> list[tuple[str, Stored]] | BadImages:
        try:
            return read_stored(path, colour)
        except BadImages as error:
            return error

    workers = min(8, os.cpu_count() or 1)
    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(paths), 8 * workers):  # never many more decoded than are kept
            yield from pool.map(one, paths[start : start + 8 * workers])


def _unfit(image: Stored, least: tuple[int, int], real: bool) -> str:
    if real and np.iscomplexobj(image):
        return "complex, and the program takes real images"
    if _small(image, least):
        height, width = image.shape[1:]
        return f"{height} x {width}, smaller than a patch of {least[0]} x {least[1]}"
    return ""


def _small(image: Stored, least: tuple[int, int]) -> bool:
    return bool(image.shape[1] < least[0] or image.shape[2] < least[1])


def _mapped(image: Stored) -> bool:
    """Whether pixels lie in a file that is mapped into memory."""
    return getattr(image, "_mmap", None) is not None


def _compact(image: Stored) -> Stored:
    """What needs no more than eight bytes a number as it is, other kinds in double precision."""
    if _mapped(image) or levels_of(image) or image.dtype.kind in "fc":
        return image
    return image.astype(np.float64)


def _resized(image: Stored, scale: float) -> Stored:
    """The image at another scale, by cubic interpolation with the smoothing that it needs."""
    if scale == 1:
        return image
    if np.iscomplexobj(image):
        real, imaginary = _resized(image.real, scale), _resized(image.imag, scale)
        return np.asarray(real + 1j * imaginary, np.complex64)
    from PIL import Image as Pillow

    height, width = (max(1, round(scale * size)) for size in image.shape[1:])
    highest = levels_of(image)
    levels = highest == 255
    planes = [
        np.asarray(
            Pillow.fromarray(
                np.ascontiguousarray(plane if levels else plane.astype(np.float32))
            ).resize((width, height), Pillow.Resampling.BICUBIC)
        )
        for plane in image
    ]
    found = np.stack(planes)
    if highest == 65535:
        found = np.clip(np.rint(found), 0, 65535).astype(np.uint16)
    return found
