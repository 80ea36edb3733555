"""What each phase has to read and to make, found backwards from the outputs.

The last phase makes the states that the outputs read; a phase before makes what the next one
reads. Going backwards this settles: all phases but the last few are alike.

    phase (18):                              output x
        x <- real(solve(..., z, beta))       phase 18 makes x alone: c, z, beta and their learnables
        z <- plf(D @ x + beta, q)            do not exist there;
        beta <- beta + eta * (D @ x - z)     phases 1 to 17 make x (read by nobody), z and beta.

In training the loss is one more reader: of the last states, and of its traces in every phase.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from unroll_dsl.ir.graph import Graph, Limits
from unroll_dsl.ir.nodes import (
    Final,
    Fixed,
    Input,
    Learnable,
    Named,
    State,
    Target,
    Traced,
    Variable,
)


@dataclass(frozen=True, slots=True)
class Variant:
    """What one phase has to do. Names in the order of their declarations.

    A phase evaluates what the values in `updates` and `traces` are computed from and nothing else.
    """

    reads: tuple[str, ...]  # states whose value as the phase begins is used
    updates: tuple[str, ...]  # states that it hands on
    parameters: tuple[str, ...]  # learnables per phase that it has
    traces: tuple[str, ...]  # only in training


@dataclass(frozen=True, slots=True)
class Liveness:
    """The phases of a network of any length, and the declarations that it needs.

    The last phases are `tail`, in the order of execution (often none or one); all before are
    `steady`. `variants` lists them for a given number.

    `inputs` and `parameters` are those that some phase, the outputs or the loss read, or, for
    inputs, the first value of a state that is read. `constants` are needed for that or to compute
    initial values and limits when the network is made. The initial value of a needed learnable may
    read another learnable's initial value, which makes that one no parameter.
    """

    steady: Variant
    tail: tuple[Variant, ...]
    inputs: tuple[str, ...]
    constants: tuple[str, ...]
    parameters: tuple[str, ...]


def liveness(graph: Graph, *, training: bool = False, phases: int | None = None) -> Liveness:
    """What has to exist for the outputs, and for the loss if `training`.

    With `phases` the declarations are those that a network of that many phases needs (a short one
    may consist of `tail` alone); without, those of every network long enough to have all variants.
    """
    return _Analysis(graph, training).result(phases)


def variants(found: Liveness, phases: int) -> tuple[Variant, ...]:
    """The variant of each of `phases` phases, the first one first."""
    if phases <= len(found.tail):
        return found.tail[len(found.tail) - phases :]
    return (found.steady,) * (phases - len(found.tail)) + found.tail


def unused(graph: Graph) -> tuple[str, ...]:
    """The declared names that neither outputs, loss nor objective need, in any phase.

    Inputs, fixed values, learnables, states, traces and loss targets, each kind in the order of
    declaration. What only initial values or limits of needed declarations read is needed, and a
    state whose new value is read within its phase, if by no later one.
    """
    analysis = _Analysis(graph, training=True)
    needed = analysis.needed(None) | analysis.mask(graph.objective)
    needed |= analysis.construction(needed)
    declared: tuple[tuple[type, tuple[str, ...]], ...] = (
        (Input, tuple(e.name for e in graph.inputs)),
        (Fixed, tuple(c.name for c in graph.constants)),
        (Learnable, tuple(p.name for p in graph.parameters)),
        (State, tuple(s.name for s in graph.states)),
        (Traced, tuple(t.name for t in graph.traces)),
        (Target, tuple(t.name for t in graph.targets)),
    )
    return tuple(
        name
        for kind, names in declared
        for name in names
        if not analysis.has(needed, kind, name)
        and not (kind is State and analysis.updated(needed, name))
    )


class _Update:
    """The kind under which the bit of a state's update is kept."""


