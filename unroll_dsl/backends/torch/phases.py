"""What the phases of a network compute, and which of them are of one kind.

One body serves all phases of a kind, for outputs and for a loss. The last phases are a kind of their own
only where they spare learnables or something costly.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Node
from unroll_dsl.ir.stages import reachable
from unroll_dsl.operators.model import Kind as FunctionKind
from unroll_dsl.operators.registry import function
from unroll_dsl.passes.analysis.liveness import Liveness, Variant

# builtins that pass over memory once, as arithmetic does
_LIGHT = frozenset(
    ["shrink", "shrink_each", "axpy", "axmy", "extrapolate", "square_sum", "square_mean", "as_complex"]
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PhaseKind:
    """Phases that are alike. `inference` tells what `forward` computes, `training` what a loss
    needs besides; `parameters` are the learnables that such a phase has."""

    name: str  # Phase, LastPhase, ...
    inference: Variant
    training: Variant
    parameters: tuple[str, ...]

    @property
    def same_work(self) -> bool:
        """Whether training needs nothing that `forward` does not compute."""
        return not self.training.traces and set(self.training.updates) <= set(
            self.inference.updates
        )


def kinds(graph: Graph, inference: Liveness, training: Liveness) -> tuple[PhaseKind, ...]:
    """The steady kind of phase, then those of the last phases, the last one last."""
    length = max(len(inference.tail), len(training.tail))
    steady = inference.steady, training.steady
    tail = [(_from_end(inference, n), _from_end(training, n)) for n in range(length, 0, -1)]
    while tail and (tail[0] == steady or _serves(graph, steady, tail[0])):
        del tail[0]
    names = ["Phase", *_tail_names(len(tail))]
    return tuple(
        PhaseKind(name, first, second, second.parameters)
        for name, (first, second) in zip(names, [steady, *tail], strict=True)
    )


_Pair = tuple[Variant, Variant]


def _serves(graph: Graph, steady: _Pair, last: _Pair) -> bool:
    """Whether the steady phase may stand in for one of the last: it has the same learnables, makes what
    that one makes, and nothing costly besides."""
    for whole, part in zip(steady, last, strict=True):
        alike = whole.parameters == part.parameters and whole.traces == part.traces
        if not alike or not set(part.updates) <= set(whole.updates):
            return False
    own, needed = (_inside(graph, variant) for variant in (steady[0], last[0]))
    return not any(is_costly(graph.nodes[index]) for index in own - needed)


def _inside(graph: Graph, variant: Variant) -> frozenset[int]:
    roots = [slot.update for slot in graph.states if slot.name in variant.updates]
    return reachable(graph.nodes, roots)


def is_costly(node: Node) -> bool:
    """Whether a node does more than to pass over its arguments once."""
    if isinstance(node.op, ops.Builtin):
        word = node.op.function
        return word not in _LIGHT and function(word).kind is not FunctionKind.REDUCTION
    return isinstance(node.op, ops.Applied)


def _from_end(liveness: Liveness, place: int) -> Variant:
    return liveness.tail[-place] if place <= len(liveness.tail) else liveness.steady


def _tail_names(count: int) -> list[str]:
    words = ["LastPhase", "NextToLastPhase"]
    extra = [f"PhaseBeforeLast{place}" for place in range(2, count)]
    return [*words, *extra][:count][::-1]


def method_name(kind: str) -> str:
    """`LastPhase` as the name of a method: `last_phase`."""
    words = "".join(f"_{c.lower()}" if c.isupper() else c for c in kind)
    return words.lstrip("_")


@dataclass(frozen=True, slots=True)
class PhaseWork:
    """What a phase of one kind makes, by the names of the page.

    `states` are those that it hands on, `traced_states` and `traces` what a loss gets of it. As the
    `first` phase it has less to do.
    """

    kind: PhaseKind
    first: bool
    states: tuple[str, ...]
    traced_states: tuple[str, ...]
    traces: tuple[str, ...]
    updates: dict[str, int]  # the value of each state after such a phase

    @property
    def is_traced(self) -> bool:
        """Whether a loss asks for more than `forward`."""
        return bool(self.traces) or self.traced_states != self.states


Inside = Callable[[Sequence[int]], Container[int]]  # what a phase computes for roots


def works(
    graph: Graph, found: Sequence[PhaseKind], inside: Inside, *, has_classes: bool
) -> tuple[PhaseWork, ...]:
    """The work of each kind of phase, and of the first phase where that has less to do."""
    updates = {slot.name: slot.update for slot in graph.states}
    made = [
        _work(
            graph,
            kind,
            updates,
            inside,
            generous=has_classes or kind is found[0],
            traced=graph.loss is not None and not kind.same_work,
        )
        for kind in found
    ]
    firsts = {slot.name: slot.first for slot in graph.states if slot.first is not None}
    if firsts and found:
        made.append(_work(graph, found[0], updates | firsts, inside, first=True, generous=True))
    return tuple(made)


def _work(
    graph: Graph,
    kind: PhaseKind,
    updates: dict[str, int],
    inside: Inside,
    *,
    first: bool = False,
    generous: bool,
    traced: bool = False,
) -> PhaseWork:
    places = {trace.name: trace.node for trace in graph.traces}

    def handed(variant: Variant) -> tuple[str, ...]:
        """The states that a phase hands on: a trajectory takes all that it computes anyway."""
        wanted = [updates[word] for word in variant.updates]
        wanted += [places[word] for word in variant.traces]
        computed = inside(wanted)
        return tuple(
            slot.name
            for slot in graph.states
            if slot.name in variant.updates or (generous and updates[slot.name] in computed)
        )

    states = handed(kind.inference)
    if not traced:
        return PhaseWork(kind, first, states, states, (), updates)
    more = {*states, *handed(kind.training)}
    both = tuple(slot.name for slot in graph.states if slot.name in more)
    return PhaseWork(kind, first, states, both, kind.training.traces, updates)
