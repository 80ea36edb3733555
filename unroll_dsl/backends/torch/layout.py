"""Where every value of a network lives: buffer, parameter, argument, local; and what it is called."""

from __future__ import annotations

import ast
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import replace

from unroll_dsl.backends.errors import NamesAlike
from unroll_dsl.backends.torch.blocks import Block, derived_name, plan
from unroll_dsl.backends.torch.constraints import constrained
from unroll_dsl.backends.torch.expressions import Functions, Like
from unroll_dsl.backends.torch.facts import facts
from unroll_dsl.backends.torch.functions import Definitions, dim_expression
from unroll_dsl.backends.torch.names import Scope, class_name, distinct, identifier
from unroll_dsl.backends.torch.phases import Kind, kinds
from unroll_dsl.backends.torch.templates import name, number
from unroll_dsl.diagnostics.raised import InternalError, UnrollError
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.graph import Graph, Limits, Parameter
from unroll_dsl.ir.nodes import Node, Stage
from unroll_dsl.ir.stages import reachable, roots, stages
from unroll_dsl.passes.analysis.liveness import liveness
from unroll_dsl.source import Span
from unroll_dsl.types import Array, Dim, Field


class Layout:
    """Names and places of the values of one network.

    Three kinds of values outlive a statement: those known at set-up become buffers, those known once
    a call are computed by `start` and handed to the phases, states go from phase to phase.
    """

    def __init__(self, graph: Graph, *, alike: bool = False) -> None:
        """`alike`: the last phases compute what the others do, though no output needs it."""
        self.graph = graph
        self.nodes = graph.nodes
        self.facts = facts(graph)
        self.stages = _stages(graph)
        self.functions = Functions()
        self.class_name = class_name(graph.name)
        written = written_names(graph)
        self.definitions = Definitions(graph, self.functions, {self.class_name, *written})
        self.parameters = {p.name: p for p in graph.parameters}
        self.constants = {c.name: c for c in graph.constants}
        self.inference = liveness(graph)
        with_loss = graph.loss is not None
        self.training = liveness(graph, training=True) if with_loss else self.inference
        self.kinds: tuple[Kind, ...] = kinds(self.inference, self.training) if graph.states else ()
        if alike:
            self.kinds = self.kinds[:1]
        self.has_phase_class = any(kind.parameters for kind in self.kinds)
        self.scope = self.local(map(identifier, declared_names(graph)))
        self.buffers: dict[int, str] = {}  # set-up values that later stages read -> attribute
        self.call_values: dict[int, str] = {}  # values computed by `start` -> name
        self.size_attributes: set[str] = set()  # sizes that `forward` reads as attributes

    def local(self, taken: Iterable[str]) -> Scope:
        """A scope within the module: its functions may be called, so no name hides one of them."""
        return Scope({*taken, *self.definitions.names})

    # ---- places ---------------------------------------------------------------------------------

    def is_view(self, index: int) -> bool:
        """What is no value of its own, but written out over its arguments wherever it is read."""
        node = self.nodes[index]
        declared = isinstance(node.op, ops.Fixed | ops.Learnable | ops.State)
        return (
            (self.facts.numbers[index] and not declared)
            or (not isinstance(node.type, Array) and not self.is_module(index))
            or (isinstance(node.op, ops.Transpose) and node.label is None)
        )

    def is_module(self, index: int) -> bool:
        """A layer or a map from outside: an attribute that is called."""
        node = self.nodes[index]
        return isinstance(node.op, ops.Fixed | ops.Learnable) and not isinstance(node.type, Array)

    def is_outer(self, index: int, here: Stage) -> bool:
        """Whether a node comes from an earlier stage than `here`, or is a leaf."""
        if self.is_view(index):
            return False
        return self.stages[index] < here or not self.nodes[index].args

    def buffer(self, index: int) -> str:
        """The attribute that holds a value known at set-up."""
        if index not in self.buffers:
            node = self.nodes[index]
            if isinstance(node.op, ops.Fixed):
                self.buffers[index] = identifier(node.op.name)
            else:
                wish = node.label or derived_name(self.nodes, index) or "setup"
                self.buffers[index] = self.scope.fresh(wish)
        return self.buffers[index]

    def call_value(self, index: int) -> str:
        """The name under which `start` hands out a value known once a call."""
        if index not in self.call_values:
            node = self.nodes[index]
            if isinstance(node.op, ops.Learnable):
                self.call_values[index] = identifier(node.op.name)
            else:
                wish = node.label or derived_name(self.nodes, index) or "shared"
                self.call_values[index] = self.scope.fresh(wish)
        return self.call_values[index]

    def parameter(self, index: int) -> Parameter:
        op = self.nodes[index].op
        assert isinstance(op, ops.Learnable)
        return self.parameters[op.name]

    def outer_in_network(self, index: int) -> ast.expr:
        """The expression of a value from an earlier stage, in a method of the network."""
        node = self.nodes[index]
        match node.op:
            case ops.Input(word) | ops.State(word) | ops.Final(word) | ops.Target(word):
                return name(identifier(word))
            case ops.Traced(word):
                return name(identifier(word))
            case ops.Learnable(word) if self.parameters[word].limits is None:
                return name(f"self.{identifier(word)}")
            case _ if self.stages[index] is Stage.SETUP:
                return name(f"self.{self.buffer(index)}")
            case _:
                return name(self.call_value(index))

    # ---- writing --------------------------------------------------------------------------------

    def given(
        self,
        roots: Sequence[int],
        here: Stage,
        find: Callable[[int], ast.expr | None],
        known: Container[int] = (),
    ) -> dict[int, ast.expr]:
        """The values that come to `roots` from outside, each with its expression; `known` ones
        have theirs already."""
        found = plan(self.nodes, roots, lambda index: index in known or self.is_outer(index, here))
        given: dict[int, ast.expr] = {}
        for index in found.given:
            expr = None if index in known else find(index)
            if expr is not None:
                given[index] = expr
        return given

    def block(
        self,
        given: dict[int, ast.expr],
        scope: Scope,
        size: Callable[[Dim], ast.expr],
        like: Callable[[], Like],
    ) -> Block:
        return Block(self.nodes, self.facts, self.functions, given, scope, size, like, self.origin)

    def origin(self, node: Node) -> str:
        """The provenance comment of a node."""
        if node.origin is None or node.origin.file is not self.graph.file:
            return ""
        return place(node.origin)

    def size(self, dim: Dim) -> ast.expr:
        """A dimension in a method of the network: from an input, else an attribute."""
        symbols: dict[str, ast.expr] = {}
        for symbol in dim.symbols:
            found = shape_of(symbol, [(identifier(e.name), e.type) for e in self.graph.inputs])
            if found is None:
                self.size_attributes.add(symbol)
                found = name(f"self.{identifier(symbol)}")
            symbols[symbol] = found
        return dim_expression(dim, symbols)

    def like(self) -> Like:
        """What gives dtype and device in a method of the network: an input."""
        for entry in self.graph.inputs:
            return Like(name(identifier(entry.name)), entry.type.field is Field.COMPLEX)
        for constant in self.graph.constants:
            if isinstance(constant.type, Array):
                index = next(
                    i for i, n in enumerate(self.nodes) if n.op == ops.Fixed(constant.name)
                )
                attribute = self.buffer(index)
                return Like(name(f"self.{attribute}"), constant.type.field is Field.COMPLEX)
        raise InternalError("a network without inputs and constants")

    def held(
        self, parameter: Parameter, value: ast.expr, bound: Callable[[int], ast.expr]
    ) -> ast.expr:
        """The expression of a parameter that keeps its constraint."""
        limits = parameter.limits
        assert limits is not None
        lower = None if limits.lower is None else bound(limits.lower)
        upper = None if limits.upper is None else bound(limits.upper)
        return constrained(
            self.functions, value, lower, limits.lower_strict, upper, limits.upper_strict
        )

    def literal(self, index: int) -> ast.expr | None:
        """A bound that is a literal number."""
        op = self.nodes[index].op
        if isinstance(op, ops.Constant):
            return number(op.value)
        if isinstance(op, ops.Elementwise) and op.function == "neg":
            inner = self.nodes[self.nodes[index].args[0]].op
            if isinstance(inner, ops.Constant):
                return number(-inner.value)
        return None

    def bounds(self, limits: Limits | None) -> tuple[int, ...]:
        if limits is None:
            return ()
        return tuple(b for b in (limits.lower, limits.upper) if b is not None)


