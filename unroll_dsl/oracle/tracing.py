"""The phases of a page, followed: what they ask for, of which points, and what they make of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unroll_dsl.ir.graph import Graph, Slot
from unroll_dsl.ir.nodes import Final, State
from unroll_dsl.ir.stages import reachable
from unroll_dsl.oracle.errors import Refused
from unroll_dsl.oracle.matching import alike, matched, same, step_of
from unroll_dsl.oracle.reading import Page, Reader
from unroll_dsl.oracle.terms import Known, Query
from unroll_dsl.oracle.values import (
    HOLE,
    Base,
    Data,
    Link,
    Point,
    Sum,
    Tree,
    Value,
    Word,
    bases,
    has_points,
    ones,
    with_point,
)
from unroll_dsl.types import Array

START = 0


@dataclass(frozen=True, slots=True)
class Call:
    """A gradient, or a proximal point of `step`, of a group at a point; `leaf` is what comes of it. A step that says
    nothing, of a projection, is 0."""

    group: int
    asked: Query
    point: Point
    step: float
    leaf: int

    @property
    def proximal(self) -> bool:
        return self.asked is Query.PROXIMAL


@dataclass(frozen=True, slots=True)
class Script:
    """What an iteration does up to a phase: its calls, and the point that it gives."""

    phases: int
    calls: tuple[Call, ...]
    output: Point
    from_zero: bool  # the start is 0, else any point


class Tracer:
    """Follows the phases of a page with what is known of its objective.

    What the scripts give is an output, or with `of_state` the state that the objective is of.
    """

    def __init__(
        self, page: Page, known: Sequence[Known], variable: str, of_state: bool = False
    ) -> None:
        self.page, self.known, self.variable, self.of_state = page, known, variable, of_state
        self.graph = page.graph
        self.calls: list[Call] = []
        self.settled: dict[Sum, Sum] = {}
        self.live = live(self.graph)
        self.from_zero = False

    def scripts(self, counts: Sequence[int]) -> tuple[Script, ...]:
        """The script of each number of phases.

        Raises
        ------
        Refused
            Where a state of the unknown's space is no combination of what has been asked for.
        """
        states, from_zero = self._starts()
        found = []
        for k in range(1, max(counts) + 1):
            reader = Reader(self.page, k, states, self.settle)
            new: dict[str, Value] = {}
            for slot in sorted(self.graph.states, key=lambda slot: slot.update):
                if slot.name in self.live:
                    new[slot.name] = self._updated(reader, slot, k)
            states = new
            if k in counts:
                point = self._output(states, k)
                found.append(Script(k, tuple(self.calls), point, from_zero))
        return tuple(found)

    def _starts(self) -> tuple[dict[str, Value], bool]:
        """The states at the start: 0, any point, or data."""
        reader = Reader(self.page, 1, {})
        states: dict[str, Value] = {
            slot.name: reader.value(slot.initial)
            for slot in self.graph.states
            if slot.name in self.live
        }
        for slot in self.graph.states:
            value = states.get(slot.name)
            if isinstance(value, float) and slot.type.rank:
                states[slot.name] = ones(value)
        like = [s.name for s in self.graph.states if s.name in states and self._is_space(s.type)]
        begin = states[self.variable if self.variable in states else like[0]] if like else Sum()
        self.from_zero = begin == Sum()
        start = Sum((((), Point(((START, 1.0),)), 1.0),))
        return {name: start if v == begin else v for name, v in states.items()}, self.from_zero

    def _updated(self, reader: Reader, slot: Slot, k: int) -> Value:
        node = self.graph.nodes[slot.update]
        try:
            value = reader.value(slot.update)
            if not isinstance(value, Sum):
                return value
            value = self._without_zeros(self.whole(value))
            if self._is_space(slot.type) and value.rest and has_points(value):
                raise Refused(*self._why(value, slot.name))
        except Refused as refused:
            span = refused.span or node.origin
            raise Refused(f"in phase {k}, {refused.reason}", refused.mend, span) from None
        return value

    def _is_space(self, type_: Array) -> bool:
        wanted = dict(self.graph.variables)[self.variable]
        return type_.shape == wanted.shape and type_.rank > 0

    def _output(self, states: Mapping[str, Value], k: int) -> Point:
        """The output that is of the space of the unknown, else the state of its name."""
        for index in () if self.of_state else self.graph.outputs:
            type_ = self.graph.nodes[index].type
            if isinstance(type_, Array) and self._is_space(type_):
                value = Reader(self.page, k, states, self.settle).value(index)
                value = self._without_zeros(self.settle(value)) if isinstance(value, Sum) else value
                if isinstance(value, Sum) and not value.rest:
                    return value.point
                origin = self.graph.nodes[index].origin
                words = "the output is no combination of points that the iteration has"
                raise Refused(words, "give the unknown itself out", origin)
        state = states.get(self.variable)
        if isinstance(state, Sum) and not state.rest:
            return state.point
        raise Refused(f"no output is of the space of `{self.variable}`")

    # ---- gradients and proximal maps, found again ------------------------------------------------

    def settle(self, value: Sum) -> Sum:
        """The value as a point, where gradients and proximal maps make it one; else as it is."""
        if not value.rest or not has_points(value):
            return value
        if value not in self.settled:
            self.settled[value] = self._opened(value)
        return self.settled[value]

    def _opened(self, value: Sum) -> Sum:
        begun, left = len(self.calls), value
        for _ in range(2 * len(value.rest)):
            if not left.rest:
                return left
            found = next(filter(None, (self._one(left, known) for known in self.known)), None)
            if found is None:
                break
            left = found
        if left.rest:
            del self.calls[begun:]
            return value
        return left

    def whole(self, value: Sum) -> Sum:
        """The value that a state takes, opened."""
        return self.settle(value)

    def _without_zeros(self, value: Sum) -> Sum:
        """The value without maps of the start where that is 0."""
        if not self.from_zero:
            return value
        return Sum.of(
            (w, b, c)
            for w, b, c in value.items
            if not (w and isinstance(b, Point) and all(leaf == START for leaf, _ in b.terms))
        )

    def _one(self, value: Sum, known: Known) -> Sum | None:
        """The value with one gradient or proximal map taken out of it."""
        told = lead(known.at(1.0))
        if told is None:
            return None
        word, base, _ = told
        for item in value.rest:
            if item[0] != word:
                continue
            found = self._matched(known, base, item)
            if found is None:
                continue
            point, step, factor = found
            leaf = self.ask(known.group, known.asked, point, step)
            given = Sum((((), Point(((leaf, 1.0),)), factor),))
            taken = _named(with_point(known.at(step or 1.0), point), value)
            left = value + taken * -factor + given
            if not any(i[0] == word and i[1] == item[1] for i in left.rest):
                return left
        return None

    def _matched(
        self, known: Known, base: Base, item: tuple[Word, Base, float]
    ) -> tuple[Point, float, float] | None:
        match = matched(base, item[1])
        if match is None or match.point is None:
            return None
        step = 1.0

        def numbers(s: float) -> list[tuple[float, float]]:
            told = lead(known.at(s))
            again = matched(told[1], item[1]) if told is not None else None
            return [(float("nan"), 0.0)] if again is None else again.numbers

        if known.stepped:
            solved = step_of(numbers)
            if solved is None:
                return None
            step = solved
        told = lead(known.at(step or 1.0))
        if told is None or not same(numbers(step or 1.0)):
            return None
        there = matched(told[1], item[1])  # the step may stand before the point
        if there is None or there.point is None:
            return None
        return there.point, step, item[2] / told[2]

    def ask(self, group: int, asked: Query, point: Point, step: float) -> int:
        """The leaf of what is asked for; what has been asked for already is the same."""
        for call in self.calls:
            if (call.group, call.asked) != (group, asked) or call.step != step:
                continue
            if call.point.near(point):
                return call.leaf
        leaf = max((call.leaf for call in self.calls), default=START) + 1
        self.calls.append(Call(group, asked, point, step, leaf))
        return leaf

    # ---- why not ----------------------------------------------------------------------------------

    def _why(self, value: Sum, name: str) -> tuple[str, str]:
        """What is in the way of a value, in words."""
        found = list(bases(value))
        learned = [b.name for b in found if isinstance(b, Data | Link) and b.learned]
        if learned:
            what = learned[0].partition("(")[0].partition(" of phase")[0]
            return (
                f"`{name}` is made with `{what}`, which is learned: it is no part of a gradient or a proximal "
                "map of the objective",
                "what is certified is made of steps, thresholds and momenta",
            )
        trees = [b for b in found if isinstance(b, Tree)]
        if any(b.function == "layer" for b in trees):
            return f"`{name}` is made with a layer", "a network has no worst case over a class"
        scalars = [b for b in trees if b.function in ("contract", "norm2", "norm1", "sumsq", "sum")]
        if scalars:
            return f"`{name}` takes a step that depends on the iterates", ""
        ours = {b.called for k in self.known for b in bases(k.at(1.0)) if isinstance(b, Tree)}
        if trees and trees[0].called in ours:
            return (
                f"`{trees[0].called}` is applied to no combination of points and gradients of the objective, or by a "
                "threshold that belongs to no step",
                "",
            )
        if trees:
            called = trees[0].called or trees[0].function
            return (
                f"`{called}` is the proximal map of no term of the objective, nor part of a gradient",
                "`unroll show` prints the proximal map of each term of a problem",
            )
        return (
            f"`{name}` takes a step that is along no gradient of the objective",
            "the objective, or the step, is another one",
        )


def _named(value: Sum, like: Sum) -> Sum:
    """The value in the very items of `like`, from which rounding may part it."""

    def name(word: Word, base: Base) -> Base:
        for other, known, _ in like.rest:
            if other == word and alike(base, known):
                return known
        return base

    return Sum.of((w, name(w, b), c) for w, b, c in value.items)


def lead(value: Sum) -> tuple[Word, Base, float] | None:
    """The item that tells a gradient or a proximal map: one that reads the hole."""
    items = [i for i in value.rest if HOLE in _points(i[1])]
    return items[0] if items else None


def _points(base: Base) -> list[int]:
    found = []
    for each in bases(Sum((((), base, 1.0),))):
        if isinstance(each, Point):
            found += [leaf for leaf, _ in each.terms]
    return found


def live(graph: Graph) -> frozenset[str]:
    """The states that the outputs need."""
    updates = {slot.name: slot.update for slot in graph.states}
    inside = reachable(graph.nodes, graph.outputs)
    waiting = [n.op.name for n in (graph.nodes[i] for i in inside) if isinstance(n.op, Final)]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        reads = reachable(graph.nodes, [updates[name]])
        waiting += [n.op.name for n in (graph.nodes[i] for i in reads) if isinstance(n.op, State)]
    return frozenset(found)
