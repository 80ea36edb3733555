"""The learnt constants, phase by phase, beside the classical values that they started from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.graph import Random
from unroll_dsl.runs.learned import Learned, begins_at_random, quiet, taught
from unroll_dsl.runs.panels import Panel, PanelLine, Points
from unroll_dsl.spec import Spec
from unroll_dsl.syntax.nodes import Declaration, Let
from unroll_dsl.types import Array


@dataclass(frozen=True, slots=True)
class LearntConstant:
    """One learnt number, or vector, in each phase.

    Of a vector `trained` and `classical` are medians and `band` goes from its lowest tenth to its
    highest; `classical` is None where the start is drawn at random.
    """

    name: str
    comment: str
    trained: Points
    classical: Points | None
    band: tuple[Points, Points] | None = None
    size: int = 1

    @property
    def shared(self) -> bool:
        """Whether all phases have the same value."""
        return len(set(self.trained)) == 1

    def panel(self) -> Panel:
        phases = tuple(float(k) for k in range(1, len(self.trained) + 1))
        lines = [
            PanelLine(phases, self.trained, "learned", points=len(phases) <= 40, band=self.band)
        ]
        if self.classical is not None:
            lines.append(PanelLine(phases, self.classical, "classical", dashed=True, muted=True))
        caption = (
            f"Median of its {self.size} entries; the band holds the middle eight tenths."
            if self.size > 1
            else ""
        )
        label = self.comment or self.name
        return Panel(self.name, "phase", label, tuple(lines), whole_x=True, caption=caption)


def constants(learned: Learned) -> tuple[LearntConstant, ...]:
    """All scalars and vectors that training has changed, declared ones before those made of them.

    What is computed of learnables under a name of its own (`let mu = ...`) is among them.
    """
    graph = learned.graph
    comments = comments_of(learned.spec)
    asked = quiet(graph) & taught(graph)
    found: dict[str, int] = {}
    for index, node in enumerate(graph.nodes):
        name = node.op.name if isinstance(node.op, ops.Learnable) else node.label
        if index in asked and name and isinstance(node.type, Array) and node.type.rank < 2:
            found.setdefault(name, index)
    return tuple(
        _constant(learned, name, index, comments.get(name, ""))
        for name, index in found.items()
        if name in learned.values or not isinstance(graph.nodes[index].op, ops.Learnable)
    )


def _constant(learned: Learned, name: str, index: int, comment: str) -> LearntConstant:
    rows = _rows(learned.by_phase(index))
    drawn = begins_at_random(learned.graph, (index,))
    start = None if drawn else _rows(learned.by_phase(index, classical=True))
    classical = None if start is None else _points(np.median(start, axis=1))
    band = None
    if rows.shape[1] > 1:
        low, high = np.quantile(rows, (0.1, 0.9), axis=1)
        band = (_points(low), _points(high))
    trained = _points(np.median(rows, axis=1))
    return LearntConstant(name, comment, trained, classical, band, rows.shape[1])


def changes(learned: Learned) -> Panel | None:
    """How far matrices, tensors and layers have come from their classical start, phase by phase.

    The norm of the difference over the norm of the start; None if the program has none of these.
    """
    lines: list[PanelLine] = []
    graph = learned.graph
    for parameter in graph.parameters:
        is_number = isinstance(parameter.type, Array) and parameter.type.rank < 2
        drawn = isinstance(parameter.initial, Random)
        if is_number or drawn or not parameter.trainable or parameter.name not in learned.values:
            continue
        start = learned.classical.parameter(parameter.name)
        now = learned.trained.parameter(parameter.name)
        pairs = (
            [(start[key], now[key]) for key in start]
            if isinstance(start, Mapping)
            else [(start, now)]
        )
        change = _change(pairs, learned.phases if parameter.per_phase else 1)
        phases = tuple(float(k) for k in range(1, learned.phases + 1))
        y = change if parameter.per_phase else change * learned.phases
        lines.append(
            PanelLine(phases, y, parameter.name, colour=len(lines), points=len(phases) <= 40)
        )
    if not lines:
        return None
    return Panel(
        "How far matrices have moved",
        "phase",
        "change / classical value",
        tuple(lines),
        whole_x=True,
        caption="Norm of the difference from the classical value over the norm of that value.",
    )


def _change(pairs: list[tuple[Any, Any]], rows: int) -> Points:
    moved, size = np.zeros(rows), np.zeros(rows)
    for start, now in pairs:
        before, after = (np.asarray(a).reshape(rows, -1) for a in (start, now))
        moved += (np.abs(after - before) ** 2).sum(axis=1)
        size += (np.abs(before) ** 2).sum(axis=1)
    return _points(np.sqrt(moved / np.where(size > 0, size, 1)))


def comments_of(spec: Spec) -> dict[str, str]:
    """What the program says of each name that it declares, in the comment of its line."""
    found: dict[str, str] = {}
    for statement in spec.program.statements:
        match statement:
            case Declaration(names=names, comment=comment):
                found |= {name.text: comment for name in names}
            case Let(name=name, comment=comment):
                found[name.text] = comment
    return {name: comment for name, comment in found.items() if comment}


def _rows(values: Any) -> Any:
    """Real numbers [phases, entries]; of complex ones their moduli."""
    flat = np.asarray(values).reshape(len(values), -1)
    return np.abs(flat) if np.iscomplexobj(flat) else flat


def _points(values: Any) -> Points:
    return tuple(float(v) for v in values)
