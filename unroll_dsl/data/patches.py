"""Patches of a collection of images, anywhere or on a grid, turned and mirrored."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import DTypeLike, NDArray
from torch import Tensor

from unroll_dsl.data.images import scaled
from unroll_dsl.data.pictures import Pictures
from unroll_dsl.data.source import take
from unroll_dsl.ir.graph import Entry


@dataclass(frozen=True)
class Grid:
    """The places of patches in a collection, counted through image by image, row by row."""

    patch: tuple[int, int]
    step: int
    columns: NDArray[np.int64]  # places beside each other in each image
    ends: NDArray[np.int64]  # places up to the end of each image

    @staticmethod
    def of(pictures: Pictures, patch: tuple[int, int], step: int) -> Grid:
        shapes = np.array([plane.shape for plane in pictures.planes], dtype=np.int64)
        rows, columns = ((shapes - np.array(patch)) // step + 1).T
        return Grid(patch, step, columns, np.cumsum(rows * columns))

    @property
    def count(self) -> int:
        return int(self.ends[-1])

    def place(self, which: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """The images, and the first rows and columns in them, of some places."""
        images = np.searchsorted(self.ends, which, side="right")
        start = np.concatenate([[0], self.ends])[images]
        rows, columns = np.divmod(which - start, self.columns[images])
        return images, rows * self.step, columns * self.step


@dataclass(frozen=True, eq=False)
class PatchSource:
    """Patches as the one target `entry`: an image, a matrix, or a vector row by row.

    `anywhere`: each draw takes places at random, all alike likely; else sample i is place i of the
    grid. `flip` mirrors, `rotate` turns by multiples of 90 degrees (180 where patches are not square): both
    together reach all 8 positions alike often.
    """

    entry: Entry
    pictures: Pictures
    grid: Grid
    size: int
    sizes: Mapping[str, int]
    anywhere: bool
    flip: bool = False
    rotate: bool = False
    dtype: DTypeLike = np.float32
    snr: float | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return (self.entry.name,)

    @property
    def fresh(self) -> bool:
        return self.anywhere

    def problems(self) -> tuple[str, ...]:
        return self.pictures.problems

    def draw(self, indices: Sequence[int], rng: np.random.Generator) -> dict[str, Tensor]:
        which = take(indices, self.size)
        if self.anywhere:
            which = rng.integers(self.grid.count, size=len(which))
        height, width = self.grid.patch
        mirrored = rng.random(len(which)) < 0.5 if self.flip else np.zeros(len(which), bool)
        turns = np.zeros(len(which), np.int64)
        if self.rotate:
            turns = (
                rng.integers(4, size=len(which))
                if height == width
                else 2 * rng.integers(2, size=len(which))
            )
        images, rows, columns = self.grid.place(which)
        stored = self.pictures.stored(np.unique(images).tolist())
        channels = next(iter(stored.values())).shape[0] if stored else 1
        found = np.empty((len(which), channels, height, width), self.dtype)
        for place, (image, row, column) in enumerate(zip(images, rows, columns)):
            patch = scaled(stored[int(image)][:, row : row + height, column : column + width])
            if mirrored[place]:
                patch = patch[:, :, ::-1]
            found[place] = np.rot90(patch, int(turns[place]), axes=(1, 2))
        whole = (channels, height, width)
        shape = {1: (math.prod(whole),), 2: (height, width)}.get(self.entry.type.rank, whole)
        return {self.entry.name: torch.from_numpy(found.reshape(len(which), *shape))}
