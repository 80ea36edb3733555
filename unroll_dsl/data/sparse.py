"""The kind "sparse": Bernoulli-Gaussian vectors made on the fly, as in Open-L2O; and noise at an SNR."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from unroll_dsl.data.errors import DataError
from unroll_dsl.data.source import Request, Source, take
from unroll_dsl.data.tables import read_table

LENGTH = 512  # where no size of the program says another


@dataclass(frozen=True)
class SparseSettings:
    """`kind = "sparse"`."""

    kind: Literal["sparse"] = "sparse"
    sparsity: float = 0.1
    samples: int = 10_000
    validate: int = 1_000
    snr: float | None = None


@dataclass(frozen=True, eq=False)
class SparseSource:
    """Vectors [length] whose entries are 0 but with probability `sparsity` each, then standard normal.

    Without `fixed` each draw makes new ones; else sample i is row i of it.
    """

    name: str
    length: int
    sparsity: float
    size: int
    sizes: Mapping[str, int]
    snr: float | None = None
    fixed: Tensor | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def fresh(self) -> bool:
        return self.fixed is None

    def problems(self) -> tuple[str, ...]:
        return ()

    def draw(self, indices: Sequence[int], rng: np.random.Generator) -> dict[str, Tensor]:
        which = take(indices, self.size)
        if self.fixed is not None:
            return {self.name: self.fixed[torch.from_numpy(which)]}
        return {
            self.name: torch.from_numpy(
                bernoulli_gaussian(len(which), self.length, self.sparsity, rng)
            )
        }


def bernoulli_gaussian(
    count: int, length: int, sparsity: float, rng: np.random.Generator
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Sparse vectors [count, length]: a product of independent Bernoulli and standard normal entries."""
    present = rng.random((count, length)) < sparsity
    return np.where(present, rng.standard_normal((count, length)), 0).astype(np.float32)


def add_noise(y: Tensor, snr_db: float, rng: np.random.Generator) -> Tensor:
    """Measurements [batch, ...] with white Gaussian noise at a signal-to-noise ratio in dB.

    The expected power of the noise is that of each sample's own measurement over 10^(snr / 10), as in
    Open-L2O; complex noise is circular. The result has the dtype and the device of `y`.
    """
    power = y.abs().double().square().flatten(1).mean(1).cpu().numpy()
    deviation = np.sqrt(power * 10 ** (-snr_db / 10)).reshape(-1, *(1,) * (y.ndim - 1))
    shape = tuple(y.shape)
    if y.is_complex():
        parts = rng.standard_normal((2, *shape)) * deviation / np.sqrt(2)
        noise = torch.from_numpy(parts[0] + 1j * parts[1])
    else:
        noise = torch.from_numpy(rng.standard_normal(shape) * deviation)
    return y + noise.to(y)


def open_sparse(table: Mapping[str, Any], request: Request) -> tuple[Source, Source | None]:
    """Sparse vectors as the one target, new ones in each draw; those for validation stay the same."""
    settings = read_table(SparseSettings, table, "[data]")
    entry = request.only_target("sparse")
    if not 0 < settings.sparsity <= 1:
        raise DataError(
            f"[data] sparsity: found {settings.sparsity}",
            "it is the probability of an entry that is not 0, above 0 and up to 1",
        )
    for key in ("samples", "validate"):
        if getattr(settings, key) < (key == "samples"):
            raise DataError(f"[data] {key}: found {getattr(settings, key)}, expected a count")
    if entry.type.rank != 1:
        raise DataError(
            f'`{entry.name}` of `{request.spec.name}` is {entry.type}; data of kind "sparse" are vectors',
            'for images there are the kinds "images" and "samples"',
        )
    length = request.known(entry.type.shape[0]) or LENGTH
    sizes = request.sizes(entry, (length,), "sparse vectors")
    made = (entry.name, length, settings.sparsity)
    training = SparseSource(*made, settings.samples, sizes, settings.snr)
    if not settings.validate:
        return training, None
    rng = np.random.default_rng([request.seed, 2])
    fixed = torch.from_numpy(bernoulli_gaussian(settings.validate, length, settings.sparsity, rng))
    return training, SparseSource(*made, settings.validate, sizes, settings.snr, fixed)
