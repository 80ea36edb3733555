"""From the parts of a rule to its node: one function for each rule of the grammar.

Parts arrive as the grammar lists them, tokens included. An expression travels as a `Part`, which
knows its parentheses (they belong to the places of the nodes around it) and its depth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TypeVar

from unroll_dsl.diagnostics.model import Diagnostic, InternalError
from unroll_dsl.source import Span
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.engine import Action, Placed
from unroll_dsl.syntax.errors import MissingOperator, NumberTooLarge, TooDeep
from unroll_dsl.syntax.tokens import LINE_END, NAME, Token

MAX_DEPTH = 200
MAX_DIGITS = 400

T = TypeVar("T")


class Refused(Exception):
    """A line that the grammar allows and a limit does not."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        self.diagnostic = diagnostic
        super().__init__(diagnostic.message())


@dataclass(frozen=True, slots=True)
class Part:
    """An expression, its place with the parentheses around it, and the depth of its tree."""

    expr: n.Expr
    span: Span
    depth: int


@dataclass(frozen=True, slots=True)
class Names:
    names: tuple[n.Name, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Arguments:
    arguments: tuple[n.Argument, ...]
    depth: int
    span: Span


@dataclass(frozen=True, slots=True)
class Shared:
    sharing: n.Sharing
    span: Span


@dataclass(frozen=True, slots=True)
class Formula:
    """The objective of `minimize` or `loss`, and the comment of its line.

    `span` is where the head of the statement ends: its place does not cover an indented formula.
    """

    expr: n.Expr
    comment: str
    span: Span


@dataclass(frozen=True, slots=True)
class Header:
    kind: str
    name: n.Name
    comment: str
    span: Span


@dataclass(frozen=True, slots=True)
class Unit:
    """A parsed file, before the stand-ins for broken lines are taken out of it."""

    header: Header | None
    statements: tuple[n.Statement, ...]

    @property
    def span(self) -> Span:
        raise InternalError("a file is not a part of anything")


def _start(parts: list[Placed]) -> Unit:
    return Unit(_find(parts, Header), _statements(parts))


def _header(parts: list[Placed]) -> Header:
    match parts:
        case [Token(text=kind), Token() as name, Token(comment=comment)]:
            return Header(kind, _name(name), comment, _head(parts))
    raise _malformed(parts)


# ---- statements ---------------------------------------------------------------------------------


def _dims(parts: list[Placed]) -> n.Dims:
    return n.Dims(_all(parts, n.Dimension), _comment(parts), _head(parts))


def _dimension(parts: list[Placed]) -> n.Dimension:
    return n.Dimension(_name_in(parts), _value(parts), _cover(parts))


def _role(parts: list[Placed]) -> Placed:
    return parts[0]


def _names(parts: list[Placed]) -> Names:
    return Names(tuple(_name(t) for t in _all(parts, Token) if t.kind == NAME), _cover(parts))


def _sharing(parts: list[Placed]) -> Shared:
    match parts:
        case [Token(text="shared")]:
            return Shared(n.Sharing.SHARED, _cover(parts))
    return Shared(n.Sharing.PER_PHASE, _cover(parts))


def _initial(parts: list[Placed]) -> Placed:
    return parts[-1]  # without its `=` or `~`


def _random(parts: list[Placed]) -> n.RandomInit:
    return n.RandomInit(_name_in(parts), _arguments_in(parts), _cover(parts))


def _bounds(parts: list[Placed]) -> n.Bounds:
    match parts:
        case [Token(text=">" | ">=" as sign), Part() as limit]:
            return n.Bounds(limit.expr, sign == ">", None, False, _cover(parts))
        case [Token(text=sign), Part() as limit]:
            return n.Bounds(None, False, limit.expr, sign == "<", _cover(parts))
    raise _malformed(parts)


def _interval(parts: list[Placed]) -> n.Bounds:
    match parts:
        case [Token(), Token(text=left), Part() as low, Token(), Part() as high, Token(text=right)]:
            return n.Bounds(low.expr, left == "(", high.expr, right == ")", _cover(parts))
    raise _malformed(parts)


def _declaration(parts: list[Placed]) -> n.Declaration:
    shared = _find(parts, Shared)
    match parts:
        case [Token(text=word), Names(names=declared), Token(), placed, *_]:
            pass
        case _:
            raise _malformed(parts)
    return n.Declaration(
        n.Role(word),
        declared,
        _type(placed),
        _find(parts, n.Bounds),
        shared.sharing if shared else n.Sharing.SHARED,
        _find(parts, n.RandomInit) or _value(parts),
        _comment(parts),
        _head(parts),
    )


def _let(parts: list[Placed]) -> n.Let:
    return n.Let(_name_in(parts), _one(parts, Part).expr, _comment(parts), _head(parts))


def _state(parts: list[Placed]) -> n.State:
    declared, space = _one(parts, Names).names, _one(parts, n.SpaceType)
    return n.State(declared, space, _value(parts), _comment(parts), _head(parts))


def _phase(parts: list[Placed]) -> n.Phase:
    lines = tuple(part for part in parts if isinstance(part, n.Update | n.Local | n.Trace))
    return n.Phase(_value(parts), lines, _comment(parts), _head(parts))


def _update(parts: list[Placed]) -> n.Update:
    return n.Update(_name_in(parts), _one(parts, Part).expr, _comment(parts), _head(parts))


def _local(parts: list[Placed]) -> n.Local:
    return n.Local(_name_in(parts), _one(parts, Part).expr, _comment(parts), _head(parts))


def _trace(parts: list[Placed]) -> n.Trace:
    return n.Trace(_name_in(parts), _one(parts, Part).expr, _comment(parts), _head(parts))


def _output(parts: list[Placed]) -> n.Output:
    values = tuple(part.expr for part in _all(parts, Part))
    return n.Output(values, _comment(parts), _head(parts))


def _minimize(parts: list[Placed]) -> n.Minimize:
    name, space = _name_in(parts), _find(parts, n.SpaceType)
    last = n.Parameter(name, space, name.span.to(space.span) if space else name.span)
    formula = _one(parts, Formula)
    variables = (*_all(parts, n.Parameter), last)
    return n.Minimize(variables, formula.expr, formula.comment, _head(parts))


def _parameter(parts: list[Placed]) -> n.Parameter:
    return n.Parameter(_name_in(parts), _find(parts, n.SpaceType), _cover(parts))


def _loss(parts: list[Placed]) -> n.Loss:
    formula = _one(parts, Formula)
    return n.Loss(_all(parts, n.Parameter), formula.expr, formula.comment, _head(parts))


def _formula(parts: list[Placed]) -> Formula:
    comments = [part.comment for part in _all(parts, Token) if part.comment]
    comment = comments[0] if comments else ""
    return Formula(_one(parts, Part).expr, comment, _head(parts))


def _definition(parts: list[Placed]) -> n.Definition:
    found = _find(parts, Names)
    parameters = tuple(n.Parameter(name, None, name.span) for name in (found.names if found else ()))
    value = _one(parts, Part).expr
    lines = _all(parts, n.Local)
    return n.Definition(_name_in(parts), parameters, lines, value, _comment(parts), _head(parts))


def _result(parts: list[Placed]) -> Part:
    return _one(parts, Part)


# ---- types --------------------------------------------------------------------------------------


def _space(parts: list[Placed]) -> n.SpaceType:
    dims = tuple(part.expr for part in _all(parts, Part))
    match parts:
        case [Token(text="complex"), Token(kind="NAME"), *_]:
            return n.SpaceType(_name_in(parts), dims, True, _cover(parts))
    return n.SpaceType(_name_in(parts), dims, False, _cover(parts))


def _linear(parts: list[Placed]) -> n.LinearType:
    domain, codomain = _all(parts, n.SpaceType)
    return n.LinearType(domain, codomain, _cover(parts))


def _network(parts: list[Placed]) -> n.NetworkType:
    domain, codomain = _all(parts, n.SpaceType)
    return n.NetworkType(domain, codomain, _cover(parts))


def _conv(parts: list[Placed]) -> n.ConvType:
    channels_in, channels_out, size = (part.expr for part in _all(parts, Part))
    flags, options = _all(parts, n.Name), _all(parts, n.Argument)
    return n.ConvType(channels_in, channels_out, size, flags, options, _cover(parts))


def _conv_option(parts: list[Placed]) -> n.Name | n.Argument:
    value = _value(parts)
    name = _name_in(parts)
    return n.Argument(name, value, _cover(parts)) if value else name


def _composed(parts: list[Placed]) -> n.ComposedType:
    steps: list[n.ConvType | n.NetworkType | n.Name] = []
    for part in parts:
        match part:
            case n.ConvType() | n.NetworkType():
                steps.append(part)
            case Token(kind="NAME"):
                steps.append(_name(part))
    return n.ComposedType(tuple(steps), _cover(parts))


# ---- expressions --------------------------------------------------------------------------------


def _unary(parts: list[Placed]) -> Part:
    match parts:
        case [Token(text=sign), Part() as operand]:
            span = _cover(parts)
            return _deeper(n.Unary(sign, operand.expr, span), span, operand.depth)
    raise _malformed(parts)


def _binary(parts: list[Placed]) -> Part:
    match parts:
        case [Part() as left, Token(text=sign, span=at), Part() as right]:
            span = left.span.to(right.span)
            expr = n.Binary(sign, left.expr, right.expr, at, span)
            return _deeper(expr, span, max(left.depth, right.depth))
    raise _malformed(parts)


def _phase_sum(parts: list[Placed]) -> Part:
    body, span = _one(parts, Part), _cover(parts)
    return _deeper(n.PhaseSum(body.expr, span), span, body.depth)


def _adjoint(parts: list[Placed]) -> Part:
    operand, span = _one(parts, Part), _cover(parts)
    return _deeper(n.Adjoint(operand.expr, span), span, operand.depth)


def _call(parts: list[Placed]) -> Part:
    function, span, given = _one(parts, Part), _cover(parts), _find(parts, Arguments)
    if not isinstance(function.expr, n.Name | n.Call):
        raise Refused(_not_a_call(function, span))
    depth = max(function.depth, given.depth if given else 0)
    return _deeper(n.Call(function.expr, _arguments_in(parts), span), span, depth)


def _not_a_call(function: Part, span: Span) -> Diagnostic:
    """`2(x + y)`, `A'(x)`: brackets after what is no function mean a product."""
    rest = Span(span.file, function.span.end, span.end)
    return MissingOperator(rest, function.span, f"{function.span.text} * {rest.text}")


def _parenthesised(parts: list[Placed]) -> Part:
    inner = _one(parts, Part)
    return Part(inner.expr, _cover(parts), inner.depth)


def _arguments(parts: list[Placed]) -> Arguments:
    found = _all(parts, Argument)
    arguments = tuple(argument.node for argument in found)
    return Arguments(arguments, max(argument.depth for argument in found), _cover(parts))


@dataclass(frozen=True, slots=True)
class Argument:
    node: n.Argument
    depth: int
    span: Span


def _argument(parts: list[Placed]) -> Argument:
    value, span = _one(parts, Part), _cover(parts)
    keyword = _name_in(parts) if len(parts) > 1 else None
    return Argument(n.Argument(keyword, value.expr, span), value.depth, span)


def _name_atom(parts: list[Placed]) -> Part:
    name = _name_in(parts)
    return Part(name, name.span, 1)


def _number(parts: list[Placed]) -> Part:
    token = _one(parts, Token)
    value: int | float | None = None
    if len(token.text) <= MAX_DIGITS:
        value = int(token.text) if token.text.isdecimal() else float(token.text)
    if value is None or (isinstance(value, float) and not isfinite(value)) or value > 1e308:
        raise Refused(NumberTooLarge(token.span))
    return Part(n.Number(value, token.span), token.span, 1)


# ---- parts --------------------------------------------------------------------------------------


def _deeper(expr: n.Expr, span: Span, depth: int) -> Part:
    if depth >= MAX_DEPTH:
        raise Refused(TooDeep(span, MAX_DEPTH))
    return Part(expr, span, depth + 1)


def _name(token: Token) -> n.Name:
    return n.Name(token.text, token.span)


def _name_in(parts: Sequence[Placed]) -> n.Name:
    """The first name that stands among the parts themselves."""
    for part in parts:
        if isinstance(part, Token) and part.kind == NAME:
            return n.Name(part.text, part.span)
    raise _malformed(parts)


def _arguments_in(parts: Sequence[Placed]) -> tuple[n.Argument, ...]:
    given = _find(parts, Arguments)
    return given.arguments if given else ()


def _value(parts: Sequence[Placed]) -> n.Expr | None:
    part = _find(parts, Part)
    return part.expr if part else None


def _comment(parts: Sequence[Placed]) -> str:
    return next((part.comment for part in _all(parts, Token) if part.kind == LINE_END), "")


def _all(parts: Sequence[Placed], kind: type[T]) -> tuple[T, ...]:
    return tuple(part for part in parts if isinstance(part, kind))


def _find(parts: Sequence[Placed], kind: type[T]) -> T | None:
    return next((part for part in parts if isinstance(part, kind)), None)


def _one(parts: Sequence[Placed], kind: type[T]) -> T:
    found = _find(parts, kind)
    if found is None:
        raise _malformed(parts)
    return found


def _cover(parts: Sequence[Placed]) -> Span:
    return parts[0].span.to(parts[-1].span)


def _head(parts: Sequence[Placed]) -> Span:
    """From the first part to the end of its line."""
    last = parts[0]
    for part in parts:
        if isinstance(part, Token) and part.kind == LINE_END:
            break
        last = part
    return parts[0].span.to(last.span)


def _type(part: Placed) -> n.TypeExpr:
    match part:
        case n.SpaceType() | n.LinearType() | n.NetworkType() | n.ConvType() | n.ComposedType():
            return part
    raise _malformed([part])


def _statements(parts: Sequence[Placed]) -> tuple[n.Statement, ...]:
    return tuple(part for part in parts if isinstance(part, n.Statement))


def _malformed(parts: Sequence[Placed]) -> InternalError:
    return InternalError(f"the builder and the grammar disagree: {parts}")


ACTIONS: Mapping[str, Action] = {
    "start": _start,
    "header": _header,
    "dims": _dims,
    "dimension": _dimension,
    "role": _role,
    "names": _names,
    "sharing": _sharing,
    "initial": _initial,
    "random": _random,
    "bounds": _bounds,
    "interval": _interval,
    "declaration": _declaration,
    "let": _let,
    "state": _state,
    "phase": _phase,
    "update": _update,
    "local": _local,
    "trace": _trace,
    "output": _output,
    "minimize": _minimize,
    "variable": _parameter,
    "target": _parameter,
    "loss": _loss,
    "formula": _formula,
    "definition": _definition,
    "result": _result,
    "space": _space,
    "linear": _linear,
    "network": _network,
    "conv": _conv,
    "conv_option": _conv_option,
    "composed": _composed,
    "unary": _unary,
    "binary": _binary,
    "phase_sum": _phase_sum,
    "adjoint": _adjoint,
    "call": _call,
    "parenthesised": _parenthesised,
    "arguments": _arguments,
    "argument": _argument,
    "name": _name_atom,
    "number": _number,
}