class _Analysis:
    """What depends on what. A set of names is an int with a bit for each, so that one sweep over
    the nodes finds for all names at once who depends on them; the first bits are the states, in
    order, then their final values, then their updates."""

    def __init__(self, graph: Graph, training: bool) -> None:
        self.graph = graph
        slots = graph.states
        self._items: list[tuple[type, str]] = [
            (kind, slot.name) for kind in (State, Final, _Update) for slot in slots
        ]
        self._bits = {item: 1 << index for index, item in enumerate(self._items)}
        self._every_state = (1 << len(slots)) - 1
        self._per_phase = tuple(p.name for p in graph.parameters if p.per_phase)
        self._masks = self._sweep()
        self._goal = 0  # what outputs (and loss) read
        for output in graph.outputs:
            self._goal |= self._masks[output]
        self._every_phase = 0  # what each phase computes for the loss
        if training and graph.loss is not None:
            loss = self._masks[graph.loss]
            self._goal |= loss
            for trace in graph.traces:
                if self.has(loss, Traced, trace.name):
                    self._every_phase |= self._masks[trace.node] | self.bit(Traced, trace.name)
            for name in self._per_phase:  # a penalty on a learnable in `sum over phases`
                self._every_phase |= loss & self.bit(Learnable, name)
        self._settle()

    def _sweep(self) -> list[int]:
        updates: dict[int, int] = {}  # tells whether a phase computes a state's update anyway
        for slot in self.graph.states:
            updates[slot.update] = updates.get(slot.update, 0) | self.bit(_Update, slot.name)
        masks: list[int] = []
        for index, node in enumerate(self.graph.nodes):
            mask = updates.get(index, 0)
            if isinstance(node.op, Named) and not isinstance(node.op, Variable):
                mask |= self.bit(type(node.op), node.op.name)
            for argument in node.args:
                mask |= masks[argument]
            masks.append(mask)
        return masks

    # ---- sets -----------------------------------------------------------------------------------

    def bit(self, kind: type, name: str) -> int:
        if (kind, name) not in self._bits:
            self._bits[kind, name] = 1 << len(self._items)
            self._items.append((kind, name))
        return self._bits[kind, name]

    def has(self, mask: int, kind: type, name: str) -> bool:
        return bool(mask & self.bit(kind, name))

    def updated(self, mask: int, name: str) -> bool:
        """Whether the new value of a state is computed, as more than a name for another value."""
        slot = next(slot for slot in self.graph.states if slot.name == name)
        return self.has(mask, _Update, name) and bool(self.graph.nodes[slot.update].args)

    def mask(self, index: int | None) -> int:
        """Everything that node `index` depends on."""
        return 0 if index is None else self._masks[index]

    def _members(self, mask: int) -> Iterator[int]:
        while mask:
            lowest = mask & -mask
            yield lowest.bit_length() - 1
            mask ^= lowest

    # ---- phases ---------------------------------------------------------------------------------

    def _work(self, wanted: int) -> int:
        """Everything that a phase depends on that must hand on the states `wanted`."""
        mask = self._every_phase
        for index in self._members(wanted):
            slot = self.graph.states[index]
            mask |= self._masks[slot.update] | self.mask(slot.first)
        return mask

    def _reads(self, wanted: int) -> int:
        return self._work(wanted) & self._every_state

    def _settle(self) -> None:
        """Walk backwards until the states that a phase must hand on repeat."""
        count = len(self.graph.states)
        wanted = self._last = (self._goal >> count) & self._every_state
        seen: dict[int, int] = {}
        while wanted not in seen:
            seen[wanted] = len(seen)
            wanted = self._reads(wanted)
        order = list(seen)  # from the last phase backwards
        start = seen[wanted]
        # States that only pass values in a ring (a <- prev(b), b <- prev(a)) repeat with a longer
        # period; one phase that makes what any of them needs serves all.
        self._steady = 0
        for names in order[start:]:
            self._steady |= names
        self._complete(order)
        # A phase that would compute the updates of its predecessor anyway saves nothing by handing
        # on less: it is the same phase.
        self._tail: list[int] = []
        previous = self._steady
        for names in reversed(order[:start]):
            anyway = (self._work(names) >> 2 * count) & self._every_state
            if names & ~previous or previous & ~anyway:
                previous = names
            if self._tail or previous != self._steady:
                self._tail.append(previous)

    def _complete(self, order: list[int]) -> None:
        """Add to the steady phase the states that only the last phases hand on, so that a
        trajectory has them throughout; but none that would ask for learnables of its own."""
        learnables = sum(self.bit(Learnable, name) for name in self._per_phase)
        live = 0
        for names in order:
            live |= names
        while True:
            known = self._work(self._steady) & learnables
            more = [
                index
                for index in self._members(live & ~self._steady)
                if not self._work(1 << index) & learnables & ~known
                and not self._reads(1 << index) & ~self._steady
            ]
            if not more:
                return
            for index in more:
                self._steady |= 1 << index

    def _variant(self, wanted: int) -> Variant:
        work = self._work(wanted)
        states = tuple(slot.name for slot in self.graph.states)
        return Variant(
            tuple(states[index] for index in self._members(work & self._every_state)),
            tuple(states[index] for index in self._members(wanted)),
            tuple(name for name in self._per_phase if self.has(work, Learnable, name)),
            tuple(t.name for t in self.graph.traces if self.has(work, Traced, t.name)),
        )

    # ---- declarations ---------------------------------------------------------------------------

    def needed(self, phases: int | None) -> int:
        """What outputs, loss, phases and the first values of states read."""
        if phases is None:
            executed = [self._steady, *self._tail]
            started = 0
            for wanted in executed:  # any of them is the first phase of some network
                started |= self._reads(wanted)
        else:
            executed = self._tail[max(len(self._tail) - phases, 0) :]
            if phases > len(self._tail):
                executed.insert(0, self._steady)
            started = self._reads(executed[0]) if executed else self._last
        mask = self._goal | self._last
        for wanted in executed:
            mask |= self._work(wanted)
        for index in self._members(started):
            mask |= self._masks[self.graph.states[index].initial]
        return mask

    def construction(self, needed: int) -> int:
        """What is read when the network is made: by initial values, defaults and limits."""
        made_from: dict[tuple[type, str], int] = {}
        for constant in self.graph.constants:
            mask = self._limits(constant.limits) | self.mask(constant.default)
            made_from[Fixed, constant.name] = mask
        for parameter in self.graph.parameters:
            mask = self._limits(parameter.limits)
            if isinstance(parameter.initial, int):
                mask |= self.mask(parameter.initial)
            made_from[Learnable, parameter.name] = mask
        reached, fresh = 0, needed
        while fresh:
            found = 0
            for index in self._members(fresh):
                found |= made_from.get(self._items[index], 0)
            reached |= fresh
            fresh = found & ~reached
        return reached & ~needed

    def _limits(self, limits: Limits | None) -> int:
        return 0 if limits is None else self.mask(limits.lower) | self.mask(limits.upper)

    def result(self, phases: int | None) -> Liveness:
        needed = self.needed(phases)
        made = needed | self.construction(needed)
        return Liveness(
            self._variant(self._steady),
            tuple(self._variant(names) for names in self._tail),
            tuple(e.name for e in self.graph.inputs if self.has(needed, Input, e.name)),
            tuple(c.name for c in self.graph.constants if self.has(made, Fixed, c.name)),
            tuple(p.name for p in self.graph.parameters if self.has(needed, Learnable, p.name)),
        )
