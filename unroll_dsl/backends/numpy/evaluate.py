"""The value of a node from the values of its arguments, for one sample in double precision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from copy import copy
from typing import Any, assert_never

import numpy as np

from unroll_dsl.backends.errors import SizeUnknown
from unroll_dsl.backends.numpy import maps
from unroll_dsl.backends.numpy.layers import (
    Behind,
    LayerValue,
    apply_layer,
    layer_steps,
    pair_kernel,
    within,
)
from unroll_dsl.backends.numpy.maps import Array, MapValue
from unroll_dsl.backends.numpy.systems import Systems, look
from unroll_dsl.diagnostics.raised import InternalError, UnrollError
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.graph import FunctionBody
from unroll_dsl.ir.nodes import Node
from unroll_dsl.operators.model import Kind, Static
from unroll_dsl.operators.registry import function, linear_operator
from unroll_dsl.types import Array as ArrayType
from unroll_dsl.types import Block, Dim, Field

_LOGIC = ("and", "or", "not", "where")
Value = Any  # an Array or a MapValue
Leaf = Callable[[Node], Value]


class Evaluator:
    """Evaluates nodes in their order; `leaf` supplies what a node without arguments stands for."""

    def __init__(
        self,
        functions: Mapping[str, FunctionBody],
        sizes: Mapping[str, int],
    ) -> None:
        self.functions = functions
        self.sizes = sizes
        self._systems = Systems()
        self._numbers: dict[Dim, int] = {}
        self.condition = 1.0  # the largest condition number of a `solve` so far
        self.disturbed: Callable[[Value], Value] | None = None  # applied to all that is computed

    def begin(self) -> None:
        """Another call begins: sizes and what is bound may have changed."""
        self._numbers.clear()
        self._systems.begin()

    def run(
        self,
        nodes: Sequence[Node],
        wanted: Iterable[int],
        leaf: Leaf,
        known: MutableMapping[int, Value],
    ) -> None:
        """Put the values of `wanted`, and of all that they need, into `known`."""
        needed: set[int] = set()
        pending = [index for index in wanted if index not in known]
        while pending:
            index = pending.pop()
            if index in needed or index in known:
                continue
            needed.add(index)
            pending.extend(nodes[index].args)
        for index in sorted(needed):
            node = nodes[index]
            arguments = [known[argument] for argument in node.args]
            types = [nodes[argument].type for argument in node.args]
            value = self._value(node, arguments, types, leaf)
            known[index] = value if self.disturbed is None else self.disturbed(value)

    def shape(self, type_: ArrayType) -> tuple[int, ...]:
        return tuple(self.number(dim) for dim in type_.shape)

    def number(self, dim: Dim) -> int:
        known = self._numbers.get(dim)
        if known is not None:
            return known
        value = dim.substitute(self.sizes).value
        if value is None:
            missing = sorted(dim.substitute(self.sizes).symbols)
            raise UnrollError([SizeUnknown(name, "a value", None) for name in missing])
        self._numbers[dim] = value
        return value

    def _static(self, value: Static) -> int | str | tuple[int, ...]:
        return self.number(value) if isinstance(value, Dim) else value

    def _value(self, node: Node, arguments: list[Value], types: list[Any], leaf: Leaf) -> Value:
        op = node.op
        if isinstance(op, _MapOp):
            return _map(op, arguments, types)
        if isinstance(op, _LayerOp):
            return _layer(op, arguments, types, self._block)
        if isinstance(op, _LeafOp):
            return leaf(node)
        match op:
            case ops.Constant(value):
                return np.asarray(float(value))
            case ops.Size(dim):
                return np.asarray(float(self.number(dim)))
            case ops.Elementwise(name):
                record = function(name)
                return np.asarray(record.numpy(*_aligned(name, arguments, types, node)))
            case ops.Builtin(name, statics):
                record = function(name)
                options = {key: self._static(value) for key, value in statics}
                look(name, arguments, node.origin)
                if record.kind is Kind.CONSTRUCTOR and not arguments:
                    return np.asarray(record.numpy(**options))
                return np.asarray(record.numpy(*map(_number, arguments), **options))
            case ops.Invoke(name):
                return self._invoke(self.functions[name], arguments)
            case ops.Expand():
                assert isinstance(node.type, ArrayType)
                kind = complex if node.type.field is Field.COMPLEX else None
                return np.broadcast_to(np.asarray(arguments[0], kind), self.shape(node.type))
            case ops.Eye():
                assert isinstance(node.type, ArrayType)
                rows, columns = self.shape(node.type)
                return np.eye(rows, columns)
            case ops.Transpose():
                return arguments[0].conj().T
            case ops.Contract():
                return np.tensordot(arguments[0], arguments[1], axes=1)
            case ops.Apply():
                return maps.as_map(arguments[0]).forward(arguments[1])
            case ops.Solve():
                return self._solve(arguments[0], np.asarray(arguments[1]), node)
            case ops.Operator(name, statics):
                return self._operator(name, statics, arguments, node)
            case ops.PhaseSum():
                raise InternalError("a sum over phases is evaluated by the reference itself")
            case _:
                assert_never(op)

    def _invoke(self, body: FunctionBody, arguments: list[Value]) -> Value:
        def leaf(node: Node) -> Value:
            match node.op:
                case ops.Argument(index):
                    return arguments[index]
                case _:
                    raise InternalError(f"function `{body.name}` reads {node.op}")

        known: dict[int, Value] = {}
        self.run(body.nodes, (body.result,), leaf, known)
        return known[body.result]

    def _block(self, block: Block, tensors: LayerValue, arguments: tuple[Array, ...]) -> Array:
        """What a block of the page makes of arrays, whose shapes say what its sizes are."""
        body = self.functions[block.key]
        inner = copy(self)
        inner.sizes = {**self.sizes, **_sizes_in(body, arguments)}
        inner._numbers = {}

        def leaf(node: Node) -> Value:
            match node.op:
                case ops.Argument(index):
                    return arguments[index]
                case ops.BlockLayer(name):
                    return within(tensors, name)
                case _:
                    raise InternalError(f"block `{body.name}` reads {node.op}")

        known: dict[int, Value] = {}
        inner.run(body.nodes, (body.result,), leaf, known)
        self.condition = max(self.condition, inner.condition)
        return np.asarray(known[body.result])

    def _solve(self, matrix: Value, rhs: Array, node: Node) -> Array:
        found = self._systems.solve(matrix, rhs, node.origin)
        self.condition = max(self.condition, found.condition)
        return found.x

    def _operator(
        self, name: str, statics: tuple[tuple[str, Static], ...], operands: list[Value], node: Node
    ) -> MapValue:
        record = linear_operator(name)
        forward, backward = record.numpy_forward, record.numpy_adjoint
        if forward is None or backward is None:
            raise InternalError(f"{node.origin}: `{name}` has no reference")
        options = {key: self._static(value) for key, value in statics}
        return MapValue(
            lambda x: forward(x, *operands, **options),
            lambda y: backward(y, *operands, **options),
            stacked=record.stacked,
        )


def _sizes_in(body: FunctionBody, arguments: tuple[Array, ...]) -> dict[str, int]:
    """The sizes that stand alone in the shapes of what a function is given."""
    pairs = zip(body.parameters, arguments, strict=True)
    sides = (pair for (_, type_), x in pairs for pair in zip(type_.shape, x.shape, strict=True))
    alone = ((dim.symbols, side, dim) for dim, side in sides if len(dim.symbols) == 1)
    return {word: side for (word, *_), side, dim in alone if dim == Dim.of(word)}


def _aligned(name: str, arguments: list[Value], types: list[Any], node: Node) -> list[Array]:
    """Arguments with axes such that NumPy's broadcasting is the language's (types/rules.py)."""
    assert isinstance(node.type, ArrayType)
    aligned = [
        _align(np.asarray(value), type_, node.type)
        for value, type_ in zip(arguments, types, strict=True)
    ]
    return aligned if name in _LOGIC else [_number(value) for value in aligned]


def _number(value: Array) -> Array:
    """True and False as 1 and 0: outside of logic they are numbers."""
    return value.astype(np.float64) if value.dtype == bool else value


def _align(value: Array, type_: ArrayType, target: ArrayType) -> Array:
    missing = target.rank - type_.rank
    if missing > 0 and type_.rank == 1 and type_.shape[0] == target.shape[0]:
        return value.reshape(value.shape + (1,) * missing)  # a number a channel, or a row
    return value


def _diagonal_alignment(type_: ArrayType) -> Callable[[Array, Array], Array]:
    def align(values: Array, x: Array) -> Array:
        if values.ndim == 1 and x.ndim > 1 and values.shape[0] == x.shape[0]:
            return values.reshape(values.shape + (1,) * (x.ndim - 1))
        return values

    return align


_MapOp = (
    ops.IdentityMap | ops.DiagonalMap | ops.AdjointMap | ops.ComposeMap | ops.AddMap | ops.ScaleMap
)
_LeafOp = ops.Named | ops.PhaseNumber | ops.Argument | ops.BlockLayer
_LayerOp = (
    ops.ApplyLayer
    | ops.ConvolveFew
    | ops.ConvolvePair
    | ops.PairKernel
    | ops.LayerSteps
    | ops.SplitLayer
)


def _map(op: _MapOp, arguments: list[Value], types: list[Any]) -> Value:
    """A map made of others."""
    match op:
        case ops.IdentityMap():
            return maps.identity()
        case ops.DiagonalMap():
            return maps.diagonal(arguments[0], _diagonal_alignment(types[0]))
        case ops.AdjointMap():
            return maps.made(maps.AdjointOf(maps.as_map(arguments[0])))
        case ops.ComposeMap():
            return maps.made(maps.Product(maps.as_map(arguments[0]), maps.as_map(arguments[1])))
        case ops.AddMap(sign):
            return maps.made(maps.Sum(maps.as_map(arguments[0]), maps.as_map(arguments[1]), sign))
        case ops.ScaleMap():
            return maps.made(maps.Multiple(arguments[0], maps.as_map(arguments[1])))
        case _:
            assert_never(op)


def _layer(op: _LayerOp, arguments: list[Value], types: list[Any], behind: Behind) -> Value:
    """A layer, or what one gives."""
    match op:
        case ops.ApplyLayer() | ops.ConvolveFew():
            return apply_layer(types[0], *arguments, behind=behind)
        case ops.ConvolvePair():
            first, second, x = arguments[:3]
            return apply_layer(types[1], second, apply_layer(types[0], first, x))
        case ops.PairKernel():
            return pair_kernel(arguments[0]["weight"], arguments[1]["weight"])
        case ops.LayerSteps(start, stop):
            return layer_steps(types[0], arguments[0], start, stop)
        case ops.SplitLayer():
            return arguments[0]  # its type says that it is split
        case _:
            assert_never(op)
