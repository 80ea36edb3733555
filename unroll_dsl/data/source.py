"""What a source of data is, and what a program asks of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from unroll_dsl.backends.sizes import Equation, solve
from unroll_dsl.data.errors import DataError, choose
from unroll_dsl.ir.graph import Entry
from unroll_dsl.spec import Spec
from unroll_dsl.types import Dim, Field


class Source(Protocol):
    """Where targets come from, and inputs that no measurement makes.

    Nothing in a source changes but its caches: the same indices and the same state of `rng` give the
    same bits.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """What it gives: names of targets of the loss and of inputs."""

    @property
    def size(self) -> int:
        """Samples in an epoch."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """The dims of the program that it determines: `{"h": 33, "w": 33}`."""

    @property
    def fresh(self) -> bool:
        """Whether each draw is made anew, so that an epoch is a number and not all there is."""

    @property
    def snr(self) -> float | None:
        """The signal-to-noise ratio in dB of the measurements of what it gives (`add_noise`), or None:
        no noise but what the program itself declares."""

    def draw(self, indices: Sequence[int], rng: np.random.Generator) -> dict[str, Tensor]:
        """Samples `indices`, from 0 to `size` - 1, [len(indices), ...] on the CPU, real or complex, in the
        precision that was asked for as the source was opened.

        `rng` drives what is random: where patches lie, how they are turned, what is made on the fly.
        """

    def problems(self) -> tuple[str, ...]:
        """What was left out because it cannot be used: a line for each file, with its path and why."""


@dataclass(frozen=True)
class Request:
    """What a program asks of its data.

    `measured` are the inputs that a measurement makes; `dims` are sizes that are settled, `base` is the
    folder that paths start from, `dtype` the precision of real samples, and of complex ones.
    """

    spec: Spec
    dims: Mapping[str, int] = field(default_factory=dict)
    measured: tuple[str, ...] = ()
    seed: int = 0
    base: Path = field(default_factory=Path)
    dtype: torch.dtype = torch.float32

    def __post_init__(self) -> None:
        known = [name for name, _ in self.spec.graph.dims]
        for name in self.dims:
            if name not in known:
                raise DataError(
                    f"[dims]: `{self.spec.name}` has no dim `{name}`", choose(name, known)
                )

    @property
    def targets(self) -> tuple[Entry, ...]:
        return self.spec.graph.targets

    @property
    def inputs(self) -> tuple[Entry, ...]:
        """Those that no measurement makes."""
        return tuple(e for e in self.spec.graph.inputs if e.name not in self.measured)

    @property
    def entries(self) -> dict[str, Entry]:
        return {entry.name: entry for entry in (*self.targets, *self.inputs)}

    def numbers(self, entry: Entry) -> np.dtype[Any]:
        """Of which kind the samples of an entry are: float32, float64, complex64 or complex128."""
        wide = self.dtype is torch.float64
        if entry.type.field is Field.COMPLEX:
            return np.dtype(np.complex128 if wide else np.complex64)
        return np.dtype(np.float64 if wide else np.float32)

    def only_target(self, kind: str) -> Entry:
        """The one target that a source of some kind gives."""
        if len(self.targets) == 1:
            return self.targets[0]
        names = ", ".join(f"`{entry.name}`" for entry in self.targets)
        if not self.targets:
            raise DataError(
                f"[data]: the loss of `{self.spec.name}` names no target that data of kind "
                f'"{kind}" could be',
                'declare it, `loss (target : ...):`, or give inputs from files (kind = "arrays")',
            )
        raise DataError(
            f'[data]: data of kind "{kind}" are one target; the loss of `{self.spec.name}` has {names}',
            'give them by name from a file (kind = "arrays")',
        )

    def known(self, dim: Dim) -> int | None:
        """The size of a dimension, where settled sizes or defaults tell it."""
        defaults = {name: size for name, size in self.spec.graph.dims if size is not None}
        return dim.substitute({**defaults, **self.dims}).value

    def sizes(self, entry: Entry, shape: Sequence[int], what: str) -> dict[str, int]:
        """The dims that follow when an entry of the program has a shape.

        Raises
        ------
        DataError
            With both shapes, where it cannot have it.
        """
        dims = entry.type.shape
        fits = len(dims) == len(shape)
        equations = [Equation(dim, size, what) for dim, size in zip(dims, shape, strict=False)]
        found, wrong = solve(equations, self.dims, dict(self.spec.graph.dims))
        if not fits or wrong:
            symbols = sorted({s for dim in dims for s in dim.symbols if self.known(Dim.of(s))})
            settled = [f"{name} = {self.known(Dim.of(name))}" for name in symbols]
            known = f" with {', '.join(settled)}" if settled else ""
            raise DataError(
                f"`{entry.name}` of `{self.spec.name}` is {entry.type}{known}; {what} "
                f"{'is' if len(shape) == 0 else 'are'} {' x '.join(map(str, shape)) or 'numbers'}"
            )
        symbols_of = {s for dim in dims for s in dim.symbols}
        return {name: size for name, size in found.items() if name in symbols_of}


def take(indices: Sequence[int], size: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Indices as an array, if all of them are samples of a source of some size."""
    found = np.asarray(indices, dtype=np.int64).reshape(-1)
    if len(found) and (found.min() < 0 or found.max() >= size):
        raise IndexError(f"samples are 0 to {size - 1}, asked for {found.min()} to {found.max()}")
    return found
