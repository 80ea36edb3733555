"""The filters that a network has learned: kernels of convolutions, filter banks, dictionary atoms."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.ir import nodes as ops
from unroll_dsl.runs.learned import Learned, quiet, taught
from unroll_dsl.runs.pictures import Picture, mosaic
from unroll_dsl.types import Array, Conv, Layer

Values = NDArray[Any]

_WIDE = 32  # filters drawn of a phase
_PHASES = 12  # phases drawn
_ATOMS = 64
_SMALLEST = 4  # pixels along an atom


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters [rows, columns, a, b], a row for each of `phases` (from 1), or of a name for rows."""

    name: str
    kernels: Values
    phases: tuple[int, ...]
    caption: str

    def picture(self) -> Picture:
        """All of them, a row for each phase, or in a square where there is one row alone."""
        rows, columns, a, b = self.kernels.shape
        flat = list(self.kernels.reshape(-1, a, b))
        wide = columns if rows > 1 else max(8, math.ceil(math.sqrt(columns)))
        return mosaic(flat, f"{self.name}: {self.caption}", columns=min(wide, columns))


def filters(learned: Learned, *, atoms: bool = False) -> tuple[Filters, ...]:
    """Kernels of convolutions from or to one channel, banks made by `filters(...)`, and with `atoms`
    the rows or columns of learned matrices that act on patches of a picture."""
    found = [*_of_layers(learned), *_of_banks(learned)]
    return (*found, *(_of_matrices(learned) if atoms else ()))


def _of_layers(learned: Learned) -> list[Filters]:
    found = []
    for parameter in learned.graph.parameters:
        if not isinstance(parameter.type, Layer) or parameter.name not in learned.values:
            continue
        tensors = learned.trained.parameter(parameter.name)
        for place, step in enumerate(parameter.type.steps):
            prefix = f"{place}." if len(parameter.type.steps) > 1 else ""
            if not isinstance(step, Conv):
                continue
            weight = np.asarray(tensors[f"{prefix}weight"])
            weight = weight if parameter.per_phase else weight[None]
            kernels = _of_one_channel(weight)
            if kernels is not None and step.size > 1:
                where = f"{parameter.name}" + (f", step {place + 1}" if prefix else "")
                found.append(_rows(where, kernels, parameter.per_phase))
    return found


def _of_one_channel(weight: Values) -> Values | None:
    """Kernels [phases, filters, a, b] of a convolution that has one channel on either side."""
    phases, outer, inner, a, b = weight.shape
    if inner == 1 or outer == 1:
        return weight.reshape(phases, outer * inner, a, b)
    return None


def _of_banks(learned: Learned) -> list[Filters]:
    graph = learned.graph
    asked = quiet(graph) & taught(graph)
    found: dict[int, Filters] = {}
    for node in graph.nodes:
        if not isinstance(node.op, ops.Operator) or node.op.operator != "filters":
            continue
        operand = node.args[0]
        if operand not in asked or operand in found:
            continue
        try:
            kernels = learned.by_phase(operand)
        except UnrollError:  # a size that only inputs tell
            continue
        kernels = kernels.reshape(len(kernels), -1, *kernels.shape[-2:])
        name = node.label or f"filters {len(found) + 1}"
        found[operand] = _rows(name, kernels, per_phase=True)
    return list(found.values())


def _rows(name: str, kernels: Values, per_phase: bool) -> Filters:
    phases, count = kernels.shape[:2]
    if per_phase and phases > 1 and all(np.array_equal(kernels[0], other) for other in kernels[1:]):
        kernels, phases, per_phase = kernels[:1], 1, False
    few = _spread(phases, _PHASES)
    drawn = kernels[few][:, : _WIDE if len(few) > 1 else 2 * _ATOMS]
    words = f"{count} filters of {kernels.shape[-2]} x {kernels.shape[-1]}"
    if drawn.shape[1] < count:
        words += f", the first {drawn.shape[1]} drawn"
    if len(few) > 1:
        words += f"; a row for each phase, {_listed(few)}"
    else:
        words += "; the same in all phases" * (not per_phase)
    return Filters(name, drawn, tuple(int(k) + 1 for k in few), words)


def _of_matrices(learned: Learned) -> list[Filters]:
    """Learned matrices of which one side is as long as a vector input that holds a square patch."""
    graph = learned.graph
    sides = {e.type.shape[0] for e in graph.inputs if e.type.rank == 1}
    found = []
    for parameter in graph.parameters:
        type_ = parameter.type
        if not isinstance(type_, Array) or type_.rank != 2 or parameter.name not in learned.values:
            continue
        axis = next((axis for axis in (0, 1) if type_.shape[axis] in sides), None)
        if axis is None or not parameter.trainable:
            continue
        value = np.asarray(learned.trained.parameter(parameter.name))
        value = value if parameter.per_phase else value[None]
        last = np.moveaxis(value[-1], axis, -1)
        side = math.isqrt(last.shape[-1])
        if side * side != last.shape[-1] or side < _SMALLEST:
            continue
        drawn = last[:_ATOMS].reshape(1, -1, side, side)
        what = f"{'rows' if axis else 'columns'} of the matrix as patches of {side} x {side}"
        count = f"{drawn.shape[1]} of {len(last)}" if len(last) > _ATOMS else f"{len(last)}"
        when = ", last phase" if parameter.per_phase and len(value) > 1 else ""
        found.append(Filters(parameter.name, drawn, (len(value),), f"{count} {what}{when}"))
    return found


def _spread(count: int, most: int) -> Values:
    """Up to `most` places from the first to the last of `count`."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def _listed(places: Values) -> str:
    numbers = [int(k) + 1 for k in places]
    if numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"{numbers[0]} to {numbers[-1]} from top to bottom"
    return ", ".join(map(str, numbers)) + " from top to bottom"
