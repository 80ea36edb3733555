"""Some of the samples of a source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from unroll_dsl.data.source import Source, take


@dataclass(frozen=True)
class Fewer:
    """So many samples of a source, evenly from all of it; the same ones each time."""

    source: Source
    size: int

    @property
    def names(self) -> tuple[str, ...]:
        return self.source.names

    @property
    def sizes(self) -> Mapping[str, int]:
        return self.source.sizes

    @property
    def fresh(self) -> bool:
        return self.source.fresh

    @property
    def snr(self) -> float | None:
        return self.source.snr

    def draw(self, indices: Sequence[int], rng: np.random.Generator) -> dict[str, Tensor]:
        places = take(indices, self.size) * self.source.size // self.size
        return self.source.draw(places.tolist(), rng)

    def problems(self) -> tuple[str, ...]:
        return self.source.problems()


def fewer(source: Source, count: int) -> Source:
    """At most `count` samples of a source; 0: all."""
    return Fewer(source, count) if 0 < count < source.size else source
