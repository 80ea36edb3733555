"""A small sparse problem, a program that learns to solve it, and what of a run can be compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from unroll_dsl.train import Run

CP = """\
algorithm small
dims m, n

input     y     : vector[m]
fixed     A     : matrix[m, n]
fixed     scale : scalar = 1
let       L     = norm(A)^2
learnable W     : matrix[m, n] per phase = A / L
learnable theta : scalar >= 0 per phase = 0.1 / L
measure   y     = A @ x_star + 0.01 * noise

state x : vector[n] = 0
phase (3):
    x <- soft(x + W' @ (y - scale * A @ x), theta)
    trace found = x
output x

loss (x_star : vector[n]):
    sumsq(x - x_star) + 0.001 * sum over phases sumsq(found)
"""


@dataclass(frozen=True)
class Sparse:
    """Sparse vectors of 16 entries, made on the fly."""

    size: int = 100
    names: tuple[str, ...] = ("x_star",)
    scale: float = 1.0

    @property
    def sizes(self) -> Mapping[str, int]:
        return {"n": 16}

    @property
    def snr(self) -> float | None:
        return None

    def draw(self, indices: Sequence[int], rng: np.random.Generator) -> dict[str, Tensor]:
        shape = len(indices), 16
        values = rng.standard_normal(shape) * (rng.random(shape) < 0.2)
        return {"x_star": torch.from_numpy(self.scale * values).float()}

    def problems(self) -> tuple[str, ...]:
        return ()


def without_times(run: Run) -> list[dict[str, float | None]]:
    """The rows of metrics.csv but for what a clock says."""
    times = ("seconds", "samples_per_s")
    return [{k: v for k, v in row.items() if k not in times} for row in run.metrics()]


def same_weights(one: Path, other: Path) -> bool:
    """Whether two files of networks are the same, byte for byte."""
    return one.read_bytes() == other.read_bytes()
