"""Graph -> values in symbols: what a phase computes of states that are points.

Numbers are computed: by the reference where nothing but declarations is read, else here. Linear algebra is
opened into words of maps; functions of the prelude and of the page are written out; all else is a tree.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from unroll_dsl.backends.numpy import Reference
from unroll_dsl.backends.numpy.faults import quiet
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.graph import Graph, Random
from unroll_dsl.ir.nodes import Node
from unroll_dsl.operators.registry import function, linear_operator
from unroll_dsl.oracle.errors import Refused
from unroll_dsl.oracle.values import (
    IDENTITY,
    Data,
    Link,
    Map,
    Point,
    Sum,
    Tree,
    Value,
    data,
    has_points,
    ones,
    tree,
)
from unroll_dsl.types import Array, Field

_COMMUTES = ("mul", "max", "min", "and", "or", "eq", "ne")


@dataclass(frozen=True, slots=True)
class Page:
    """A graph with the numbers of an instance. `given`: numbers in place of declared ones."""

    graph: Graph
    reference: Reference
    still: tuple[bool, ...]  # nodes that no input and no state changes
    drawn: frozenset[str]  # learnables whose values were drawn at random
    real: bool  # the unknown is real
    given: Mapping[str, float]

    @staticmethod
    def of(
        graph: Graph,
        reference: Reference,
        init: Mapping[str, Any],
        real: bool,
        given: Mapping[str, float] | None = None,
    ) -> Page:
        drawn = {p.name for p in graph.parameters if isinstance(p.initial, Random)} - {*init}
        return Page(graph, reference, quiet(graph.nodes), frozenset(drawn), real, given or {})


class Reader:
    """The values of nodes in one phase. `settle` opens a value into a point where it can."""

    def __init__(
        self,
        page: Page,
        k: int,
        states: Mapping[str, Value],
        settle: Callable[[Sum], Sum] = lambda value: value,
        final: bool = False,
    ) -> None:
        self.page, self.k, self.states, self.settle, self.final = page, k, states, settle, final
        self.graph = page.graph
        self.known: dict[int, Value] = {}
        self.trainable = {p.name: p for p in self.graph.parameters}

    def value(self, index: int) -> Value:
        """The value of a node of the graph."""
        return self._in(self.graph.nodes, index, self.known, ())

    # ---- nodes ------------------------------------------------------------------------------------

    def _in(
        self, nodes: Sequence[Node], index: int, known: dict[int, Value], arguments: Sequence[Value]
    ) -> Value:
        """The value of a node of the graph, or of a function body with `arguments`."""
        if index in known:
            return known[index]
        waiting = [index]
        while waiting:
            place = waiting[-1]
            if place in known:
                waiting.pop()
                continue
            node = nodes[place]
            top = nodes is self.graph.nodes
            number = self._number_at(place, node) if top else None
            missing = [a for a in node.args if a not in known] if number is None else []
            if missing:
                waiting += missing
                continue
            given = [known[a] for a in node.args] if number is None else []
            found = self._node(node, given, arguments) if number is None else number
            known[place] = found
            waiting.pop()
        return known[index]

    def _number_at(self, index: int, node: Node) -> float | None:
        """The number that a scalar of declarations alone is."""
        if not self.page.still[index] or not isinstance(node.type, Array) or node.type.rank:
            return None
        if isinstance(node.op, ops.Elementwise) or node.type.field is Field.COMPLEX:
            return None  # computed here of its arguments, which may be given
        if isinstance(node.op, ops.Fixed | ops.Learnable):
            if node.op.name in self.page.given:
                return float(self.page.given[node.op.name])
            if node.op.name in self.page.drawn:
                raise Refused(f"`{node.op.name}` starts at random: train it, or give its value")
        return float(self.page.reference.before_inputs((index,), self.k)[0])

    def _node(self, node: Node, given: list[Value], arguments: Sequence[Value]) -> Value:
        op, rank = node.op, node.type.rank if isinstance(node.type, Array) else -1
        match op:
            case ops.Constant(value):
                return float(value)
            case ops.PhaseNumber():
                return float(self.k)
            case ops.Argument(index):
                return arguments[index]
            case ops.State(name) | ops.Final(name):
                return self.states[name]
            case ops.Fixed(name) | ops.Learnable(name):
                return self._declared(name, node)
            case ops.Input(name) if name in self.states:
                return self.states[name]
            case ops.Input(name):
                return _map(Link(name)) if rank < 0 else data(name)
            case ops.Elementwise(name):
                return self._elementwise(name, given, node)
            case ops.Invoke(name):
                body = self.graph.function(name)
                return _called(self._in(body.nodes, body.result, {}, given), name)
            case ops.Expand():
                return ones(given[0]) if isinstance(given[0], float) else given[0]
            case ops.Eye() | ops.IdentityMap():
                return IDENTITY
            case ops.Transpose() | ops.AdjointMap():
                return as_map(given[0]).adjoint()
            case ops.DiagonalMap():
                return self._diagonal(given[0])
            case ops.ComposeMap():
                return as_map(given[0]).after(as_map(given[1]))
            case ops.AddMap(sign):
                return as_map(given[0]) + as_map(given[1]) * float(sign)
            case ops.ScaleMap():
                return as_map(given[1]) * self._factor(given[0])
            case ops.Operator(name, statics):
                record = linear_operator(name)
                key = f"{name}({', '.join(map(str, (*statics, *given)))})" if node.args else name
                key = f"{name}{statics}" if statics and not node.args else key
                return _map(
                    Link(key, unitary="unitary" in record.structure, learned=_learned(given))
                )
            case ops.Contract() | ops.Apply():
                return self._applied(given[0], given[1], node)
            case ops.Solve():
                return self._solved(as_map(given[0]), _sum(given[1]))
            case _:
                return self._opaque(node, given)

    def _declared(self, name: str, node: Node) -> Value:
        """A fixed or learnable array: a number in every entry, or data by its name."""
        parameter = self.trainable.get(name)
        learned = parameter is not None and parameter.trainable
        key = f"{name} of phase {self.k}" if parameter is not None and parameter.per_phase else name
        if not isinstance(node.type, Array):
            return _map(Link(key, learned=learned))
        if node.type.rank == 1 and name not in self.page.drawn:
            values = np.asarray(self._array(name))
            if values.size and (values == values.flat[0]).all() and not np.iscomplexobj(values):
                return ones(float(values.flat[0]))
        return data(key, learned)

    def _array(self, name: str) -> Any:
        reference, parameter = self.page.reference, self.trainable.get(name)
        if parameter is None:
            return reference.constant(name)
        value = reference.parameter(name)
        return value[self.k - 1] if parameter.per_phase else value

    def _opaque(self, node: Node, given: list[Value]) -> Value:
        """What no rule opens."""
        match node.op:
            case ops.Builtin(name, statics):
                word = f"{name}{statics or ''}"
                numbers = [v for v in given if isinstance(v, float)]
                if given and len(numbers) == len(given) and not statics:
                    return float(function(name).numpy(*numbers))
            case ops.ApplyLayer():
                word = "layer"
            case _:
                word = type(node.op).__name__
        return tree(word, [self._settled(v) for v in given], word)

    # ---- arithmetic -------------------------------------------------------------------------------

    def _elementwise(self, name: str, given: list[Value], node: Node) -> Value:
        numbers = [v for v in given if isinstance(v, float)]
        if len(numbers) == len(given):
            with np.errstate(all="ignore"):
                number = float(function(name).numpy(*numbers))
            if not math.isfinite(number):
                raise Refused("a number that it takes is not finite", "", node.origin)
            return number
        match name, given:
            case "add", [a, b]:
                return as_map(a) + as_map(b) if _maps(a, b) else _spread(a) + _spread(b)
            case "sub", [a, b]:
                if _maps(a, b):
                    return as_map(a) + as_map(b) * -1.0
                return _spread(a) + _spread(b) * -1.0
            case "neg", [a]:
                assert isinstance(a, Sum | Map)
                return a * -1.0
            case "mul", [float() as c, Sum() | Map() as v] | [Sum() | Map() as v, float() as c]:
                return v * c
            case "div", [Sum() | Map() as v, float() as c]:
                return v * (1 / c) if c else tree("div", given)
            case "real", [Sum() as v]:
                return self._real(v)
            case "mul", [Sum() as a, Sum() as b]:
                return self._product(a, b, node)
            case "div", [Sum() as a, Sum() as b] if not has_points(b):
                uniform = _uniform(b)
                return (
                    a * (1 / uniform) if uniform else self._diagonal(tree("inverse", [b])).apply(a)
                )
        settled = [self._settled(v) for v in given]
        if name in _COMMUTES:
            settled.sort(key=_order)
        return tree(name, settled, name)

    def _real(self, value: Sum) -> Sum:
        """The real part; of what is real, itself."""
        link = Link("real")
        return Sum.of(
            (w, b, c)
            if (w[:1] == (link,)) or (not w and isinstance(b, Point) and self.page.real)
            else ((link, *w), b, c)
            for w, b, c in value.items
        )

    def _product(self, a: Sum, b: Sum, node: Node) -> Value:
        for factor, other in ((a, b), (b, a)):
            uniform = _uniform(factor)
            if uniform is not None:
                return other * uniform
        for factor, other in ((a, b), (b, a)):
            if not has_points(factor):
                return self._diagonal(factor).apply(other)
        return tree("mul", sorted([self._settled(a), self._settled(b)], key=_order), "mul")

    def _diagonal(self, value: Value) -> Map:
        """The product with an array."""
        if isinstance(value, float):
            return IDENTITY * value
        uniform = _uniform(value)
        if uniform is not None:
            return IDENTITY * uniform
        if has_points(value):
            raise Refused("an entry of a diagonal depends on the iterates")
        return _map(Link(f"diag {value}", learned=_learned([value])))

    def _factor(self, value: Value) -> float:
        if not isinstance(value, float):
            raise Refused("a map is scaled by what depends on the iterates or the data")
        return value

    # ---- maps -------------------------------------------------------------------------------------

    def _applied(self, first: Value, second: Value, node: Node) -> Value:
        if not isinstance(second, Sum) and not has_points(first):  # a product of matrices
            return as_map(first).after(as_map(second)) if isinstance(second, Map) else ones(0.0)
        if has_points(first):
            if has_points(second):
                return tree("contract", [self._settled(first), self._settled(second)], "@")
            return as_map(second).adjoint().apply(_sum(self._settled(first)))  # v @ A
        if isinstance(node.type, Array) and not node.type.rank:
            return tree("contract", [first, second], "@")
        return as_map(first).apply(_sum(self._settled(second)))

    def _solved(self, system: Map, right: Sum) -> Value:
        """`solve(M, b)`, M and b divided by the number before the identity of M, or before its first word."""
        right = _sum(self._settled(right))
        scale = system.scale
        if len(system.words) == 1 and not system.words[0][0]:
            return right * (1 / scale)
        if scale:
            system, right = system * (1 / scale), right * (1 / scale)
        return tree("solve", [system, right], "solve")

    def _settled(self, value: Value) -> Value:
        return self.settle(value) if isinstance(value, Sum) else value


def as_map(value: Value) -> Map:
    """A value that stands for a map: a matrix by its name."""
    match value:
        case Map():
            return value
        case float():
            return IDENTITY * value
        case Sum(items):
            words = []
            for word, base, c in items:
                match base:
                    case Data(name, learned):
                        words.append(((*word, Link(name, learned=learned)), c))
                    case Tree():
                        words.append(((*word, Link(str(base), learned=_learned([value]))), c))
                    case _:
                        raise Refused("a matrix is made of the iterates")
            return Map.of(words)


def _map(link: Link) -> Map:
    return Map((((link,), 1.0),))


def _maps(a: Value, b: Value) -> bool:
    return isinstance(a, Map) or isinstance(b, Map)


def _sum(value: Value) -> Sum:
    match value:
        case Sum():
            return value
        case float():
            return ones(value)
        case Map():  # a matrix as the data that it is
            return tree("matrix", [value])


def _spread(value: Value) -> Sum:
    return _sum(value)


def _uniform(value: Value) -> float | None:
    """The number that every entry is."""
    if isinstance(value, Sum):
        match value.items:
            case ():
                return 0.0
            case (((), Data("1"), c),):
                return c
    return None


def _learned(values: Sequence[Value]) -> bool:
    from unroll_dsl.oracle.values import bases

    return any(getattr(base, "learned", False) for v in values for base in bases(v))


def _order(value: Value) -> str:
    """An order of arguments that commute: by what they are, not by their numbers."""
    match value:
        case Sum(items):
            words = sorted(
                f"{[(m.name, m.adjoint) for m in w]} {_order_of(b)}" for w, b, _ in items
            )
            return f"sum {words}"
        case Map():
            return "map"
        case _:
            return "number"


def _order_of(base: object) -> str:
    match base:
        case Tree(word, arguments):
            return f"{word} {[_order(a) for a in arguments]}"
        case Data(name):
            return f"data {name}"
        case _:
            return "point"


def _called(value: Value, name: str) -> Value:
    """A tree remembers the function of the page that made it."""
    match value:
        case Sum(((word, Tree(function_, arguments), c),)):
            return Sum(((word, Tree(function_, arguments, name), c),))
        case _:
            return value
