"""Expressions made of text with holes, and expressions recognised by such text.

    fill("soft(v, t)", v=u, t=w)          the tree of `soft(u, w)`
    match("sum(norm2(v, axis=1))", e)     {"v": ...}, or None

A hole is a name that is given a value, or, in `match`, one of `holes`; all else stands for itself.
What is made has no place of its own: it points at the text of its template.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from functools import cache
from typing import assert_never

from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.source import SourceFile
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.parser import parse
from unroll_dsl.syntax.printer import same_tree

_COMMUTES = ("+", "*", "==", "and", "or")


@cache
def template(text: str) -> n.Expr:
    """The tree of an expression; raises `InternalError` if it is none."""
    result = parse(SourceFile("<template>", f"def template() = {text}\n"))
    match result.program:
        case n.Program(statements=(n.Definition(value=value),)) if not result.diagnostics:
            return value
    raise InternalError(f"`{text}` is no expression")


def one_statement(text: str) -> n.Statement:
    """A statement from its text."""
    result = parse(SourceFile("<statement>", f"algorithm a\n{text}\n"))
    assert result.program is not None and not result.diagnostics, text
    return result.program.statements[0]


def fill(text: str | n.Expr, **values: n.Expr) -> n.Expr:
    """The expression with the holes filled."""
    return substitute(template(text) if isinstance(text, str) else text, values)


def substitute(expr: n.Expr, values: Mapping[str, n.Expr]) -> n.Expr:
    """An expression with names replaced; what has none of them is the same node as before."""
    match expr:
        case n.Name(text):
            return values.get(text, expr)
        case n.Number() | n.Chain():
            return expr
        case n.Unary(_, operand) | n.Adjoint(operand):
            inner = substitute(operand, values)
            return expr if inner is operand else dataclasses.replace(expr, operand=inner)
        case n.Binary(_, left, right):
            first, second = substitute(left, values), substitute(right, values)
            if first is left and second is right:
                return expr
            return dataclasses.replace(expr, left=first, right=second)
        case n.Call(function, arguments):
            given = tuple(
                a if (v := substitute(a.value, values)) is a.value else _with_value(a, v)
                for a in arguments
            )
            head = function if isinstance(function, n.Name) else substitute(function, values)
            if isinstance(function, n.Name) and isinstance(values.get(function.text), n.Name):
                head = values[function.text]  # a function by another name
            if head is function and all(a is b for a, b in zip(given, arguments, strict=True)):
                return expr
            return dataclasses.replace(expr, function=head, arguments=given)
        case n.PhaseSum(body):
            inner = substitute(body, values)
            return expr if inner is body else dataclasses.replace(expr, body=inner)
        case _:
            assert_never(expr)


def match(pattern: str | n.Expr, expr: n.Expr, holes: Collection[str]) -> dict[str, n.Expr] | None:
    """What the holes stand for in `expr`; a hole that occurs twice stands for equal trees."""
    tree = template(pattern) if isinstance(pattern, str) else pattern
    return _match(tree, expr, holes, {})


def _match(
    pattern: n.Expr, expr: n.Expr, holes: Collection[str], found: dict[str, n.Expr]
) -> dict[str, n.Expr] | None:
    match pattern, expr:
        case n.Name(text), _ if text in holes:
            if text in found:
                return found if same_tree(found[text], expr) else None
            return {**found, text: expr}
        case n.Name(text), n.Name(other):
            return found if text == other else None
        case n.Number(value), n.Number(other):
            return found if value == other else None
        case n.Unary(sign, inner), n.Unary(other, operand) if sign == other:
            return _match(inner, operand, holes, found)
        case n.Adjoint(inner), n.Adjoint(operand):
            return _match(inner, operand, holes, found)
        case n.Binary(sign, a, b), n.Binary(other, left, right) if sign == other:
            straight = _both(((a, left), (b, right)), holes, found)
            if straight is not None or sign not in _COMMUTES:
                return straight
            return _both(((a, right), (b, left)), holes, found)
        case n.Call(function, given), n.Call(other, arguments) if len(given) == len(arguments):
            pairs = [(function, other)]
            for ours, theirs in zip(given, arguments, strict=True):
                if (ours.keyword and ours.keyword.text) != (theirs.keyword and theirs.keyword.text):
                    return None
                pairs.append((ours.value, theirs.value))
            return _both(tuple(pairs), holes, found)
        case _:
            return None


def _both(
    pairs: tuple[tuple[n.Expr, n.Expr], ...], holes: Collection[str], found: dict[str, n.Expr]
) -> dict[str, n.Expr] | None:
    current: dict[str, n.Expr] | None = found
    for pattern, expr in pairs:
        if current is None:
            return None
        current = _match(pattern, expr, holes, current)
    return current


def _with_value(argument: n.Argument, value: n.Expr) -> n.Argument:
    return dataclasses.replace(argument, value=value)
