"""What `[bind] NAME = {make = ...}` can make: each with its settings, from a task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from unroll_dsl.data import masks, matrices
from unroll_dsl.data.codes import weight
from unroll_dsl.data.coding import dictionary
from unroll_dsl.data.errors import DataError, choose
from unroll_dsl.data.least_squares import in_batches, least_squares
from unroll_dsl.data.source import Source
from unroll_dsl.ir.graph import Constant, Parameter
from unroll_dsl.spec import Spec
from unroll_dsl.types import Declared, LinearMap

Measure = Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]]
"""From targets [batch, ...] by name to measured inputs [batch, ...] by name."""

Measuring = Callable[[Mapping[str, Any]], Measure]
"""From what is bound so far to how inputs are measured."""

MOST = 100_000  # samples that a least-squares start is fitted to, unless more are asked for
ENOUGH = 50_000  # of those that are made anew in each draw
ATOMS = 100  # of a dictionary, where no size of the program says another


@dataclass(frozen=True)
class Making:
    """One value to make: `shape` has None where no size is known yet."""

    place: str
    name: str
    spec: Spec
    declared: Constant | Parameter
    shape: tuple[int | None, ...]
    sizes: Mapping[str, int]
    source: Source
    rng: np.random.Generator
    bound: Mapping[str, Tensor | float]
    measuring: Measuring | None

    def size(self, axis: int) -> int:
        found = self.shape[axis]
        if found is None:
            symbols = self._symbols(axis)
            raise DataError(
                f"{self.place}: the size of `{self.name}`, {self.declared.type}, is not known",
                f"give it: [dims] {' = ..., '.join(symbols)} = ...",
            )
        return found

    def _symbols(self, axis: int) -> list[str]:
        match self.declared.type:
            case LinearMap(Declared(domain, codomain)):
                dims = (codomain, domain)[axis].shape
            case other:
                dims = (other.shape[axis],)  # type: ignore[union-attr]  # only arrays come here
        return sorted({s for dim in dims for s in dim.symbols if s not in self.sizes})

    def rows(self, ratio: float | None, default: float) -> int:
        """The rows that are known, else those of a sampling ratio; both must agree."""
        columns, known = self.size(1), self.shape[0]
        if ratio is not None and not 0 < ratio <= 1:
            raise DataError(f"{self.place} ratio: found {ratio}, expected above 0 and up to 1")
        wanted = matrices.rows_for(default if ratio is None else ratio, columns)
        if known is None:
            return wanted
        if ratio is not None and known != wanted:
            raise DataError(
                f"{self.place}: a ratio of {ratio} is {wanted} rows of {columns}; [dims], data and what is "
                f"bound give {known}",
                "leave one of them out",
            )
        return known


@dataclass(frozen=True)
class Sampling:
    ratio: float | None = None


@dataclass(frozen=True)
class Cartesian:
    ratio: float = 0.2
    centre: float = 0.04
    lines: Literal["columns", "rows"] = "columns"


@dataclass(frozen=True)
class Points:
    ratio: float = 0.2
    decay: float = 3.0


@dataclass(frozen=True)
class Radial:
    ratio: float = 0.2


@dataclass(frozen=True)
class Fit:
    samples: int = 0
    input: str | None = None
    operator: str | None = None


@dataclass(frozen=True)
class Atoms:
    signals: int = 4_000
    rounds: int = 40
    alpha: float | None = None


def _orthonormal_rows(task: Making, settings: Sampling) -> Tensor:
    rows = task.rows(settings.ratio, 0.25)
    if rows > task.size(1):
        raise DataError(
            f"{task.place}: {rows} rows of {task.size(1)} entries cannot be orthogonal",
            'take make = "gaussian"',
        )
    return torch.from_numpy(matrices.orthonormal_rows(rows, task.size(1), task.rng))


def _gaussian(task: Making, settings: Sampling) -> Tensor:
    rows = task.rows(settings.ratio, 0.5)
    return torch.from_numpy(matrices.gaussian(rows, task.size(1), task.rng))


def _cartesian(task: Making, settings: Cartesian) -> Tensor:
    _check_ratio(task, settings.ratio)
    if not 0 <= settings.centre <= 1:
        raise DataError(f"{task.place} centre: found {settings.centre}, expected 0 to 1")
    shape = task.size(0), task.size(1)
    mask = masks.cartesian_mask(
        shape, settings.ratio, task.rng, centre=settings.centre, lines=settings.lines
    )
    return torch.from_numpy(mask)


def _points(task: Making, settings: Points) -> Tensor:
    _check_ratio(task, settings.ratio)
    if settings.decay < 0:
        raise DataError(f"{task.place} decay: found {settings.decay}, expected 0 or more")
    shape = task.size(0), task.size(1)
    return torch.from_numpy(
        masks.random_mask(shape, settings.ratio, task.rng, decay=settings.decay)
    )


def _radial(task: Making, settings: Radial) -> Tensor:
    _check_ratio(task, settings.ratio)
    return torch.from_numpy(masks.radial_mask((task.size(0), task.size(1)), settings.ratio))


def _check_ratio(task: Making, ratio: float) -> None:
    if not 0 < ratio <= 1:
        raise DataError(f"{task.place} ratio: found {ratio}, expected above 0 and up to 1")


def _least_squares(task: Making, settings: Fit) -> Tensor:
    target = _target(task)
    measure = _measure(task, settings, target)
    fresh = task.source.fresh
    count = settings.samples or min(max(task.source.size, ENOUGH if fresh else 0), MOST)
    if settings.samples < 0 or (count > task.source.size and not fresh):
        raise DataError(
            f"{task.place} samples: found {settings.samples}; the data have {task.source.size}"
        )

    def draw(indices: range) -> tuple[Tensor, Tensor]:
        targets = task.source.draw([i % task.source.size for i in indices], task.rng)
        return targets[target], measure(targets)

    try:
        return least_squares(in_batches(draw, count))
    except DataError as error:
        raise DataError(f"{task.place}: {error.message}", error.mend) from error


def _target(task: Making) -> str:
    """The target that a map leads back to."""
    targets = [e for e in task.spec.graph.targets if e.name in task.source.names]
    codomain = task.declared.type
    if isinstance(codomain, LinearMap) and isinstance(codomain.structure, Declared):
        targets = [
            e for e in targets if e.type.shape == codomain.structure.codomain.shape
        ] or targets
    if not targets:
        raise DataError(
            f"{task.place}: a least-squares start is fitted to a target of the loss, and the data give "
            f"{', '.join(f'`{n}`' for n in task.source.names)}"
        )
    return targets[0].name


def _measure(task: Making, settings: Fit, target: str) -> Callable[[Mapping[str, Tensor]], Tensor]:
    if task.measuring is not None and settings.operator is None:
        measured = task.measuring(task.bound)

        def by_program(targets: Mapping[str, Tensor]) -> Tensor:
            found = measured(targets)
            names = [settings.input] if settings.input else _vectors(task, found)
            if len(names) != 1 or names[0] not in found:
                raise DataError(
                    f"{task.place}: from which input? {', '.join(f'`{n}`' for n in found)} are measured",
                    f'say so: input = "{next(iter(found), "y")}"',
                )
            return found[names[0]]

        return by_program
    operator = task.bound[_operator(task, settings)]
    assert isinstance(operator, Tensor)
    matrix = operator

    def by_matrix(targets: Mapping[str, Tensor]) -> Tensor:
        X = targets[target].flatten(1)
        return X.to(torch.promote_types(X.dtype, matrix.dtype)) @ matrix.mT

    return by_matrix


def _vectors(task: Making, found: Mapping[str, Tensor]) -> list[str]:
    """The measured inputs that a map can start from."""
    if len(found) == 1 or task.shape[1] is None:
        return list(found)
    return [name for name, value in found.items() if value[0].numel() == task.shape[1]]


def _operator(task: Making, settings: Fit) -> str:
    """The bound matrix that measures: the one named, else the one whose spaces are those of the value,
    exchanged."""
    matrices_ = [n for n, v in task.bound.items() if isinstance(v, Tensor) and v.ndim == 2]
    if settings.operator is not None:
        if settings.operator not in matrices_:
            raise DataError(
                f"{task.place} operator: `{settings.operator}` is no bound matrix",
                choose(settings.operator, matrices_),
            )
        return settings.operator
    own = task.declared.type
    if isinstance(own, LinearMap) and isinstance(own.structure, Declared):
        spaces = Declared(own.structure.codomain, own.structure.domain)
        found = [
            c.name
            for c in task.spec.graph.constants
            if c.type == LinearMap(spaces) and c.name in matrices_
        ]
        if len(found) == 1:
            return found[0]
    raise DataError(
        f"{task.place}: what measures the data that `{task.name}` starts from?",
        'name the matrix: operator = "Phi"',
    )


def _dictionary(task: Making, settings: Atoms) -> Tensor:
    length = task.size(0)
    if settings.signals < 1 or settings.rounds < 1:
        raise DataError(f"{task.place}: `signals` and `rounds` are counts, at least 1")
    count = min(settings.signals, task.source.size)
    drawn = task.source.draw(range(count), task.rng)
    fits = [
        v for v in drawn.values() if v.ndim == 2 and v.shape[1] == length and not v.is_complex()
    ]
    if not fits:
        shapes = ", ".join(f"`{n}` {list(v.shape[1:])}" for n, v in drawn.items())
        raise DataError(
            f"{task.place}: a dictionary with {length} rows is learned from vectors of {length} entries; "
            f"the data give {shapes}"
        )
    atoms = task.shape[1] or ATOMS
    if atoms > count:
        raise DataError(f"{task.place}: {atoms} atoms are learned from more than {count} signals")
    alpha = weight(settings.alpha, task.spec, task.bound)
    seed = int(task.rng.integers(2**31))
    return dictionary(
        fits[0].float(), atoms, alpha, seed, settings.rounds, lambda done, total: None
    ).double()


@dataclass(frozen=True)
class Maker:
    """How one kind of value is made; `rank` is that of the value."""

    settings: type
    make: Callable[[Making, Any], Tensor]
    rank: int = field(default=2)


MAKERS = {
    "orthonormal_rows": Maker(Sampling, _orthonormal_rows),
    "gaussian": Maker(Sampling, _gaussian),
    "cartesian_mask": Maker(Cartesian, _cartesian),
    "random_mask": Maker(Points, _points),
    "radial_mask": Maker(Radial, _radial),
    "least_squares": Maker(Fit, _least_squares),
    "dictionary": Maker(Atoms, _dictionary),
}
