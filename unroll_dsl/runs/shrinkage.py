"""Shrinkage as a network has learned it: every function of one value that a phase applies, as a curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll_dsl.backends.numpy.evaluate import Evaluator
from unroll_dsl.backends.numpy.layers import apply_layer
from unroll_dsl.diagnostics.raised import InternalError, UnrollError
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.bodies import consists_of
from unroll_dsl.ir.graph import FunctionBody, Graph
from unroll_dsl.ir.nodes import Node
from unroll_dsl.runs.learned import Learned, begins_at_random, quiet, taught
from unroll_dsl.runs.panels import Panel, PanelLine, Points
from unroll_dsl.types import Activation, Array, Layer

Values = NDArray[Any]

_POINTS = 121
# what acts on each entry of an array by itself
_ENTRYWISE = (ops.Argument, ops.Constant, ops.Elementwise, ops.Expand)
_CHANNELS = 8  # curves of so many channels are drawn, in a panel each
_FLAT = 1e-12


@dataclass(frozen=True, slots=True)
class LearntShrinkage:
    """`found[k, i]` is the value at `at[i]` in phase k + 1; `classical` that of the classical start.

    Of functions that differ from channel to channel there is one of these for each.
    """

    name: str
    at: Points
    found: tuple[Points, ...]
    classical: Points | None
    caption: str = ""

    def panel(self) -> Panel:
        last = len(self.found) - 1
        lines = [
            PanelLine(
                self.at,
                y,
                f"phase {k + 1}" if k in (0, last) and last else "learned" * (last == 0),
                shade=k / last if last else 0.0,
            )
            for k, y in enumerate(self.found)
        ]
        if self.classical is not None:
            lines.append(PanelLine(self.at, self.classical, "classical", dashed=True, muted=True))
        return Panel(self.name, "entering", "leaving", tuple(lines), caption=self.caption)


def shrinkages(learned: Learned) -> tuple[LearntShrinkage, ...]:
    """The curves of all calls `f(v, ...)` in a phase where f acts on each entry of v by itself and
    what follows v is learned, and of the `plf` activations in learned layers."""
    graph = learned.graph
    still, trained = quiet(graph), taught(graph)
    bodies = {body.name: body for body in graph.functions}
    found: list[LearntShrinkage] = []
    seen: set[tuple[Any, tuple[int, ...]]] = set()
    for index, node in enumerate(graph.nodes):
        call = (node.op, node.args[1:])
        if call in seen or not _is_call(node, still, trained, bodies, graph):
            continue
        seen.add(call)
        found += _of_call(learned, index)
    for parameter in graph.parameters:
        if isinstance(parameter.type, Layer) and parameter.name in learned.values:
            found += _of_layer(learned, parameter.name, parameter.type, parameter.per_phase)
    return tuple(found)


def _is_call(
    node: Node,
    still: frozenset[int],
    trained: frozenset[int],
    bodies: dict[str, FunctionBody],
    graph: Graph,
) -> bool:
    match node.op:
        case ops.Invoke(name):
            is_entrywise = consists_of(bodies[name], bodies, _ENTRYWISE)
        case ops.Builtin("plf"):
            is_entrywise = True
        case _:
            return False
    first, *rest = node.args
    same = getattr(graph.nodes[first].type, "shape", None) == getattr(node.type, "shape", None)
    return (
        is_entrywise
        and same
        and first not in still
        and bool(rest)
        and still.issuperset(rest)
        and bool(trained.intersection(rest))
    )


def _of_call(learned: Learned, index: int) -> list[LearntShrinkage]:
    graph = learned.graph
    node = graph.nodes[index]
    first, *rest = node.args
    type_ = graph.nodes[first].type
    assert isinstance(type_, Array)
    drawn = begins_at_random(graph, rest)
    operands = [learned.by_phase(argument) for argument in rest]
    channels = max((len(o[0]) for o in operands if o[0].ndim), default=1)
    reach = 1.0 if node.op == ops.Builtin("plf") else _reach(operands)
    at = np.linspace(-reach, reach, _POINTS)
    values = np.stack([_values(learned, index, type_, at, channels, o) for o in zip(*operands)])
    classical = None
    if not drawn:
        start = [learned.by_phase(argument, classical=True)[0] for argument in rest]
        classical = _values(learned, index, type_, at, channels, start)
    return _by_channel(_title(graph, index), at, values, classical, is_vector=type_.rank == 1)


def _values(
    learned: Learned, index: int, type_: Array, at: Values, channels: int, operands: Sequence[Any]
) -> Values:
    """The values of a call at all points, [channels, points]; one row where all channels are alike."""
    graph = learned.graph
    node = graph.nodes[index]
    bodies = {body.name: body for body in graph.functions}
    evaluator = Evaluator(bodies, learned.trained.sizes)

    def value(v: Values) -> Values:
        known = dict(zip(node.args, (v, *operands), strict=True))
        evaluator.run(graph.nodes, (index,), _nothing, known)
        return np.asarray(known[index])

    if type_.rank < 2:  # the entries of a vector are its channels, so one point at a time
        alone: tuple[int, ...] = (channels,) if type_.rank else ()
        return np.stack([value(np.full(alone, v)) for v in at], axis=-1).reshape(channels, -1)
    shape = (channels, *[1] * (type_.rank - 2), len(at))
    return np.broadcast_to(value(np.broadcast_to(at, shape)), shape).reshape(channels, -1)


def _nothing(node: Node) -> Any:
    raise InternalError(f"a call of known values reads {node.op}")


def _reach(operands: Sequence[Values]) -> float:
    """How far to draw: a few times the largest threshold that is not an outlier."""
    sizes = [float(np.quantile(np.abs(o), 0.9)) for o in operands]
    largest = max([size for size in sizes if np.isfinite(size)], default=0.0)
    return 3 * largest if largest > _FLAT else 1.0


def _by_channel(
    name: str, at: Values, values: Values, classical: Values | None, *, is_vector: bool
) -> list[LearntShrinkage]:
    """A curve for each channel; of a vector one, of its entry with the median threshold."""
    channels = values.shape[1]
    chosen: list[tuple[str, int | None, str]]
    if channels == 1:
        chosen = [(name, 0, "")]
    elif is_vector:
        chosen = [(name, None, f"The median over its {channels} entries.")]
    else:
        few = np.unique(np.linspace(0, channels - 1, min(channels, _CHANNELS)).astype(int))
        note = f"{len(few)} of {channels} channels are drawn." if channels > len(few) else ""
        chosen = [(f"{name}, channel {c + 1}", int(c), note) for c in few]
    found = []
    for title, channel, caption in chosen:
        rows = np.median(values, axis=1) if channel is None else values[:, channel]
        start = None
        if classical is not None:
            start = np.median(classical, axis=0) if channel is None else classical[channel]
        found.append(
            LearntShrinkage(
                title,
                _points(at),
                tuple(_points(row) for row in rows),
                None if start is None else _points(start),
                caption,
            )
        )
    return found


def _title(graph: Graph, index: int) -> str:
    """The call as the program spells it, short."""
    node = graph.nodes[index]
    word = node.op.function if isinstance(node.op, ops.Invoke | ops.Builtin) else ""
    rest = [
        graph.nodes[a].label or getattr(graph.nodes[a].op, "name", "") or "..."
        for a in node.args[1:]
    ]
    return f"{word}(v, {', '.join(map(str, rest))})"


def _of_layer(learned: Learned, name: str, layer: Layer, per_phase: bool) -> list[LearntShrinkage]:
    """The curves of `plf` activations, which a layer has for each channel."""
    found: list[LearntShrinkage] = []
    tensors = learned.trained.parameter(name)
    for place, step in enumerate(layer.steps):
        if step != Activation("plf"):
            continue
        prefix = f"{place}." if len(layer.steps) > 1 else ""
        pieces = [np.asarray(tensors[f"{prefix}{word}"]) for word in ("slopes", "start")]
        slopes, start = pieces if per_phase else [piece[None] for piece in pieces]
        at = np.linspace(-1.25, 1.25, _POINTS)
        alone = Layer((step,))
        shape = (slopes.shape[1], 1, len(at))
        values = np.stack(
            [
                apply_layer(alone, {"slopes": s, "start": t}, np.broadcast_to(at, shape))[:, 0]
                for s, t in zip(slopes, start, strict=True)
            ]
        )
        relu = np.broadcast_to(np.maximum(at, 0), (shape[0], len(at)))
        found += _by_channel(f"plf of {name}", at, values, relu, is_vector=False)
    return found


def shrinkage_panels(learned: Learned) -> tuple[Panel, ...]:
    """The panels of all shrinkage curves; none for what cannot be computed without an input."""
    try:
        return tuple(shrinkage.panel() for shrinkage in shrinkages(learned))
    except UnrollError:  # a size that only inputs tell
        return ()


def _points(values: Any) -> Points:
    return tuple(float(v) for v in np.real(values))
