"""The arrays of a call: held against the declarations, told apart into samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from unroll_dsl.backends.errors import NotFinite, OutsideBounds, RealInput, WrongField, WrongShape
from unroll_dsl.backends.numpy.declared import double
from unroll_dsl.backends.numpy.maps import Array
from unroll_dsl.backends.places import missing_entries
from unroll_dsl.backends.sizes import Equation, solve
from unroll_dsl.backends.values import as_numpy, outside
from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.ir.graph import Entry, Graph
from unroll_dsl.types import Field


def arrays(graph: Graph, entries: Sequence[Entry], values: Sequence[Any]) -> list[Array]:
    """The values in double precision; raises `UnrollError` (U0503, U0504, U0506, U0510, U0524) for what does not fit."""
    if len(values) != len(entries):
        names = ", ".join(entry.name for entry in entries)
        raise TypeError(f"{graph.name} takes ({names}), {len(values)} arrays are given")
    problems: list[Diagnostic] = []
    found: list[Array] = []
    for entry, value in zip(entries, values, strict=True):
        array = as_numpy(value)
        if array.ndim < entry.type.rank:
            problems.append(WrongShape(entry.name, entry.type, array.shape, entry.origin))
        elif np.iscomplexobj(array) and entry.type.field is not Field.COMPLEX:
            problems.append(WrongField(entry.name, str(entry.type), entry.origin))
        elif entry.type.field is Field.COMPLEX and not np.iscomplexobj(array):
            problems.append(RealInput(entry.name, str(entry.type), entry.origin))
        elif entry in graph.inputs and not np.isfinite(array).all():
            problems.append(NotFinite(entry.name, entry.origin))
        elif (found_outside := _outside(entry, array)) is not None:
            words = str(entry.domain)
            problems.append(OutsideBounds(entry.name, found_outside, words, entry.origin))
        else:
            found.append(double(array, entry.type))
    if problems:
        raise UnrollError(problems)
    batches = {_batch(entry, value) for entry, value in zip(entries, found, strict=True)}
    if len(batches) > 1:
        raise ValueError(f"arrays have different batch shapes: {sorted(batches)}")
    return found


def _outside(entry: Entry, array: Array) -> float | None:
    """An entry of an input that is none of the data that it is for."""
    domain = entry.domain
    if domain is None:
        return None
    ends = (domain.lower, domain.lower_strict, domain.upper, domain.upper_strict)
    return outside(array, *ends)


def sizes(
    graph: Graph, entries: Sequence[Entry], values: Sequence[Array], known: Mapping[str, int]
) -> dict[str, int]:
    """All sizes that `known` and the shapes of the arrays tell."""
    equations = [
        Equation(dim, size, f"`{entry.name}`", entry.origin)
        for entry, value in zip(entries, values, strict=True)
        for dim, size in zip(
            entry.type.shape, value.shape[value.ndim - entry.type.rank :], strict=True
        )
    ]
    found, problems = solve(equations, known, dict(graph.dims))
    problems = problems or missing_entries(graph, found)
    if problems:
        raise UnrollError(problems)
    return found


def each(
    entries: Sequence[Entry],
    values: Sequence[Array],
    one: Callable[[Sequence[Array]], list[Array]],
) -> tuple[Array, ...]:
    """Apply `one` to each sample and stack its results."""
    batch = _batch(entries[0], values[0]) if entries else ()
    if not batch:
        return tuple(one(values))
    flat = [
        value.reshape(-1, *value.shape[value.ndim - entry.type.rank :])
        for entry, value in zip(entries, values, strict=True)
    ]
    count = flat[0].shape[0]
    if count == 0:  # a sample of zeros tells the shapes of the results
        with np.errstate(all="ignore"):
            shapes = [
                result.shape for result in one([np.zeros(v.shape[1:], v.dtype) for v in flat])
            ]
        return tuple(np.empty((*batch, *shape)) for shape in shapes)
    results = [one([value[index] for value in flat]) for index in range(count)]
    columns = zip(*results, strict=True)
    return tuple(np.stack(column).reshape(*batch, *column[0].shape) for column in columns)


def _batch(entry: Entry, value: Array) -> tuple[int, ...]:
    shape: tuple[int, ...] = value.shape
    return shape[: len(shape) - entry.type.rank]
