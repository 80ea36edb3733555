"""What rewriting passes share: nodes under construction, rules, and a graph with new nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.ir.builder import NodeList
from unroll_dsl.ir.graph import FunctionBody, Graph, Limits
from unroll_dsl.ir.nodes import (
    Constant,
    Contract,
    Elementwise,
    Node,
    Op,
    Stage,
    Transpose,
)
from unroll_dsl.ir.stages import own_stage
from unroll_dsl.ir.typing import result_type
from unroll_dsl.source import Span
from unroll_dsl.types import Array, Field, Type


class Rewriting(NodeList):
    """Nodes being written anew. Knows the stage of each, and types what it makes."""

    def __init__(self, functions: Sequence[FunctionBody], per_phase: frozenset[str]) -> None:
        super().__init__()
        self.stages: list[Stage] = []
        self.shared: set[int] = set()  # read more than once in the graph that is rewritten
        self.made: dict[tuple[Op, tuple[int, ...]], int] = {}  # what rules have made of what
        self._functions = {body.name: body for body in functions}
        self._per_phase = per_phase

    @classmethod
    def of(cls, graph: Graph) -> Rewriting:
        """None yet of the nodes that are to stand for those of `graph`."""
        return cls(graph.functions, graph.per_phase)

    def add(
        self,
        op: Op,
        args: tuple[int, ...],
        type_: Type,
        origin: Span | None = None,
        label: str | None = None,
    ) -> int:
        stage = own_stage(op, self._per_phase)
        self.stages.append(max((stage, *(self.stages[a] for a in args))))
        return super().add(op, args, type_, origin, label)

    def node(self, op: Op, *args: int, origin: Span | None = None) -> Node:
        """A node, not yet added, whose type follows from its arguments."""
        found = result_type(op, tuple(self.type(a) for a in args), None, self._functions)
        if found is None or isinstance(found, str):
            raise InternalError(f"a pass made %{len(self.nodes)} = {op} of {args}: {found}")
        return Node(op, args, found, origin)

    def make(self, op: Op, *args: int, origin: Span | None = None) -> int:
        """Add a node whose type follows from its arguments."""
        node = self.node(op, *args, origin=origin)
        return self.add(node.op, node.args, node.type, node.origin)

    def array(self, index: int) -> Array:
        """The type of a node that is an array."""
        type_ = self.type(index)
        if not isinstance(type_, Array):
            raise InternalError(f"%{index} is {type_}, not an array")
        return type_

    # ---- shorthand ------------------------------------------------------------------------------

    def elementwise(self, word: str, *args: int, origin: Span | None = None) -> int:
        return self.make(Elementwise(word), *args, origin=origin)

    def product(self, first: int, second: int, origin: Span | None = None) -> int:
        return self.make(Contract(), first, second, origin=origin)

    def adjoint(self, matrix: int, origin: Span | None = None) -> int:
        """The conjugate transpose; that of a conjugate transpose is the matrix itself."""
        node = self.nodes[matrix]
        if isinstance(node.op, Transpose):
            return node.args[0]
        return self.make(Transpose(), matrix, origin=origin)

    def conj(self, index: int, origin: Span | None = None) -> int:
        """The complex conjugate; of a real value the value."""
        if self.array(index).field is not Field.COMPLEX:
            return index
        return self.elementwise("conj", index, origin=origin)

    def number(self, value: float, origin: Span | None = None) -> int:
        return self.make(Constant(value), origin=origin)


@dataclass(frozen=True, slots=True)
class Rule:
    """A local rewrite: `apply` returns the id of what stands for a node, or None to leave it."""

    name: str
    apply: Callable[[Rewriting, Node], int | None]


def rewrite(graph: Graph, rules: Sequence[Rule]) -> Graph:
    """Apply the first rule that matches to each node, arguments first, and to what it makes."""
    bodies = tuple(
        _rewrite_body(body, Rewriting(graph.functions, frozenset()), rules)
        for body in graph.functions
    )
    new = Rewriting.of(graph)
    where = _rewrite_nodes(graph.nodes, new, rules)
    return with_nodes(replace(graph, functions=bodies), new.nodes, where)


def _rewrite_body(body: FunctionBody, new: Rewriting, rules: Sequence[Rule]) -> FunctionBody:
    where = _rewrite_nodes(body.nodes, new, rules)
    return replace(body, nodes=tuple(new.nodes), result=where[body.result])


def _rewrite_nodes(nodes: Sequence[Node], new: Rewriting, rules: Sequence[Rule]) -> list[int]:
    uses = Counter(argument for node in nodes for argument in node.args)

    def ruled(index: int, moved: Node) -> int:
        found = apply_rules(new, moved, rules)
        if uses[index] > 1:
            new.shared.add(found)
        return found

    return copied(nodes, new, ruled)


def copied(
    nodes: Sequence[Node],
    new: NodeList,
    instead: Callable[[int, Node], int | None],
    where: list[int] | None = None,
) -> list[int]:
    """Append nodes to `new`, arguments first, and tell for each old id the new one.

    Parameters
    ----------
    instead
        Given a node's old id and the node with the new ids of its arguments: what stands for it, or
        None to leave it. The author's name goes over to what has none.
    where
        The list that is returned, for an `instead` that asks for the new ids of earlier nodes.
    """
    where = [] if where is None else where
    for index, node in enumerate(nodes):
        moved = replace(node, args=tuple(where[a] for a in node.args))
        found = instead(index, moved)
        if found is None:
            found = new.add(moved.op, moved.args, moved.type, moved.origin, moved.label)
        elif node.label is not None:
            new.relabel(found, node.label)
        where.append(found)
    return where


def apply_rules(new: Rewriting, node: Node, rules: Sequence[Rule]) -> int:
    """The id of `node`, or of what the first matching rule puts in its place; `copied` names it."""
    for rule in rules:
        found = rule.apply(new, node)
        if found is not None:
            return found
    return new.add(node.op, node.args, node.type, node.origin, node.label)


def with_nodes(graph: Graph, nodes: Sequence[Node], where: Sequence[int]) -> Graph:
    """`graph` over other nodes; `where` tells for each old id the new one."""

    def moved(index: int | None) -> int | None:
        return None if index is None else where[index]

    def limits(found: Limits | None) -> Limits | None:
        if found is None:
            return None
        return replace(found, lower=moved(found.lower), upper=moved(found.upper))

    return replace(
        graph,
        constants=tuple(
            replace(c, limits=limits(c.limits), default=moved(c.default)) for c in graph.constants
        ),
        parameters=tuple(
            replace(
                p,
                limits=limits(p.limits),
                initial=where[p.initial] if isinstance(p.initial, int) else p.initial,
            )
            for p in graph.parameters
        ),
        states=tuple(
            replace(s, initial=where[s.initial], update=where[s.update], first=moved(s.first))
            for s in graph.states
        ),
        traces=tuple(replace(t, node=where[t.node]) for t in graph.traces),
        outputs=tuple(where[index] for index in graph.outputs),
        loss=moved(graph.loss),
        objective=moved(graph.objective),
        nodes=tuple(nodes),
    )


def scalar(rewriting: Rewriting, index: int) -> bool:
    type_ = rewriting.type(index)
    return isinstance(type_, Array) and type_.rank == 0


def rank(rewriting: Rewriting, index: int) -> int:
    """The number of axes of an array; -1 for what is none."""
    type_ = rewriting.type(index)
    return type_.rank if isinstance(type_, Array) else -1
