"""Which values outlive a statement: found by walking through all that a network will compute."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from unroll_dsl.backends.torch.blocks import plan
from unroll_dsl.backends.torch.ground import Ground
from unroll_dsl.backends.torch.phases import PhaseWork
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.graph import Graph, Parameter, Slot
from unroll_dsl.ir.nodes import Stage


@dataclass(frozen=True, slots=True)
class Survey:
    """The values that need a place in the network, in the order in which they are met; those among them
    that are known at set-up. The others are known once a call."""

    order: tuple[int, ...]
    buffers: frozenset[int]


def survey(ground: Ground) -> Survey:
    """Walk through phases, outputs and loss, then through what `start` computes for them."""
    walk = _Walk(ground)
    for work in ground.works:
        walk.phase(phase_roots(ground.graph, work, traced=True))
    walk.outputs(ground.graph.outputs)
    if ground.graph.loss is not None:
        walk.loss(ground.graph.loss)
    if not ground.graph.inputs and (index := ground.held_array()) is not None:
        walk.buffer(index)  # what gives dtype and device
    walk.start()
    return Survey(tuple(walk.found), frozenset(walk.buffers))


def phase_roots(graph: Graph, work: PhaseWork, *, traced: bool) -> list[int]:
    """The values that a phase hands on, for `forward` or for a loss."""
    states = work.traced_states if traced else work.states
    places = {trace.name: trace.node for trace in graph.traces}
    traces = [places[word] for word in work.traces] if traced else []
    return [*(work.updates[word] for word in states), *traces]


def phase_sums(graph: Graph, loss: int) -> list[int]:
    """The sums over phases that a loss reads."""
    inside = plan(graph.nodes, [loss], lambda i: False).inside
    return [index for index in inside if isinstance(graph.nodes[index].op, ops.PhaseSum)]


def states_in(ground: Ground, work: PhaseWork) -> tuple[str, ...]:
    """The states that a phase takes: those that it reads, and those like which it makes their next value."""
    roots = phase_roots(ground.graph, work, traced=True)
    given = plan(ground.nodes, roots, lambda i: ground.is_outer(i, Stage.PHASE)).given
    read = [op.name for i in given if isinstance(op := ground.nodes[i].op, ops.State)]
    variant = work.kind.training if work.is_traced else work.kind.inference
    found = [word for word in variant.reads if not work.first or word in read]
    likened = [
        word
        for word in work.traced_states
        if becomes_tensor(ground, work, word) or becomes_batch(ground, work, word)
    ]
    return tuple(dict.fromkeys([*found, *read, *likened]))


def becomes_tensor(ground: Ground, work: PhaseWork, word: str) -> bool:
    """Whether a phase gives a number to a state, which becomes a tensor as the state was one."""
    return ground.facts.numbers[work.updates[word]] and word not in ground.facts.counters


def becomes_batch(ground: Ground, work: PhaseWork, word: str) -> bool:
    """Whether a phase gives one value for all samples to a state, which becomes one for each."""
    index = state_node(ground, word)
    batched = ground.facts.batched
    return index is not None and batched[index] and not batched[work.updates[word]]


def state_node(ground: Ground, word: str) -> int | None:
    """The node of a state as a phase begins; None where nothing reads it."""
    found = (i for i, node in enumerate(ground.nodes) if node.op == ops.State(word))
    return next(found, None)


def states_read(ground: Ground) -> list[Slot]:
    """The states that the phases read, so that they need a start."""
    works = [work for work in ground.works if work.first] or ground.works
    read = {word for work in works for word in states_in(ground, work)}
    return [slot for slot in ground.graph.states if slot.name in read]


def start_source(ground: Ground, slot: Slot) -> int:
    """What the start of a state is computed from: a number that is spread is no value."""
    node = ground.nodes[slot.initial]
    return node.args[0] if isinstance(node.op, ops.Expand) else slot.initial


def start_is_read(ground: Ground, slot: Slot) -> bool:
    """Not where a number is written over it: it then says no more than precision and device."""
    return state_node(ground, slot.name) is not None


class _Walk:
    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.nodes = ground.nodes
        self.found: dict[int, None] = {}
        self.buffers: set[int] = set()

    def buffer(self, index: int) -> None:
        self.found[index] = None
        self.buffers.add(index)

    def call_value(self, index: int) -> None:
        self.found[index] = None

    def given(self, roots: Sequence[int], here: Stage, known: Iterable[int] = ()) -> list[int]:
        own = set(known)
        found = plan(self.nodes, roots, lambda i: i in own or self.ground.is_outer(i, here))
        return [index for index in found.given if index not in own]

    def bounds(self, parameter: Parameter) -> list[int]:
        """The limits of a learnable that are no literal numbers."""
        limits = parameter.limits
        both = () if limits is None else (limits.lower, limits.upper)
        return [i for i in both if i is not None and self.ground.literal(i) is None]

    def own(self, index: int) -> Parameter | None:
        """The learnable that a phase holds itself."""
        op = self.nodes[index].op
        found = self.ground.parameters[op.name] if isinstance(op, ops.Learnable) else None
        return found if found is not None and found.per_phase else None

    def outer(self, index: int) -> None:
        """A value from an earlier stage, where the network reads it."""
        match self.nodes[index].op:
            case ops.Input() | ops.State() | ops.Final() | ops.Target() | ops.Traced():
                pass
            case ops.PhaseNumber():
                pass
            case ops.Learnable(word) if self.ground.parameters[word].limits is None:
                pass
            case _ if self.ground.stages[index] is Stage.SETUP:
                self.buffer(index)
            case _:
                self.call_value(index)

    def phase(self, roots: Sequence[int]) -> None:
        for index in self.given(roots, Stage.PHASE):
            parameter = self.own(index)
            if parameter is None:
                self.outer(index)
                continue
            for limit in self.bounds(parameter):
                self.phase([limit])

    def outputs(self, roots: Sequence[int], known: Iterable[int] = ()) -> None:
        if self.ground.works:
            for index in self.given(roots, Stage.OUTPUT, known):
                self.outer(index)
            return
        for index in self.given(roots, Stage.CALL, known):  # all at once
            op = self.nodes[index].op
            if isinstance(op, ops.Learnable) and self.ground.parameters[op.name].limits is not None:
                for limit in self.bounds(self.ground.parameters[op.name]):
                    self.buffer(limit)
            else:
                self.outer(index)

    def loss(self, loss: int) -> None:
        graph = self.ground.graph
        sums = phase_sums(graph, loss) if self.ground.works else []
        self.outputs([loss], [*sums, *graph.outputs])
        for index in sums:
            for given in self.given(self.nodes[index].args[:1], Stage.PHASE):
                parameter = self.own(given)
                if parameter is None:
                    self.outer(given)
                    continue
                for limit in self.bounds(parameter):
                    self.buffer(limit)

    def start(self) -> None:
        """What `start` reads: what a call value is made of may be a call value itself."""
        slots = states_read(self.ground)
        roots = [
            start_source(self.ground, slot) for slot in slots if start_is_read(self.ground, slot)
        ]
        self.in_start(roots)
        done: set[int] = set()
        while True:
            wanted = [i for i in sorted(self.found) if i not in self.buffers and i not in done]
            if not wanted:
                return
            for index in wanted:
                done.add(index)
                op = self.nodes[index].op
                if isinstance(op, ops.Learnable):
                    for limit in self.bounds(self.ground.parameters[op.name]):
                        self.buffer(limit)
                else:
                    self.in_start(self.nodes[index].args or [index])

    def in_start(self, roots: Sequence[int]) -> None:
        for index in self.given(roots, Stage.CALL):
            op = self.nodes[index].op
            if isinstance(op, ops.Input):
                continue
            if isinstance(op, ops.Learnable):
                if self.ground.parameters[op.name].limits is not None:
                    self.call_value(index)
                continue
            self.buffer(index)
