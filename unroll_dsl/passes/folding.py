"""Folding: what no input changes becomes a value of its own, for networks that learn no more.

    %3 = learnable lambda : real
    %5 = div %3, %4                        =>     %3 = fixed lambda_over_L : real
    %9 = builtin[shrink] %8, %5                   %9 = builtin[shrink] %8, %3

The result is a program for inference: declarations are the folded values, fixed, or per phase where they
depend on the phase. Numbers that only sizes and the phase number tell stay; so do layers and maps from
outside, which are no arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from unroll_dsl.ir.graph import Constant, Graph, Parameter
from unroll_dsl.ir.nodes import (
    Constant as Number,
)
from unroll_dsl.ir.nodes import (
    ConvolvePair,
    Elementwise,
    Expand,
    Final,
    Fixed,
    Input,
    Learnable,
    Node,
    PairKernel,
    PhaseNumber,
    Size,
    State,
    Target,
    Traced,
    Transpose,
    Variable,
)
from unroll_dsl.passes.dead import dead
from unroll_dsl.passes.rewrite import Rewriting, copied, with_nodes
from unroll_dsl.source import Span
from unroll_dsl.types import SCALAR, Array, Field, Type

_VARYING = Input | State | Final | Target | Traced | Variable
_ARITHMETIC = frozenset({"add", "sub", "mul", "div", "pow", "neg"})


@dataclass(frozen=True, slots=True)
class Folded:
    """A program for inference.

    `values` tells, for each declaration of `graph` that is an array, the id of what it stands for in
    `before`: the program that was folded, whose ids are `where` by those of the program as it came.
    """

    before: Graph
    where: tuple[int, ...]
    graph: Graph
    values: dict[str, int]


def folding(graph: Graph, name: Callable[[Graph, int], str]) -> Folded:
    """Fold a program that the other passes have prepared; `name` proposes names for values."""
    inference = replace(graph, loss=None, objective=None, traces=(), targets=(), variables=())
    before, where = _with_kernels(_for_outputs(inference))
    folded, values = _Folding(before, name).run()
    return Folded(before, where, folded, values)


def _for_outputs(graph: Graph) -> Graph:
    """Without states that no output needs, and with 0 for starts that no phase reads: the values that
    they are made of are not at hand in a network."""
    slots = {slot.name: slot for slot in graph.states}
    read: set[str] = set()  # as a phase begins, so that the start is needed too
    needed: set[str] = set()
    seen: set[int] = set()
    waiting = list(graph.outputs)
    while waiting:
        index = waiting.pop()
        if index in seen:
            continue
        seen.add(index)
        node = graph.nodes[index]
        waiting.extend(node.args)
        if not isinstance(node.op, State | Final):
            continue
        slot = slots[node.op.name]
        needed.add(slot.name)
        waiting += [i for i in (slot.update, slot.first) if i is not None]
        if isinstance(node.op, State):
            read.add(slot.name)
            waiting.append(slot.initial)
    nodes = list(graph.nodes)
    states = []
    for slot in graph.states:
        if slot.name not in needed:
            continue
        if slot.name not in read:
            nodes.append(Node(Number(0), (), SCALAR, slot.origin))
            if slot.type != SCALAR:
                nodes.append(Node(Expand(), (len(nodes) - 1,), slot.type, slot.origin))
            slot = replace(slot, initial=len(nodes) - 1)
        states.append(slot)
    return replace(graph, nodes=tuple(nodes), states=tuple(states))


def _with_kernels(graph: Graph) -> tuple[Graph, tuple[int, ...]]:
    """The kernels of pairs of convolutions as values of their own; the new ids by the old ones."""
    new = Rewriting(graph.functions, graph.per_phase)

    def with_kernel(_: int, moved: Node) -> int | None:
        if moved.op != ConvolvePair():
            return None
        kernel = new.make(PairKernel(), *moved.args[:2], origin=moved.origin)
        args = (*moved.args[:3], kernel)
        return new.add(moved.op, args, moved.type, moved.origin, moved.label)

    where = copied(graph.nodes, new, with_kernel)
    return with_nodes(graph, new.nodes, where), tuple(where)


class _Folding:
    def __init__(self, graph: Graph, name: Callable[[Graph, int], str]) -> None:
        self.graph = graph
        self.name = name
        per_phase = graph.per_phase
        self.known: list[bool] = []  # no input, state or target in it
        self.plain: list[bool] = []  # a number of sizes and the phase number
        self.by_phase: list[bool] = []
        for node in graph.nodes:
            self.known.append(
                not isinstance(node.op, _VARYING) and all(self.known[a] for a in node.args)
            )
            self.plain.append(_is_plain(node) and all(self.plain[a] for a in node.args))
            own = isinstance(node.op, PhaseNumber) or (
                isinstance(node.op, Learnable) and node.op.name in per_phase
            )
            self.by_phase.append(own or any(self.by_phase[a] for a in node.args))
        self.taken = {e.name for e in graph.inputs} | {s.name for s in graph.states}
        self.taken |= {symbol for symbol, _ in graph.dims}
        self.taken |= {p.name for p in graph.parameters} | {c.name for c in graph.constants}
        self.constants: list[Constant] = []
        self.parameters: list[Parameter] = []
        self.values: dict[str, int] = {}

    def run(self) -> tuple[Graph, dict[str, int]]:
        graph = self.graph
        roots = [*graph.outputs, *(i for s in graph.states for i in (s.initial, s.update))]
        roots += [s.first for s in graph.states if s.first is not None]
        needed: set[int] = set()
        waiting = list(roots)
        while waiting:
            index = waiting.pop()
            if index not in needed:
                needed.add(index)
                if not self._folds(index):
                    waiting.extend(graph.nodes[index].args)
        new = Rewriting(graph.functions, frozenset())
        where: list[int] = []
        for index, node in enumerate(graph.nodes):
            if index not in needed:
                where.append(-1)
            elif self._folds(index):
                where.append(self._declare(new, index))
            else:
                args = tuple(where[a] for a in node.args)
                where.append(new.add(node.op, args, node.type, node.origin, node.label))
        self._modules(needed)
        bare = replace(graph, constants=(), parameters=())
        made = with_nodes(bare, new.nodes, where)
        made = replace(made, constants=tuple(self.constants), parameters=tuple(self.parameters))
        return dead(made), self.values

    def _folds(self, index: int) -> bool:
        """Whether a value is kept as it is: an array that no input changes, and no view of one."""
        node = self.graph.nodes[index]
        if not isinstance(node.type, Array) or node.type.field is Field.BOOL:
            return False
        if not self.known[index] or self.plain[index]:
            return False
        view = isinstance(node.op, Expand) or (
            isinstance(node.op, Transpose) and node.label is None
        )
        return not view

    def _declare(self, new: Rewriting, index: int) -> int:
        """A declaration for a folded value, and the node that reads it."""
        node = self.graph.nodes[index]
        assert isinstance(node.type, Array)
        word = self._word(index)
        self.values[word] = index
        origin = node.origin or Span(self.graph.file, 0, 0)
        number = node.type.rank == 0 and node.type.field is Field.REAL
        if not self.by_phase[index]:
            constant = Constant(word, node.type, None, None, "", origin, number)
            self.constants.append(constant)
            return new.add(Fixed(word), (), node.type, node.origin)
        self.parameters.append(
            Parameter(word, node.type, None, True, None, "", origin, trainable=False, number=number)
        )
        return new.add(Learnable(word), (), node.type, node.origin)

    def _word(self, index: int) -> str:
        """The name of a declaration: its own, else one that is free."""
        node = self.graph.nodes[index]
        if isinstance(node.op, Learnable | Fixed):
            return node.op.name
        wish = "kernel" if node.op == PairKernel() else self.name(self.graph, index)
        word, number = wish, 2
        while word in self.taken:
            word, number = f"{wish}_{number}", number + 1
        self.taken.add(word)
        return word

    def _modules(self, needed: set[int]) -> None:
        """Layers and maps keep their declarations."""
        read = {
            node.op.name
            for index, node in enumerate(self.graph.nodes)
            if index in needed
            and isinstance(node.op, Learnable | Fixed)
            and not _is_array(node.type)
        }
        self.constants += [c for c in self.graph.constants if c.name in read]
        self.parameters += [
            replace(p, trainable=False) for p in self.graph.parameters if p.name in read
        ]


def _is_array(type_: Type) -> bool:
    return isinstance(type_, Array)


def _is_plain(node: Node) -> bool:
    match node.op:
        case Number() | Size() | PhaseNumber():
            return True
        case Elementwise(function):
            return function in _ARITHMETIC
        case _:
            return False