def declared_names(graph: Graph) -> list[str]:
    """The names that a program declares for values and sizes.

    Raises
    ------
    UnrollError
        Where Python takes two of them for one.
    """
    found = [c.name for c in graph.constants] + [p.name for p in graph.parameters]
    found += [e.name for e in graph.inputs] + [slot.name for slot in graph.states]
    found += [t.name for t in graph.targets] + [t.name for t in graph.traces]
    found += [word for word, _ in graph.dims]
    alike = distinct(dict.fromkeys(found))
    if alike is not None:
        raise UnrollError([NamesAlike(*alike, identifier(alike[0]))])
    return found


def written_names(graph: Graph) -> set[str]:
    """All names of a program's values as Python spells them, `let`s and parameters of functions too."""
    words = declared_names(graph)
    words += [node.label for node in graph.nodes if node.label is not None]
    for body in graph.functions:
        words += [word for word, _ in body.parameters]
        words += [node.label for node in body.nodes if node.label is not None]
    return {identifier(word) for word in words}


def _stages(graph: Graph) -> tuple[Stage, ...]:
    """Stages as dependence tells; but what the first phase alone reads is computed there."""
    firsts = reachable(graph.nodes, [s.first for s in graph.states if s.first is not None])
    others = tuple(replace(slot, first=None) for slot in graph.states)
    alone = firsts - reachable(graph.nodes, roots(replace(graph, states=others)))
    return tuple(
        Stage.PHASE if index in alone and stage is Stage.CALL else stage
        for index, stage in enumerate(stages(graph))
    )


def place(span: Span) -> str:
    """A provenance comment: file and line, without folders."""
    return f"{span.file.name.rpartition('/')[2]}:{span.line}"


def shape_of(symbol: str, arrays: Sequence[tuple[str, Array]]) -> ast.expr | None:
    """`x.shape[-1]` for a symbol that is an axis of one of the arrays."""
    for array, type_ in arrays:
        for axis, dim in enumerate(type_.shape):
            if dim == Dim.of(symbol):
                return name(f"{array}.shape[{axis - type_.rank}]")
    return None
