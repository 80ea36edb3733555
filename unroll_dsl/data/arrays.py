"""The kind "arrays": inputs and targets by name from a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unroll_dsl.data.errors import DataError, choose
from unroll_dsl.data.image_sources import at_least, fraction
from unroll_dsl.data.source import Request, Source, take
from unroll_dsl.data.tables import read_table
from unroll_dsl.files import CannotRead, file_and_member
from unroll_dsl.files.arrays import at_rank, numbers, read_arrays
from unroll_dsl.ir.graph import Entry
from unroll_dsl.types import Field


@dataclass(frozen=True, kw_only=True)
class ArraySettings:
    """`kind = "arrays"`."""

    file: str
    kind: Literal["arrays"] = "arrays"
    validate: float | str = 0.1
    names: Mapping[str, str] = field(default_factory=dict)
    limit: int = 0
    snr: float | None = None


@dataclass(frozen=True, eq=False)
class ArraySource:
    """Rows of tensors [size, ...] by name."""

    tensors: Mapping[str, Tensor]
    sizes: Mapping[str, int]
    snr: float | None = None
    fresh: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.tensors)

    @property
    def size(self) -> int:
        return len(next(iter(self.tensors.values())))

    def problems(self) -> tuple[str, ...]:
        return ()

    def draw(self, indices: Sequence[int], rng: np.random.Generator) -> dict[str, Tensor]:
        which = torch.from_numpy(take(indices, self.size))
        return {name: tensor[which] for name, tensor in self.tensors.items()}


def open_arrays(table: Mapping[str, Any], request: Request) -> tuple[Source, Source | None]:
    """Samples along the first axis of the arrays in a file.

    Raises
    ------
    DataError
        For arrays that are missing, do not fit the program, or have not one count.
    """
    settings = read_table(ArraySettings, table, "[data]")
    at_least(settings.limit, 0, "limit")
    fraction(settings.validate, "validate", "file")
    for name in settings.names:
        if name not in _entries(request):
            raise DataError(
                f"[data.names]: `{request.spec.name}` takes no `{name}` as data",
                choose(name, _entries(request)),
            )
    tensors, sizes = _read(request.base / settings.file, settings, request)
    if isinstance(settings.validate, str):
        held_out, _ = _read(request.base / settings.validate, settings, request)
        return ArraySource(tensors, sizes, settings.snr), ArraySource(held_out, sizes, settings.snr)
    total = len(next(iter(tensors.values())))
    kept = round(settings.validate * total)
    kept = min(max(kept, 1), total - 1) if settings.validate else 0
    if not kept:
        return ArraySource(tensors, sizes, settings.snr), None
    order = np.random.default_rng([request.seed, 1]).permutation(total)
    parts = [torch.from_numpy(np.sort(part)) for part in (order[kept:], order[:kept])]
    training, held_out = ({name: t[part] for name, t in tensors.items()} for part in parts)
    return ArraySource(training, sizes, settings.snr), ArraySource(held_out, sizes, settings.snr)


def _entries(request: Request) -> dict[str, Entry]:
    """All that a file may give: a measured input too, since real measurements are better than
    simulated ones."""
    graph = request.spec.graph
    return {entry.name: entry for entry in (*graph.targets, *graph.inputs)}


def _numbers(array: NDArray[Any], where: str) -> NDArray[Any]:
    try:
        return numbers(array, where)
    except CannotRead as error:
        raise DataError(error.message) from error


def _read(
    path: Path, settings: ArraySettings, request: Request
) -> tuple[dict[str, Tensor], dict[str, int]]:
    try:
        arrays = read_arrays(path)
    except CannotRead as error:
        raise DataError(f"[data] file: {error.message}", error.mend) from error
    tensors: dict[str, Tensor] = {}
    sizes: dict[str, int] = {}
    required = set(request.entries)
    for name, entry in _entries(request).items():
        key = settings.names.get(name, name)
        if key not in arrays:
            if name in required or name in settings.names:
                raise DataError(
                    f"{path} holds no `{key}`, which `{request.spec.name}` needs",
                    f"it holds {', '.join(f'`{n}`' for n in arrays) or 'nothing'}; say which it is: "
                    f'[data.names] {name} = "..."',
                )
            continue
        where = f"`{key}` in {path}"
        array = _numbers(arrays[key], where)
        if file_and_member(path)[0].suffix.lower() == ".mat":  # which has no vectors
            array = at_rank(array, entry.type.rank + 1)
        if array.ndim == 0 or not len(array):
            raise DataError(f"{where} holds no samples along a first axis")
        if array.dtype.kind == "c" and entry.type.field is not Field.COMPLEX:
            raise DataError(
                f"{where} is complex; `{name}` of `{request.spec.name}` is {entry.type}"
            )
        if not np.isfinite(array).all():
            sample = int(np.argwhere(~np.isfinite(array))[0][0])
            raise DataError(f"{where}: sample {sample} has values that are not finite")
        sizes |= Request(request.spec, {**request.dims, **sizes}).sizes(
            entry, array.shape[1:], f"the samples of {where}"
        )
        rows = array[: settings.limit] if settings.limit else array
        dtype = request.numbers(entry)
        tensors[name] = torch.from_numpy(np.ascontiguousarray(rows.astype(dtype)))
    counts = {name: len(tensor) for name, tensor in tensors.items()}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"`{name}` {count}" for name, count in counts.items())
        raise DataError(f"{path}: the arrays have different numbers of samples: {told}")
    return tensors, sizes
