"""Several arrays, real or complex, as one real vector: complex entries by their two parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

Point = NDArray[np.float64]


class Space:
    """The space of arrays of these names, shapes and fields."""

    def __init__(
        self, names: Sequence[str], shapes: Sequence[tuple[int, ...]], fields: Sequence[bool]
    ) -> None:
        self.names, self.shapes, self.complex = tuple(names), tuple(shapes), tuple(fields)
        counts = [
            int(np.prod(shape)) * (2 if is_complex else 1)
            for shape, is_complex in zip(self.shapes, self.complex, strict=True)
        ]
        self.ends = np.cumsum(counts, dtype=int)

    @property
    def size(self) -> int:
        return int(self.ends[-1]) if len(self.ends) else 0

    def flat(self, values: Mapping[str, NDArray[Any]]) -> Point:
        parts = []
        for name, is_complex in zip(self.names, self.complex, strict=True):
            value = np.ravel(values[name])
            parts.append(np.concatenate([value.real, value.imag]) if is_complex else value)
        return np.concatenate(parts).astype(np.float64)

    def tensors(self, points: torch.Tensor) -> list[torch.Tensor]:
        """The arrays of points [count, entries], each [count, *shape]; of a point [entries], each [*shape]."""
        if not self.names:
            return []
        made = []
        pieces = torch.tensor_split(points, self.ends[:-1].tolist(), dim=-1)
        for piece, shape, is_complex in zip(pieces, self.shapes, self.complex, strict=True):
            if is_complex:
                real, imaginary = piece.chunk(2, dim=-1)
                piece = torch.complex(real, imaginary)
            made.append(piece.reshape((*points.shape[:-1], *shape)))
        return made

    def joined(self, arrays: Sequence[torch.Tensor], *batch: int) -> Point:
        """The point of arrays [*batch, *shape], or points."""
        parts = [torch.zeros((*batch, 0), dtype=torch.float64)]
        for array, shape, is_complex in zip(arrays, self.shapes, self.complex, strict=True):
            value = array.broadcast_to((*batch, *shape)).reshape(*batch, -1)
            if is_complex:
                value = value.to(torch.complex128)
                value = torch.cat([value.real, value.imag], dim=-1)
            parts.append(value.to(torch.float64))
        return np.asarray(torch.cat(parts, dim=-1).numpy())

    def entries(self, names: frozenset[str]) -> NDArray[np.bool_]:
        """Which entries of the vector are of `names`."""
        mask = np.zeros(self.size, bool)
        for name, start, end in zip(self.names, [0, *self.ends[:-1]], self.ends, strict=True):
            mask[start:end] = name in names
        return mask

    def words(self, step: Point) -> str:
        """What a step moves most."""
        place = int(np.argmax(np.abs(step)))
        which = int(np.searchsorted(self.ends, place, side="right"))
        alone = np.count_nonzero(step) == 1
        within = place - (0 if which == 0 else int(self.ends[which - 1]))
        within %= max(int(np.prod(self.shapes[which])), 1)
        entry = [int(i) + 1 for i in np.unravel_index(within, self.shapes[which])]
        index = f"[{', '.join(map(str, entry))}]" if entry else ""
        others = "" if alone else " and other entries"
        return f"it falls where `{self.names[which]}{index}`{others} moves by {step[place]:+.1e}"


__all__ = ["Point", "Space"]
