"""Expressions."""

from __future__ import annotations

from math import isfinite

from unroll_dsl.source import Span
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax import reports as e
from unroll_dsl.syntax.builder.parts import (
    Argument,
    Arguments,
    OverLimit,
    Part,
    Places,
    Range,
    cover,
    every,
    find,
    malformed,
    name_in,
    one,
)
from unroll_dsl.syntax.engine import Placed
from unroll_dsl.syntax.tokens import Token

MAX_DEPTH = 200
MAX_DIGITS = 400


def unary(parts: list[Placed]) -> Part:
    match parts:
        case [Token(text=sign), Part() as operand]:
            span = cover(parts)
            return deeper(n.Unary(sign, operand.expr, span), span, operand.depth)
    raise malformed(parts)


def binary(parts: list[Placed]) -> Part:
    match parts:
        case [Part() as left, Token(text=sign, span=at), Part() as right]:
            span = left.span.to(right.span)
            expr = n.Binary(sign, left.expr, right.expr, at, span)
            return deeper(expr, span, max(left.depth, right.depth))
    raise malformed(parts)


def phase_sum(parts: list[Placed]) -> Part:
    body, span = one(parts, Part), cover(parts)
    return deeper(n.PhaseSum(body.expr, span), span, body.depth)


def adjoint(parts: list[Placed]) -> Part:
    operand, span = one(parts, Part), cover(parts)
    return deeper(n.Adjoint(operand.expr, span), span, operand.depth)


def between(parts: list[Placed]) -> Range:
    """`a:b`, `a:`, `:b`, `:`."""
    colon = next(i for i, p in enumerate(parts) if isinstance(p, Token) and p.text == ":")
    first, last = find(parts[:colon], Part), find(parts[colon:], Part)
    depth = max((part.depth for part in (first, last) if part), default=0)
    start, stop = (part.expr if part else None for part in (first, last))
    return Range(start, stop, cover(parts), depth)


def places(parts: list[Placed]) -> Places:
    return Places(tuple(p for p in parts if isinstance(p, Part | Range)), cover(parts))


def index(parts: list[Placed]) -> Part:
    """`x[2, 1:3]`: a call of `ENTRIES`."""
    operand = parts[0] if isinstance(parts[0], Part) else name_atom(parts[:1])
    chosen, span = one(parts, Places), cover(parts)
    given = [n.Argument(None, operand.expr, operand.span)]
    for axis, place in enumerate(chosen.places, start=1):
        match place:
            case Part(expr):
                ends: dict[str, n.Expr | None] = {f"at{axis}": expr}
            case Range(first, last):
                start = n.Number(1, place.span) if first is None else first
                ends = {f"first{axis}": start, f"last{axis}": last}
        given += [
            n.Argument(n.Name(word, place.span), expr, place.span)
            for word, expr in ends.items()
            if expr is not None
        ]
    brackets = operand.span.file, operand.span.end, span.end
    call = n.Call(n.Name(n.ENTRIES, Span(*brackets)), tuple(given), span)
    return deeper(call, span, max(operand.depth, chosen.depth))


def several(parts: list[Placed]) -> Argument:
    """`axis=(2, 3)`."""
    items, keyword = every(parts, Part), name_in(parts)
    span = cover(parts[2:])
    given = tuple(n.Argument(None, item.expr, item.span) for item in items)
    value = n.Call(n.Name(n.LIST, span), given, span)
    depth = max(item.depth for item in items)
    return Argument(n.Argument(keyword, value, cover(parts)), depth, cover(parts))


def imaginary(parts: list[Placed]) -> Part:
    """`2i`: so many imaginary units."""
    token = one(parts, Token)
    unit = n.Name(n.IMAGINARY_UNIT, token.span)
    factor = _literal(token.text[:-1], token.span)
    if factor.value == 1:
        return Part(unit, token.span, 1)
    return deeper(n.Binary("*", factor, unit, token.span, token.span), token.span, 1)


def parenthesised(parts: list[Placed]) -> Part:
    inner = one(parts, Part)
    return Part(inner.expr, cover(parts), inner.depth)


def arguments(parts: list[Placed]) -> Arguments:
    found = every(parts, Argument)
    arguments = tuple(argument.node for argument in found)
    return Arguments(arguments, max(argument.depth for argument in found), cover(parts))


def argument(parts: list[Placed]) -> Argument:
    value, span = one(parts, Part), cover(parts)
    keyword = name_in(parts) if len(parts) > 1 else None
    return Argument(n.Argument(keyword, value.expr, span), value.depth, span)


def name_atom(parts: list[Placed]) -> Part:
    name = name_in(parts)
    return Part(name, name.span, 1)


def number(parts: list[Placed]) -> Part:
    token = one(parts, Token)
    return Part(_literal(token.text, token.span), token.span, 1)


def _literal(text: str, span: Span) -> n.Number:
    value: int | float | None = None
    if len(text) <= MAX_DIGITS:
        value = int(text) if text.isdecimal() else float(text)
    if value is None or (isinstance(value, float) and not isfinite(value)) or value > 1e308:
        raise OverLimit(e.NumberTooLarge(span))
    return n.Number(value, span)


def deeper(expr: n.Expr, span: Span, depth: int) -> Part:
    if depth >= MAX_DEPTH:
        raise OverLimit(e.TooDeep(span, MAX_DEPTH))
    return Part(expr, span, depth + 1)
