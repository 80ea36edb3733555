"""Calls, and layers that are written among expressions, in a block: `(conv[c -> c, 3] >> relu)(x)`."""

from __future__ import annotations

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.source import Span
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax import reports as e
from unroll_dsl.syntax.builder.expressions import deeper
from unroll_dsl.syntax.builder.parts import (
    Arguments,
    OverLimit,
    Part,
    arguments_in,
    cover,
    every,
    find,
    one,
)
from unroll_dsl.syntax.builder.types import layer
from unroll_dsl.syntax.engine import Placed
from unroll_dsl.syntax.layers import sized


def chain(parts: list[Placed]) -> Part:
    """`(relu >> conv[c -> c, 3] >> ResBlock[c] * 4)`."""
    links = every(parts, Part)
    steps = tuple(step for link in links for step in _steps(link.expr))
    depth = max(link.depth for link in links)
    return Part(n.Chain(steps, cover(parts)), cover(parts), depth + 1)


def applied(parts: list[Placed]) -> Part:
    """`conv[c -> c, 3, bias]`: one layer with its channels."""
    span = cover(parts)
    return Part(n.Chain((_convolution(layer(parts)),), span), span, 2)


def call(parts: list[Placed]) -> Part:
    function, span, given = one(parts, Part), cover(parts), find(parts, Arguments)
    called = _repeated(function.expr) or function.expr
    if not isinstance(called, n.Name | n.Call | n.Chain):
        raise OverLimit(_not_a_call(function, span))
    depth = max(function.depth, given.depth if given else 0)
    return deeper(n.Call(called, arguments_in(parts), span), span, depth)


def _not_a_call(function: Part, span: Span) -> Diagnostic:
    """`2(x + y)`, `A'(x)`: brackets after what is no function mean a product."""
    rest = Span(span.file, function.span.end, span.end)
    is_map = isinstance(function.expr, n.Adjoint)
    sign = "@" if is_map else "*"
    is_certain = is_map or isinstance(function.expr, n.Number)
    mended = f"{function.span.text} {sign} {rest.text}"
    return e.MissingOperator(rest, function.span, mended, is_certain)


def _repeated(expr: n.Expr) -> n.Chain | None:
    """`ResBlock[c] * 4` and `(conv[c -> c, 3] >> relu) * 4` where they are called; None for any other product."""
    match expr:
        case n.Binary("*", n.Chain() | n.Call(n.Name(n.ENTRIES)), n.Number()):
            return n.Chain(_steps(expr), expr.span)
        case _:
            return None


def _steps(expr: n.Expr) -> tuple[n.StepType, ...]:
    match expr:
        case n.Name():
            return (expr,)
        case n.Chain(steps):
            return steps
        case n.Binary("*", left, n.Number() as count):
            return (n.RepeatedType(_steps(left), count, expr.span),)
        case n.Call() if (found := sized(expr)) is not None:
            return (found,)
        case _:
            raise OverLimit(_no_layer(expr))


def _convolution(found: n.LayerType) -> n.LayerType | n.ConvType:
    if found.kind.text != "conv" or found.channels is None or not found.numbers:
        return found
    first, second = found.channels
    size, *more = found.numbers
    if more:
        raise OverLimit(e.Unexpected(more[0].span, "a second number", "a word or an option"))
    return n.ConvType(first, second, size, found.flags, found.options, found.span)


def _no_layer(expr: n.Expr) -> e.Unexpected:
    mend = (
        "`>>` chains layers; they are applied to values in brackets: `(relu >> conv[c -> c, 3])(x)`"
    )
    return e.Unexpected(expr.span, f"`{expr.span.text}`", "a layer", mend)
