"""Batches as a function of the seed, the stage and the step: nothing is drawn from a state that goes on.

So a run that is resumed, at whatever step, sees what an uninterrupted one would have seen; and several
processes draw the same batch, of which each takes its part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from unroll_dsl.data.source import Source
from unroll_dsl.data.sparse import add_noise
from unroll_dsl.measure import Measurement
from unroll_dsl.train.task import Task

_ORDER, _DRAW, _NOISE = range(3)  # what a stream of random numbers is for
VALIDATION = 1 << 30  # in place of a stage

Drawn = dict[str, Tensor]


@dataclass(frozen=True)
class Feed:
    """Makes the arguments of `loss` from samples of a source.

    Attributes
    ----------
    measurement, measure
        The program's `measure` lines and the module that they have become; None: it has none.
    sizes
        Values of all sizes of the program.
    """

    source: Source
    task: Task
    measurement: Measurement | None
    measure: nn.Module | None
    sizes: Mapping[str, int]
    seed: int
    dtype: torch.dtype
    device: torch.device
    _orders: dict[str, Any] = field(default_factory=dict, repr=False)  # of the epoch at hand

    def follow(self, network: nn.Module) -> None:
        """Measure with what this network learns; without effect where data are made of fixed values alone."""
        if self.measurement is not None and self.measure is not None:
            self.measurement.share(self.measure, network)

    @property
    def learned(self) -> bool:
        """Whether data depend on what the network learns: they have derivatives then."""
        return self.measurement is not None and bool(self.measurement.learned)

    def draw(self, stage: int, step: int, batch: int) -> Drawn:
        """The samples of a step, on the CPU: an epoch is a permutation of the source."""
        rows = self._rows(stage, step * batch, batch)
        return self.source.draw(rows, np.random.default_rng([self.seed, stage, step, _DRAW]))

    def arguments(self, drawn: Drawn, stage: int, step: int) -> tuple[Tensor, ...]:
        """Inputs, then targets, of what was drawn: measured, with noise, on the device."""
        (whole,) = self.parts(drawn, stage, step, 1)
        return whole

    def parts(
        self, drawn: Drawn, stage: int, step: int, count: int
    ) -> tuple[tuple[Tensor, ...], ...]:
        """The arguments of a batch in so many parts, each with derivatives of its own where data have some."""
        rows = len(next(iter(drawn.values())))
        values = {name: self._placed(value) for name, value in drawn.items()}
        noises = tuple(noise.to(self.device) for noise in self._noise(stage, step, rows))
        snr = getattr(self.source, "snr", None)
        rng = np.random.default_rng([self.seed, stage, step, _NOISE]) if snr is not None else None
        if not self.learned:  # all at once
            return _split(self._measured(values, noises, rng), count)
        parts = zip(_split(tuple(values.values()), count), _split(noises, count), strict=True)
        return tuple(
            self._measured(dict(zip(values, part, strict=True)), n, rng) for part, n in parts
        )

    def _measured(
        self, values: Drawn, noises: tuple[Tensor, ...], rng: np.random.Generator | None
    ) -> tuple[Tensor, ...]:
        if self.measurement is not None and self.measure is not None:
            # data are as exact with mixed precision as without
            exact = torch.autocast(self.device.type, enabled=False)
            with torch.set_grad_enabled(self.learned and torch.is_grad_enabled()), exact:
                made = self.measure(*(values[t] for t in self.measurement.targets), *noises)
            several = made if isinstance(made, tuple) else (made,)
            if rng is not None:
                snr = getattr(self.source, "snr", 0.0)
                several = tuple(add_noise(value, snr, rng) for value in several)
            # what the data give themselves goes before what could be measured
            values = dict(zip(self.measurement.inputs, several, strict=True)) | values
        return tuple(values[name] for name in (*self.task.inputs, *self.task.targets))

    def everything(self, batch: int) -> Iterator[tuple[Tensor, ...]]:
        """Arguments for all samples in order, the same each time."""
        for number, first in enumerate(range(0, self.source.size, batch)):
            rows = range(first, min(first + batch, self.source.size))
            rng = np.random.default_rng([self.seed, VALIDATION, number, _DRAW])
            yield self.arguments(self.source.draw(rows, rng), VALIDATION, number)

    @contextmanager
    def ahead(self, stage: int, step: int, steps: int, batch: int) -> Iterator[Iterator[Drawn]]:
        """The draws of the steps from `step`, each made while the one before is worked on."""
        with ThreadPoolExecutor(1, "unroll-data") as pool:

            def submit(number: int) -> Future[Drawn]:
                return pool.submit(self.draw, stage, number, batch)

            def draws() -> Iterator[Drawn]:
                coming = submit(step)
                for number in range(step, steps):
                    drawn = coming.result()
                    if number + 1 < steps:
                        coming = submit(number + 1)
                    yield drawn

            yield draws()

    def _rows(self, stage: int, first: int, count: int) -> Sequence[int]:
        found: list[int] = []
        while len(found) < count:
            epoch, place = divmod(first + len(found), self.source.size)
            order = self._order(stage, epoch)
            found += order[place : place + count - len(found)].tolist()
        return found

    def _order(self, stage: int, epoch: int) -> Any:
        key = (self.seed, stage, epoch)
        if self._orders.get("key") != key:
            rng = np.random.default_rng([*key, _ORDER])
            self._orders.update(key=key, order=rng.permutation(self.source.size))
        return self._orders["order"]

    def _noise(self, stage: int, step: int, count: int) -> tuple[Tensor, ...]:
        if self.measurement is None or not self.measurement.noisy:
            return ()
        seeds = np.random.SeedSequence([self.seed, stage, step, _NOISE])
        generator = torch.Generator().manual_seed(int(seeds.generate_state(1, np.uint64)[0] >> 1))
        return self.measurement.noise(count, self.sizes, generator, self.dtype)

    def _placed(self, value: Tensor) -> Tensor:
        dtype = self.dtype.to_complex() if value.is_complex() else self.dtype
        # a copy: torch puts all at addresses alike, NumPy does not, and rounding depends on them
        return value.to(device=self.device, dtype=dtype, copy=True)


def _split(values: tuple[Tensor, ...], count: int) -> tuple[tuple[Tensor, ...], ...]:
    """Along the first axis, in so many equal parts."""
    if not values:
        return ((),) * count
    size = len(values[0]) // count
    return tuple(tuple(v[i * size : (i + 1) * size] for v in values) for i in range(count))
