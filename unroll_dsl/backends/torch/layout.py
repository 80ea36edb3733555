"""Where every value of a network lives: buffer, parameter, argument, local; and what it is called."""

from __future__ import annotations

import ast
from collections.abc import Callable, Container, Iterable, Mapping, Sequence

from unroll_dsl.backends.errors import NamesAlike
from unroll_dsl.backends.torch.block_classes import BlockClasses
from unroll_dsl.backends.torch.blocks import Block, plan
from unroll_dsl.backends.torch.constraints import constrained
from unroll_dsl.backends.torch.expressions import Like
from unroll_dsl.backends.torch.functions import Definitions, dim_expression
from unroll_dsl.backends.torch.ground import Ground
from unroll_dsl.backends.torch.names import Scope, class_name, distinct, identifier
from unroll_dsl.backends.torch.naming import factor_name, name_for
from unroll_dsl.backends.torch.surveying import survey
from unroll_dsl.backends.torch.templates import name
from unroll_dsl.diagnostics.raised import InternalError, UnrollError
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.graph import Graph, Parameter
from unroll_dsl.ir.nodes import Node, Stage
from unroll_dsl.source import Span
from unroll_dsl.types import Array, Dim, Field


class Layout(Ground):
    """Names and places of the values of one network, all of them known before anything is written.

    Three kinds of values outlive a statement: those known at set-up become buffers, those known once
    a call are computed by `start` and handed to the phases, states go from phase to phase.

    Attributes
    ----------
    buffers : dict of int to str
        Set-up values that later stages read, and their attributes.
    call_values : dict of int to str
        Values that `start` computes, and their names.
    """

    def __init__(self, graph: Graph, *, alike: bool = False) -> None:
        super().__init__(graph, alike=alike)
        self.class_name = class_name(graph.name)
        self.definitions = Definitions(graph, {self.class_name, *written_names(graph)})
        self.blocks = BlockClasses(graph, self.definitions, self.origin)
        self._scope = self.local(map(identifier, declared_names(graph)))
        found = survey(self)
        names = {index: self._fresh(index) for index in found.order}
        self.buffers: Mapping[int, str] = {i: names[i] for i in found.order if i in found.buffers}
        self.call_values: Mapping[int, str] = {
            i: names[i] for i in found.order if i not in found.buffers
        }

    def local(self, taken: Iterable[str]) -> Scope:
        """A scope within the module: its functions may be called, so no name hides one of them."""
        return Scope({*taken, *self.definitions.names})

    # ---- places ---------------------------------------------------------------------------------

    def buffer(self, index: int) -> str:
        """The attribute that holds a value known at set-up."""
        return self.buffers[index]

    def call_value(self, index: int) -> str:
        """The name under which `start` hands out a value known once a call."""
        return self.call_values[index]

    def _fresh(self, index: int) -> str:
        """A name in the network for a value."""
        op = self.nodes[index].op
        if isinstance(op, ops.Fixed | ops.Learnable):
            return identifier(op.name)
        return self._scope.fresh(name_for(self.nodes, index), factor_name(self.nodes[index]))

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
        invoke = self.definitions.callee
        return Block(self.nodes, self.facts, invoke, given, scope, size, like, self.origin)

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
            symbols[symbol] = found or name(f"self.{identifier(symbol)}")
        return dim_expression(dim, symbols)

    def like(self) -> Like:
        """What gives dtype and device in a method of the network: an input."""
        for entry in self.graph.inputs:
            return Like(name(identifier(entry.name)), entry.type.field is Field.COMPLEX)
        index = self.held_array()
        if index is None:
            raise InternalError("a network without inputs and constants")
        field = self.nodes[index].type
        assert isinstance(field, Array)
        return Like(name(f"self.{self.buffer(index)}"), field.field is Field.COMPLEX)

    def held(
        self, parameter: Parameter, value: ast.expr, bound: Callable[[int], ast.expr]
    ) -> ast.expr:
        """The expression of a parameter that keeps its constraint."""
        limits = parameter.limits
        assert limits is not None
        lower = None if limits.lower is None else bound(limits.lower)
        upper = None if limits.upper is None else bound(limits.upper)
        return constrained(value, lower, limits.lower_strict, upper, limits.upper_strict)


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
