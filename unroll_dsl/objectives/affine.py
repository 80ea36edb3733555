"""What an expression is as an affine map of the variables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from unroll_dsl.objectives.maps import Chain, Left, Link, RealPart, Right, Scalar, Scale, Turned
from unroll_dsl.objectives.model import Affine, LinearPart, Variable
from unroll_dsl.objectives.weights import Weight
from unroll_dsl.semantics import TypedProgram
from unroll_dsl.semantics.scopes import names_in
from unroll_dsl.source import Span
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.syntax.templates import fill
from unroll_dsl.syntax.tidy import adjoint, binary
from unroll_dsl.types import (
    Array,
    Declared,
    Field,
    LinearMap,
    Structure,
    Type,
    Unknown,
    broadcast,
    map_backward,
    map_forward,
)


@dataclass(frozen=True, slots=True)
class NotAffine:
    """The smallest part of an expression that is not affine, and where it stands."""

    text: str
    span: Span


class _Refused(Exception):
    def __init__(self, expr: n.Expr) -> None:
        self.expr = expr


@dataclass(frozen=True, slots=True)
class _Found:
    parts: tuple[LinearPart, ...]
    offset: n.Expr | None


class AffineReader:
    """Reads expressions of one program."""

    def __init__(self, typed: TypedProgram, variables: tuple[Variable, ...]) -> None:
        self.typed = typed
        self.variables = {v.name: v for v in variables}

    def read(self, expr: n.Expr) -> Affine | NotAffine:
        """The affine map that `expr` is, in all variables at once or else in each by itself."""
        type_ = self.type(expr)
        if not isinstance(type_, Array):
            return NotAffine(expression_text(expr), expr.span)
        names = frozenset(self.variables)
        try:
            found = self._read(expr, names)
            return Affine(expr, type_, found.parts, found.offset)
        except _Refused as refused:
            first = NotAffine(expression_text(refused.expr), refused.expr.span)
        present = {name.text for name in names_in(expr)} & names
        if len(present) < 2:
            return first
        parts: list[LinearPart] = []
        try:
            for name in self.variables:
                if name in present:
                    parts += self._read(expr, frozenset({name})).parts
        except _Refused:
            return first
        return Affine(expr, type_, tuple(parts), None, blocks=True)

    # ---- types of what is put together -------------------------------------------------------------

    def type(self, expr: n.Expr) -> Type:
        """The type of an expression of the page, or of one put together from such."""
        known = self.typed.types.get(expr)
        if known is not None and not isinstance(known, Unknown):
            return known
        match expr:
            case n.Name(text):
                if text in self.variables:
                    return self.variables[text].type
                if text == "I":
                    return fill_type()
                symbol = self.typed.symbols.get(text)
                if symbol is None:
                    return Unknown()
                if symbol.type is None and isinstance(symbol.definer, n.Let):
                    return self.type(symbol.definer.value)
                return symbol.type or Array()
            case n.Number():
                return Array()
            case n.Unary(_, operand):
                return self.type(operand)
            case n.Adjoint(operand):
                return _adjoint_type(self.type(operand))
            case n.Binary("@", left, right):
                return _applied(self.type(left), self.type(right))
            case n.Binary(_, left, right):
                return _joined(self.type(left), self.type(right))
            case n.Call(n.Name("real" | "abs"), (n.Argument(_, value),)):
                inner = self.type(value)
                return (
                    Array(inner.shape, Field.REAL, inner.form)
                    if isinstance(inner, Array)
                    else inner
                )
            case n.Call(_, arguments) if arguments:
                return self.type(arguments[0].value)
            case _:
                return Unknown()

    # ---- the reading itself ------------------------------------------------------------------------

    def _read(self, expr: n.Expr, names: frozenset[str]) -> _Found:
        if not any(name.text in names for name in names_in(expr)):
            return _Found((), expr)
        match expr:
            case n.Name(text):
                return _Found((LinearPart(text, ()),), None)
            case n.Binary("+" | "-" as sign, left, right):
                first, second = self._read(left, names), self._read(right, names)
                self._same_shape(expr, (left, first), (right, second))
                return _sum(first, second, sign)
            case n.Unary("-", operand):
                return self._through(self._read(operand, names), Scalar(Weight.of(-1)))
            case n.Binary("@", left, right) if self._fixed(left, names):
                return self._through(self._read(right, names), Left(left))
            case n.Binary("@", left, right) if self._fixed(right, names):
                return self._through(self._read(left, names), Right(right))
            case n.Binary("*", left, right) if self._fixed(left, names):
                return self._through(self._read(right, names), self._factor(left, right))
            case n.Binary("*", left, right) if self._fixed(right, names):
                return self._through(self._read(left, names), self._factor(right, left))
            case n.Binary("/", left, right) if self._fixed(right, names):
                inverse = fill("1 / c", c=right)
                return self._through(self._read(left, names), self._factor(inverse, left))
            case n.Call(n.Name("real"), (n.Argument(None, value),)):
                return self._through(self._read(value, names), RealPart())
            case n.Adjoint(operand) if isinstance(self.type(operand), Array):
                return self._through(self._read(operand, names), Turned())
        raise _Refused(expr)

    def _fixed(self, expr: n.Expr, names: frozenset[str]) -> bool:
        return not any(name.text in names for name in names_in(expr))

    def _factor(self, factor: n.Expr, other: n.Expr) -> Link:
        type_ = self.type(factor)
        if isinstance(type_, LinearMap):
            return Left(factor)
        if not isinstance(type_, Array):
            raise _Refused(factor)
        if type_.rank == 0 and type_.field is not Field.COMPLEX:
            return Scalar(Weight.of(factor))
        target = self.type(other)
        if isinstance(target, Array) and target.rank < type_.rank:
            raise _Refused(factor)  # it repeats the variable: no link for that
        return Scale(factor, type_.field is Field.COMPLEX)

    def _same_shape(self, expr: n.Expr, *sides: tuple[n.Expr, _Found]) -> None:
        """A variable that is spread over a larger array is no chain of links."""
        whole = self.type(expr)
        for side, found in sides:
            type_ = self.type(side)
            if (
                found.parts
                and isinstance(whole, Array)
                and isinstance(type_, Array)
                and type_.shape != whole.shape
            ):
                raise _Refused(expr)

    def _through(self, found: _Found, link: Link) -> _Found:
        from unroll_dsl.objectives.maps import apply

        parts = tuple(LinearPart(p.variable, _joined_links(link, p.chain)) for p in found.parts)
        offset = None if found.offset is None else apply((link,), found.offset)
        return _Found(parts, offset)


def _joined_links(link: Link, chain: Chain) -> Chain:
    match link, chain:
        case Scalar(weight), (Scalar(other), *rest):
            return (Scalar(weight * other), *rest)
    return (link, *chain)


def _sum(first: _Found, second: _Found, sign: str) -> _Found:
    if sign == "-":
        minus = Scalar(Weight.of(-1))
        parts = tuple(LinearPart(p.variable, _joined_links(minus, p.chain)) for p in second.parts)
    else:
        parts = second.parts
    offset = first.offset
    if second.offset is not None:
        offset = binary(sign, first.offset or fill("0"), second.offset)
    return _Found(first.parts + parts, offset)


def structure(type_: Type) -> Structure | None:
    """A map or a matrix as the structure of a map."""
    match type_:
        case LinearMap(found):
            return found
        case Array(shape=(m, k), field=field):
            return Declared(Array((k,), field), Array((m,), field))
    return None


def fill_type() -> Type:
    from unroll_dsl.types import IDENTITY

    return IDENTITY


def _adjoint_type(type_: Type) -> Type:
    match type_:
        case Array(shape=(m, k), field=field):
            return Array((k, m), field)
        case LinearMap(found):
            from unroll_dsl.types import adjoint as turned

            return LinearMap(turned(found))
    return type_


def _applied(left: Type, right: Type) -> Type:
    if isinstance(left, Array) and isinstance(right, Array) and left.rank == 2 and right.rank == 2:
        return Array((left.shape[0], right.shape[1]), left.field.join(right.field))
    found = structure(left)
    if found is None or not isinstance(right, Array):
        return Unknown()
    result = map_forward(found, right)
    return result if isinstance(result, Array) else Unknown()


def _joined(left: Type, right: Type) -> Type:
    if isinstance(left, Array) and isinstance(right, Array):
        return broadcast(left, right) or Unknown()
    return right if isinstance(right, LinearMap) else left


def image_of(map_: Type, space: Array) -> Array | None:
    """The space that a map takes `space` to."""
    found = structure(map_)
    if found is None:
        return None
    result = map_forward(found, space)
    return result if isinstance(result, Array) else None


def preimage_of(map_: Type, space: Array) -> Array | None:
    found = structure(map_)
    if found is None:
        return None
    result = map_backward(found, space)
    return result if isinstance(result, Array) else None


def parts_of(affine: Affine) -> Iterator[LinearPart]:
    yield from affine.parts


__all__ = ["AffineReader", "NotAffine", "adjoint", "image_of", "preimage_of", "structure"]
