"""The kinds "images" and "samples": patches of the images of a folder, or of scikit-image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isqrt
from pathlib import Path
from typing import Any, Literal

import numpy as np

from unroll_dsl.data import samples
from unroll_dsl.data.errors import DataError
from unroll_dsl.data.images import image_paths
from unroll_dsl.data.patches import Grid, PatchSource
from unroll_dsl.data.pictures import SCALES, Pictures, open_pictures, pictures_of
from unroll_dsl.data.source import Request, Source
from unroll_dsl.data.tables import read_table
from unroll_dsl.ir.graph import Entry
from unroll_dsl.types import Field

PATCH = 33  # of ISTA-Net and its followers
GIB = 2**30


@dataclass(frozen=True)
class PatchSettings:
    """What can be said of patches of any images; the page docs/data.md describes the keys."""

    patch: int | Literal["whole"] | tuple[int, ...] | None = None
    stride: int = 0
    augment: tuple[Literal["flip", "rotate", "scale"], ...] = ()
    colour: Literal["luma", "rgb"] = "luma"
    samples: int = 0
    snr: float | None = None

    @property
    def scales(self) -> tuple[float, ...]:
        return SCALES if "scale" in self.augment else (1.0,)


@dataclass(frozen=True)
class SampleSettings(PatchSettings):
    """`kind = "samples"`."""

    kind: Literal["samples"] = "samples"


@dataclass(frozen=True, kw_only=True)
class ImageSettings(PatchSettings):
    """`kind = "images"`."""

    folder: str
    kind: Literal["images"] = "images"
    validate: float | str = 0.1
    limit: int = 0
    memory: float = 2.0


def open_images(table: Mapping[str, Any], request: Request) -> tuple[Source, Source | None]:
    """Patches of the images of a folder, and of others held out.

    Raises
    ------
    DataError
        For what the table does not say well, and for images that do not fit the program.
    """
    settings = read_table(ImageSettings, table, "[data]")
    entry, patch = _checked(settings, request)
    at_least(settings.limit, 0, "limit")
    fraction(settings.validate, "validate", "folder")
    folder = request.base / settings.folder
    paths = image_paths(folder)
    if settings.limit:
        paths = paths[: settings.limit]

    def opened(some: Sequence[Path], scales: Sequence[float]) -> Pictures:
        return open_pictures(
            some,
            colour=settings.colour,
            scales=scales,
            least=patch or (1, 1),
            real=entry.type.field is not Field.COMPLEX,
            budget=settings.memory * GIB,
        )

    pictures = opened(paths, settings.scales)
    if isinstance(settings.validate, str):
        held_out = opened(image_paths(request.base / settings.validate), (1.0,))
        return _pair(settings, request, entry, patch, pictures, held_out)
    training, kept = split(pictures, settings.validate, request.seed)
    return _pair(settings, request, entry, patch, training, kept)


def open_samples(table: Mapping[str, Any], request: Request) -> tuple[Source, Source | None]:
    """Patches of pictures that scikit-image ships, and of others among them."""
    settings = read_table(SampleSettings, table, "[data]")
    entry, patch = _checked(settings, request)
    training, held_out = (
        pictures_of(
            [(name, _planes(name, settings.colour)) for name in names],
            colour=settings.colour,
            scales=scales,
            least=patch or (1, 1),
        )
        for names, scales in ((samples.TRAINING, settings.scales), (samples.HELD_OUT, (1.0,)))
    )
    return _pair(settings, request, entry, patch, training, held_out)


def split(pictures: Pictures, part: float, seed: int) -> tuple[Pictures, Pictures | None]:
    """Images for training, and a fraction of them held out at their own scale: at least one where
    there are two and the fraction is not 0."""
    keys = [(plane.path, plane.place, plane.name) for plane in pictures.planes]
    images = list(dict.fromkeys(keys))
    count = min(len(images) - 1, max(1, round(part * len(images)))) if part else 0
    if not count:
        return pictures, None
    order = np.random.default_rng([seed, 1]).permutation(len(images))
    held = {images[i] for i in order[:count]}
    kept = [i for i, key in enumerate(keys) if key not in held]
    out = [i for i, key in enumerate(keys) if key in held and pictures.planes[i].scale == 1]
    return pictures.some(kept), replace(pictures.some(out), problems=())


def fraction(value: float | str, key: str, else_: str) -> None:
    """Whether a key that may be a fraction or a path is a fraction of what is there."""
    if isinstance(value, float) and not 0 <= value < 1:
        raise DataError(
            f"[data] {key}: found {value:g}", f"it is a fraction from 0 to below 1, or a {else_}"
        )


def at_least(value: float, least: float, key: str) -> None:
    if value < least:
        raise DataError(f"[data] {key}: found {value}, expected {least} or more")


def _planes(name: str, colour: str) -> np.ndarray[Any, Any]:
    if colour == "luma":
        return samples.picture(name)[None]
    found = samples.colours(name)
    return (
        np.repeat(found[None], 3, axis=0) if found.ndim == 2 else np.moveaxis(found[..., :3], 2, 0)
    )


def _checked(settings: PatchSettings, request: Request) -> tuple[Entry, tuple[int, int] | None]:
    """The target, and the size of its patches: None for whole images."""
    kind = "images" if isinstance(settings, ImageSettings) else "samples"
    entry = request.only_target(kind)
    at_least(settings.stride, 0, "stride")
    at_least(settings.samples, 0, "samples")
    rank = entry.type.rank
    if rank not in (1, 2, 3):
        raise DataError(
            f"`{entry.name}` of `{request.spec.name}` is {entry.type}, and images are none"
        )
    if settings.colour == "rgb" and rank == 2:
        raise DataError(
            f'`{entry.name}` of `{request.spec.name}` is {entry.type}; with colour = "rgb" images '
            "have 3 channels"
        )
    if settings.patch == "whole":
        if settings.stride:
            raise DataError("[data] stride: whole images lie on no grid", "give `patch`")
        if "scale" in settings.augment:
            raise DataError(
                '[data] augment: "scale" changes the size of whole images', "give `patch`"
            )
        return entry, None
    return entry, _patch(settings, entry, request)


def _patch(settings: PatchSettings, entry: Entry, request: Request) -> tuple[int, int]:
    """The size of patches: what is asked for, else what the program's sizes say, else 33 x 33."""
    given = settings.patch
    if isinstance(given, int):
        at_least(given, 1, "patch")
        return given, given
    if isinstance(given, tuple):
        if len(given) != 2 or min(given) < 1:
            raise DataError(
                f"[data] patch: found {list(given)}", 'it is a side, [height, width], or "whole"'
            )
        return given[0], given[1]
    sizes = [request.known(dim) for dim in entry.type.shape]
    channels = 3 if settings.colour == "rgb" else 1
    if entry.type.rank == 1 and sizes[0] is not None:
        side = isqrt(sizes[0] // channels)
        if channels * side * side != sizes[0]:
            raise DataError(
                f"`{entry.name}` of `{request.spec.name}` has {sizes[0]} entries, which is no square patch",
                "give `patch = [height, width]`",
            )
        return side, side
    height, width = sizes[-2:] if entry.type.rank > 1 else (None, None)
    return height or width or PATCH, width or height or PATCH


def _pair(
    settings: PatchSettings,
    request: Request,
    entry: Entry,
    patch: tuple[int, int] | None,
    training: Pictures,
    held_out: Pictures | None,
) -> tuple[Source, Source | None]:
    if patch is None:
        patch = _one_size(training, held_out)
        settings = replace(settings, stride=max(patch))
    channels = 3 if settings.colour == "rgb" else 1
    shape = {1: (channels * patch[0] * patch[1],), 2: patch}.get(
        entry.type.rank, (channels, *patch)
    )
    what = f"patches of {patch[0]} x {patch[1]}" if settings.patch != "whole" else "whole images"
    sizes = request.sizes(entry, shape, what)
    first = PatchSource(
        entry,
        training,
        Grid.of(training, patch, settings.stride or 1),
        settings.samples or _epoch(training, patch, settings.stride),
        sizes,
        anywhere=settings.stride == 0,
        flip="flip" in settings.augment,
        rotate="rotate" in settings.augment,
        dtype=request.numbers(entry),
        snr=settings.snr,
    )
    if settings.stride and settings.samples:
        first = replace(first, size=min(settings.samples, first.grid.count))
    if held_out is None:
        return first, None
    grid = Grid.of(held_out, patch, max(patch))
    return first, PatchSource(
        entry,
        held_out,
        grid,
        grid.count,
        sizes,
        anywhere=False,
        dtype=request.numbers(entry),
        snr=settings.snr,
    )


def _epoch(pictures: Pictures, patch: tuple[int, int], stride: int) -> int:
    """The places of the grid; where patches lie anywhere, as many as fit beside each other."""
    return Grid.of(pictures, patch, stride or max(patch)).count


def _one_size(*collections: Pictures | None) -> tuple[int, int]:
    first = None
    for pictures in collections:
        for plane in pictures.planes if pictures else ():
            first = first or plane
            if plane.shape != first.shape:
                sizes = [
                    f"{p.path or p.name} is {p.shape[0]} x {p.shape[1]}" for p in (first, plane)
                ]
                raise DataError(
                    f'[data] patch = "whole" needs images of one size: {" and ".join(sizes)}',
                    "give `patch = 33`, say, or a folder of images of one size",
                )
    assert first is not None
    return first.shape
