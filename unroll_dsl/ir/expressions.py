"""Typed expressions -> nodes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Protocol, assert_never

from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.builder import NodeList
from unroll_dsl.ir.matrices import arithmetic, matrix_of, product
from unroll_dsl.ir.numbers import Numbers
from unroll_dsl.operators.model import LinearOperator
from unroll_dsl.operators.registry import lookup
from unroll_dsl.semantics.model import (
    BlockInstance,
    DiagCall,
    FunctionCall,
    FunctionInstance,
    InstanceCall,
    LayerCall,
    OperatorCall,
    PrevCall,
    Resolved,
    SizeCall,
    SolveCall,
    SplitCall,
    ValueCall,
)
from unroll_dsl.source import Span
from unroll_dsl.syntax.nodes import (
    IMAGINARY_UNIT,
    Adjoint,
    Binary,
    Call,
    Chain,
    Expr,
    Name,
    Number,
    PhaseSum,
    Unary,
)
from unroll_dsl.types import (
    IDENTITY,
    SCALAR,
    Array,
    Diagonal,
    Dim,
    Field,
    Form,
    LinearMap,
    Type,
)
from unroll_dsl.types.rules import is_matrix_like

_ELEMENTWISE = {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "div",
    "^": "pow",
    "==": "eq",
    "!=": "ne",
    "<": "lt",
    "<=": "le",
    ">": "gt",
    ">=": "ge",
    "and": "and",
    "or": "or",
}


class Bodies(Protocol):
    """The functions of a graph, which are built as they are met."""

    def name_of(self, instance: FunctionInstance) -> str:
        """The key of a function at the types of its arguments."""

    def add_block(self, instance: BlockInstance) -> None:
        """The body of a block at its sizes, once."""


class Expressions:
    """Builds nodes for expressions; `resolve` gives the node of a name where it is read."""

    def __init__(
        self,
        nodes: NodeList,
        types: Mapping[Expr, Type],
        calls: Mapping[Call, Resolved],
        functions: Bodies,
    ) -> None:
        self.list = nodes
        self.types = types
        self.calls = calls
        self.functions = functions
        self.resolve: Callable[[Name], int | None] = lambda _: None
        self.places: Mapping[Expr, str] = {}  # of the layers of a block, by their names
        self.previous: Callable[[str, Span], int] | None = None
        self.numbers = Numbers(nodes)
        self.returned: dict[Call, tuple[int, ...]] = {}  # by calls of several values

    # ---- values ---------------------------------------------------------------------------------

    def value(self, expr: Expr, want: Array | None = None) -> int:
        """The node of an expression. With `want`, as an array of exactly that type's shape."""
        type_ = self.types[expr]
        if expr in self.places:
            return self.list.add(ops.BlockLayer(self.places[expr]), (), type_, expr.span)
        if isinstance(type_, LinearMap) and want is not None:
            return self._matrix(expr, want)
        index = self._value(expr, type_)
        if want is not None and isinstance(type_, Array) and type_.shape != want.shape:
            type_ = Array(want.shape, type_.field.join(Field.REAL), want.form)
            return self.list.add(ops.Expand(), (index,), type_, expr.span)
        return index

    def _value(self, expr: Expr, type_: Type) -> int:
        span = expr.span
        match expr:
            case Number(value):
                return self.numbers.constant(value, span)
            case Name():
                return self._name(expr, type_)
            case Unary(operator, operand):
                inner = self.value(operand)
                if isinstance(type_, LinearMap):
                    minus = self.list.add(ops.Constant(-1), (), SCALAR, span)
                    return self.list.add(ops.ScaleMap(), (minus, inner), type_, span)
                word = {"-": "neg", "not": "not"}[operator]
                return self.list.add(ops.Elementwise(word), (inner,), type_, span)
            case Adjoint(operand):
                return self._adjoint(operand, type_, span)
            case Binary("@", left, right):
                return self._at(left, right, type_, span)
            case Binary():
                return self._binary(expr, type_)
            case Call():
                return self._call(expr, type_)
            case PhaseSum(body):
                return self.list.add(ops.PhaseSum(), (self.value(body),), type_, span)
            case Chain():
                raise InternalError(f"{span}: a layer outside of a block")
            case _:
                assert_never(expr)

    def _name(self, name: Name, type_: Type) -> int:
        found = self.resolve(name)
        if found is not None:
            return found
        if name.text == "I":
            return self.list.add(ops.IdentityMap(), (), IDENTITY, name.span)
        if name.text == "k":
            return self.list.add(ops.PhaseNumber(), (), SCALAR, name.span)
        if name.text == "pi":
            return self.list.add(ops.Constant(math.pi), (), SCALAR, name.span)
        if name.text == IMAGINARY_UNIT:
            return self.numbers.imaginary(1, type_, name.span)
        record = lookup(name.text)
        if isinstance(record, LinearOperator):
            return self.list.add(ops.Operator(record.name, record.defaults), (), type_, name.span)
        raise InternalError(f"{name.span}: nothing is known of `{name.text}`")

    def _written_out(self, instance: FunctionInstance, args: tuple[int, ...]) -> tuple[int, ...]:
        """What a function returns, its body written out where it is called: one of maps or layers, which are
        no values, or of several values."""
        definition = instance.definition
        inner = Expressions(self.list, instance.types, instance.calls, self.functions)
        names = {p.name.text: arg for p, arg in zip(definition.parameters, args, strict=True)}
        inner.resolve = lambda name: names.get(name.text)
        for local in definition.locals:
            names[local.name.text] = inner.value(local.value)
        return tuple(inner.value(value) for value in definition.values)

    def _several(self, call: Call) -> tuple[int, ...]:
        """All that a call of a function of several values returns, which is computed once."""
        if call not in self.returned:
            resolved = self.calls[call]
            assert isinstance(resolved, InstanceCall)
            args = tuple(self.value(array) for array in resolved.arrays)
            self.returned[call] = self._written_out(resolved.instance, args)
        return self.returned[call]

    def _adjoint(self, operand: Expr, type_: Type, span: Span) -> int:
        inner = self.value(operand)
        if isinstance(type_, LinearMap):
            return self.list.add(ops.AdjointMap(), (inner,), type_, span)
        assert isinstance(type_, Array)
        if type_.rank == 0:
            if type_.field is Field.COMPLEX:
                return self.list.add(ops.Elementwise("conj"), (inner,), type_, span)
            return inner
        return self.list.add(ops.Transpose(), (inner,), type_, span)

    def _at(self, left: Expr, right: Expr, type_: Type, span: Span) -> int:
        first, second = self.types[left], self.types[right]
        if isinstance(type_, LinearMap):
            return self.list.add(
                ops.ComposeMap(), (self.value(left), self.value(right)), type_, span
            )
        assert isinstance(type_, Array)
        if isinstance(first, Array) and isinstance(second, LinearMap):  # a matrix times I, diag(v)
            want = Array((first.shape[1], type_.shape[1]), type_.field)
            matrix = self._matrix(right, want)
            return self.list.add(ops.Contract(), (self.value(left), matrix), type_, span)
        if isinstance(first, LinearMap) and isinstance(second, Array) and second.rank == 2:
            applies_to_matrix = type_.rank == 2 and type_.form is Form.PLAIN
            if applies_to_matrix and is_matrix_like(first.structure):
                want = Array((type_.shape[0], second.shape[0]), type_.field)
                matrix = self._matrix(left, want)
                return self.list.add(ops.Contract(), (matrix, self.value(right)), type_, span)
        if isinstance(first, Array):
            return self.list.add(ops.Contract(), (self.value(left), self.value(right)), type_, span)
        return self.list.add(ops.Apply(), (self.value(left), self.value(right)), type_, span)

    def _binary(self, expr: Binary, type_: Type) -> int:
        left, right, span = expr.left, expr.right, expr.span
        match left, right:
            case Number(value), Name(text) if text == IMAGINARY_UNIT and expr.operator == "*":
                return self.numbers.imaginary(value, type_, span)
            case _:
                pass
        first, second = self.types[left], self.types[right]
        if isinstance(type_, LinearMap):
            return self._map_arithmetic(expr, type_)
        assert isinstance(type_, Array)
        want = type_ if isinstance(first, LinearMap) or isinstance(second, LinearMap) else None
        word = _ELEMENTWISE[expr.operator]
        args = (self.value(left, want), self.value(right, want))
        return self.numbers.elementwise(expr.operator, word, args, type_, span)

    def _map_arithmetic(self, expr: Binary, type_: LinearMap) -> int:
        left, right, span = expr.left, expr.right, expr.span
        match expr.operator:
            case "+" | "-":
                sign = 1 if expr.operator == "+" else -1
                args = (self.value(left), self.value(right))
                return self.list.add(ops.AddMap(sign), args, type_, span)
            case "*" if isinstance(self.types[left], Array):
                factor, map_ = self.value(left), self.value(right)
                factor_type = self.types[left]
                assert isinstance(factor_type, Array)
                if factor_type.rank == 0:
                    return self.list.add(ops.ScaleMap(), (factor, map_), type_, span)
                diagonal_type = LinearMap(Diagonal(factor_type))
                diagonal = self.list.add(ops.DiagonalMap(), (factor,), diagonal_type, left.span)
                return self.list.add(ops.ComposeMap(), (diagonal, map_), type_, span)
            case "*":
                args = (self.value(right), self.value(left))
                return self.list.add(ops.ScaleMap(), args, type_, span)
            case _:
                one = self.list.add(ops.Constant(1), (), SCALAR, right.span)
                args = (one, self.value(right))
                field_type = self.types[right]
                assert isinstance(field_type, Array)
                inverse_type = Array((), field_type.field.join(Field.REAL))
                inverse = self.list.add(ops.Elementwise("div"), args, inverse_type, span)
                return self.list.add(ops.ScaleMap(), (inverse, self.value(left)), type_, span)

    def _matrix(self, expr: Expr, want: Array) -> int:
        """An expression of `I`, `diag(v)` and their multiples as a matrix value."""
        span = expr.span
        match expr:
            case Name("I"):
                return self.list.add(ops.Eye(), (), Array(want.shape), span)
            case Name():
                found = self.resolve(expr)
                assert found is not None
                return matrix_of(self.list, found, want, span)
            case Unary("-", operand):
                inner = self._matrix(operand, want)
                return self.list.add(ops.Elementwise("neg"), (inner,), self.list.type(inner), span)
            case Adjoint(operand):
                inner = self._matrix(operand, Array(want.shape[::-1], want.field))
                return product(self.list, ops.Transpose(), (inner,), want, span)
            case Binary(operator, left, right) if operator in ("+", "-"):
                first, second = self.value(left, want), self.value(right, want)
                return arithmetic(self.list, _ELEMENTWISE[operator], first, second, want, span)
            case Binary("*", left, right) | Binary("/", left, right):
                assert isinstance(expr, Binary)
                a, b = self.types[left], self.types[right]
                first = self.value(left, want) if isinstance(a, LinearMap) else self.value(left)
                second = self.value(right, want) if isinstance(b, LinearMap) else self.value(right)
                return arithmetic(self.list, _ELEMENTWISE[expr.operator], first, second, want, span)
            case Binary("@", left, right):
                first, second = self._matrix(left, want), self._matrix(right, want)
                return product(self.list, ops.Contract(), (first, second), want, span)
            case Call():
                return matrix_of(self.list, self.value(expr), want, span)
            case _:
                raise InternalError(f"{span}: not a matrix")

    # ---- calls ----------------------------------------------------------------------------------

    def _call(self, call: Call, type_: Type) -> int:
        span = call.span
        resolved = self.calls[call]
        match resolved:
            case FunctionCall(record, arrays, statics):
                args = tuple(self.value(array) for array in arrays)
                op: ops.Op
                if record.kind.value == "elementwise":
                    op = ops.Elementwise(record.name)
                else:
                    op = ops.Builtin(record.name, statics)
                return self.list.add(op, args, type_, span)
            case OperatorCall(record, operands, statics):
                args = tuple(self.value(operand) for operand in operands)
                return self.list.add(ops.Operator(record.name, statics), args, type_, span)
            case InstanceCall(instance, arrays):
                args = tuple(self.value(array) for array in arrays)
                if not all(isinstance(t, Array) for t in (*instance.arguments, type_)):
                    return self._written_out(instance, args)[0]
                name = self.functions.name_of(instance)
                return self.list.add(ops.Invoke(name), args, type_, span)
            case ValueCall(of, place):
                return self._several(of)[place]
            case PrevCall(state):
                if self.previous is None:
                    raise InternalError(f"{span}: `prev` outside of the phase")
                return self.previous(state, span)
            case SolveCall(matrix, rhs, tolerance, iterations):
                args = (self.value(matrix), self.value(rhs))
                return self.list.add(ops.Solve(tolerance, iterations), args, type_, span)
            case DiagCall(diagonal):
                return self.list.add(ops.DiagonalMap(), (self.value(diagonal),), type_, span)
            case SizeCall(dim):
                return self.size(dim, span)
            case LayerCall(layer, arguments, blocks):
                for block in blocks:
                    self.functions.add_block(block)
                args = (self.value(layer), *(self.value(argument) for argument in arguments))
                return self.list.add(ops.ApplyLayer(), args, type_, span)
            case SplitCall(layer):
                return self.list.add(ops.SplitLayer(), (self.value(layer),), type_, span)
            case _:
                assert_never(resolved)

    def size(self, dim: Dim, span: Span) -> int:
        """The node of a size as a number."""
        if dim.value is not None:
            return self.list.add(ops.Constant(dim.value), (), SCALAR, span)
        return self.list.add(ops.Size(dim), (), SCALAR, span)
