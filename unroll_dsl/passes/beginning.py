"""The beginning: what states that start at 0 spare the first phase.

    state z : vector[m] = %1 then %6              state z : vector[m] = %1 first %7 then %6
    %4 = contract %3, %2 : vector[m]  (S @ z)     %4 = contract %3, %2 : vector[m]
    %5 = add %0, %4 : vector[m]               =>  %5 = add %0, %4 : vector[m]
    %6 = invoke[soft] %5, %8 : vector[m]          %6 = invoke[soft] %5, %8 : vector[m]
                                                  %7 = invoke[soft] %0, %8 : vector[m]

For programs that learn, since their phases are few; where it spares a product, a solution or a layer, all
phases are of one kind, and what is left of the zeros is nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from unroll_dsl.ir.batches import batched
from unroll_dsl.ir.graph import Graph, Slot
from unroll_dsl.ir.nodes import (
    Apply,
    ApplyLayer,
    Builtin,
    Constant,
    Contract,
    Elementwise,
    Expand,
    Node,
    Solve,
    State,
    Transpose,
)
from unroll_dsl.ir.stages import reachable
from unroll_dsl.passes.analysis.liveness import liveness
from unroll_dsl.passes.rewrite import Rewriting, with_nodes
from unroll_dsl.types import Array

_Found = tuple[int, Literal[1, -1]] | None  # a value and its sign; None: 0

_KEEP_ZERO = frozenset(
    {"neg", "conj", "real", "imag", "abs", "sign", "relu", "sqrt", "sin", "tanh"}
)
_LINEAR = frozenset({"neg", "conj", "real", "imag"})
_SOLVERS = frozenset({"cholesky_solve", "triangular_solve", "solve_dense"})
_COSTLY = Contract | Apply | Solve | ApplyLayer


class _Remains(Exception):
    """A zero has met an operation that says nothing of zeros."""


def beginning(graph: Graph) -> Graph:
    """Give each state that the phases hand on its value after the first phase, if that spares work."""
    inference, training = liveness(graph), liveness(graph, training=True)
    alike = not inference.tail and inference == training and not graph.traces
    if not (graph.parameters and alike):
        return graph
    handed = [slot for slot in graph.states if slot.name in inference.steady.updates]
    zeros = {slot.name for slot in graph.states if _is_zero(graph.nodes, slot)}
    try:
        found, firsts = _First(graph, zeros).run([slot.update for slot in handed])
    except _Remains:
        return graph
    where = {slot.name: first for slot, first in zip(handed, firsts, strict=True)}
    states = tuple(replace(slot, first=where.get(slot.name)) for slot in found.states)
    result = replace(found, states=states)
    return result if _spares(result, handed, firsts) and _fits(result, handed, firsts) else graph


def _is_zero(nodes: Sequence[Node], slot: Slot) -> bool:
    node = nodes[slot.initial]
    if isinstance(node.op, Expand):
        node = nodes[node.args[0]]
    return isinstance(node.op, Constant) and node.op.value == 0


def _spares(graph: Graph, handed: Sequence[Slot], firsts: Sequence[int]) -> bool:
    """Whether something costly is in a phase and not in the first one."""
    always = reachable(graph.nodes, [slot.update for slot in handed])
    first = reachable(graph.nodes, firsts)

    def count(ids: frozenset[int]) -> int:
        return sum(isinstance(graph.nodes[i].op, _COSTLY | Builtin) for i in ids)

    return count(first) < count(always)


def _fits(graph: Graph, handed: Sequence[Slot], firsts: Sequence[int]) -> bool:
    """Whether what differs from sample to sample does so after the first phase."""
    varying = batched(graph)
    return all(
        varying[first] == varying[slot.update] for slot, first in zip(handed, firsts, strict=True)
    )


class _First:
    """Adds to a graph what its phases compute where the states `zeros` are 0."""

    def __init__(self, graph: Graph, zeros: set[str]) -> None:
        self.graph = graph
        self.new = Rewriting.of(graph)
        for node in graph.nodes:
            self.new.add(node.op, node.args, node.type, node.origin, node.label)
        self.zeros = zeros
        self.found: dict[int, _Found] = {}

    def run(self, roots: Sequence[int]) -> tuple[Graph, list[int]]:
        for index in sorted(reachable(self.graph.nodes, roots)):
            self.found[index] = self._value(index)
        results = [self._whole(index) for index in roots]
        where = range(len(self.graph.nodes))
        return with_nodes(self.graph, self.new.nodes, where), results

    def _value(self, index: int) -> _Found:
        node = self.graph.nodes[index]
        if isinstance(node.op, State) and node.op.name in self.zeros:
            return None
        args = [self.found[a] for a in node.args]
        if args == [(a, 1) for a in node.args]:
            return index, 1
        match node.op, args:
            case (Elementwise("add" | "sub" as word), [left, right]):
                return self._sum(node, left, right, minus=word == "sub")
            case (Elementwise("mul") | Contract(), [_, _]) if None in args:
                return None
            case (Elementwise("mul" | "div") | Contract(), [(a, sign), (b, other)]):
                return self._made(node, (a, b)), (1 if sign == other else -1)
            case (Elementwise("div"), [None, _]):
                return None
            case (Elementwise(word), [None]) if word in _KEEP_ZERO:
                return None
            case (Elementwise("neg"), [(a, sign)]):
                return a, (-1 if sign == 1 else 1)
            case (Elementwise(word), [(a, sign)]) if word in _LINEAR:
                return self._made(node, (a,)), sign
            case (Transpose() | Expand(), [None]):
                return None
            case (Apply() | Solve(), [_, None, *_]):
                return None
            case (Apply(), [(a, 1), (b, sign)]):
                return self._made(node, (a, b)), sign
            case (Builtin(word), [None, _]) if word in _SOLVERS:
                return None
            case _:
                return self._made(node, tuple(self._whole(a) for a in node.args)), 1

    def _sum(self, node: Node, left: _Found, right: _Found, *, minus: bool) -> _Found:
        """A sum or difference of signed values, with as few minus signs as may be."""
        if right is not None and minus:
            right = right[0], (-1 if right[1] == 1 else 1)
        if left is None or right is None:
            alone = right if left is None else left
            if alone is not None and not _alike(self.new.type(alone[0]), node.type):
                raise _Remains
            return alone
        (a, sign), (b, other) = left, right
        if sign == other:
            return self._made(node, (a, b), "add"), sign
        first, second = (a, b) if sign == 1 else (b, a)
        return self._made(node, (first, second), "sub"), 1

    def _whole(self, index: int) -> int:
        """A value with its sign, as a node."""
        found = self.found[index]
        if found is None:
            raise _Remains
        value, sign = found
        return value if sign == 1 else self.new.elementwise("neg", value)

    def _made(self, node: Node, args: tuple[int, ...], word: str = "") -> int:
        """The node with other arguments, under the author's name for it."""
        op = Elementwise(word) if word else node.op
        return self.new.add(op, args, node.type, node.origin, node.label)


def _alike(type_: object, other: object) -> bool:
    assert isinstance(other, Array)
    return isinstance(type_, Array) and (type_.shape, type_.field) == (other.shape, other.field)
