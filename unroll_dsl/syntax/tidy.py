"""Formulas that a machine has put together, as a person would write them.

    0 + x, 1 * x, x / 1, --x          x
    a - -b                            a + b
    A''                               A
    (1/2) * 2                         1

Values stay the same to rounding; what is written by hand is not touched unless a rule applies.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.printer import same_tree
from unroll_dsl.syntax.templates import template

_PLACE = template("0").span


def number(value: int | float) -> n.Expr:
    """A literal; negative ones are a sign and a literal, as the grammar has them."""
    if value < 0:
        return n.Unary("-", n.Number(-value, _PLACE), _PLACE)
    return n.Number(value, _PLACE)


def name(text: str) -> n.Name:
    return n.Name(text, _PLACE)


def is_number(expr: n.Expr, value: float) -> bool:
    return isinstance(expr, n.Number) and expr.value == value


def binary(sign: str, left: n.Expr, right: n.Expr) -> n.Expr:
    """`left sign right` with the trivial cases left out."""
    match sign:
        case "+" | "-" if is_number(right, 0):
            return left
        case "+" if is_number(left, 0):
            return right
        case "-" if is_number(left, 0):
            return negative(right)
        case "+" if (turned := opposite(right)) is not None:
            return binary("-", left, turned)
        case "-" if (turned := opposite(right)) is not None:
            return binary("+", left, turned)
        case "+" if (turned := opposite(left)) is not None:
            return binary("-", right, turned)
        case "*" if is_number(left, 1):
            return right
        case "*" | "/" if is_number(right, 1):
            return left
        case "*" if is_number(left, 0) or is_number(right, 0):
            return number(0)
        case "*" if isinstance(left, n.Unary) and left.operator == "-":
            return negative(binary("*", left.operand, right))
        case "*" | "/" | "@" if (turned := opposite(right)) is not None:
            return negative(binary(sign, left, turned))
        case "+" | "-" if isinstance(right, n.Binary) and right.operator in ("+", "-"):
            other = right.operator if sign == "+" else {"+": "-", "-": "+"}[right.operator]
            return binary(other, binary(sign, left, right.left), right.right)
    return n.Binary(sign, left, right, _PLACE, _PLACE)


def times(number: n.Expr, expr: n.Expr) -> n.Expr:
    """A number before a product, where a person puts it: `t * A' @ r`."""
    match expr:
        case n.Binary("@" | "*" | "/", left, _):
            return dataclasses.replace(expr, left=times(number, left), span=_PLACE)
    return binary("*", number, expr)


def cancelled(expr: n.Expr) -> n.Expr:
    """A sum without what it adds and takes away again: `x - (x + y)` is -y."""
    summands = _summands(expr, False)
    kept: list[tuple[bool, n.Expr]] = []
    for minus, summand in summands:
        other = next((k for k in kept if k[0] is not minus and same_tree(k[1], summand)), None)
        if other is None:
            kept.append((minus, summand))
        else:
            kept.remove(other)
    if len(kept) == len(summands):
        return expr
    kept.sort(key=lambda k: k[0])  # what is added comes first
    result: n.Expr = number(0)
    for minus, summand in kept:
        result = binary("-" if minus else "+", result, summand)
    return result


def _summands(expr: n.Expr, minus: bool) -> list[tuple[bool, n.Expr]]:
    match expr:
        case n.Binary("+" | "-" as sign, left, right):
            return [*_summands(left, minus), *_summands(right, minus ^ (sign == "-"))]
        case n.Unary("-", operand):
            return _summands(operand, not minus)
    return [(minus, expr)]


def opposite(expr: n.Expr) -> n.Expr | None:
    """The expression without the sign that it begins with; None where there is none."""
    match expr:
        case n.Unary("-", operand):
            return operand
        case n.Binary("*" | "/" | "@", left, _):
            turned = opposite(left)
            return None if turned is None else dataclasses.replace(expr, left=turned)
    return None


def negative(expr: n.Expr) -> n.Expr:
    match expr:
        case _ if (turned := opposite(expr)) is not None:
            return turned
        case n.Binary("-", left, right):
            return binary("-", right, left)
        case n.Number(0):
            return expr
        case n.Binary("*" | "/" | "@", left, _):
            return dataclasses.replace(expr, left=negative(left))
    return n.Unary("-", expr, _PLACE)


def adjoint(expr: n.Expr) -> n.Expr:
    """The adjoint: of a product the adjoints in reverse, of a sum of each."""
    match expr:
        case n.Adjoint(operand):
            return operand
        case n.Name("I"):
            return expr
        case n.Call(n.Name("diag"), (n.Argument(None, value),)) if _is_plain(value):
            return expr
        case _:
            return n.Adjoint(expr, _PLACE)


def _is_plain(expr: n.Expr) -> bool:
    return isinstance(expr, n.Name)


def total(summands: Iterable[n.Expr]) -> n.Expr:
    """Their sum, 0 of none."""
    result: n.Expr = number(0)
    for summand in summands:
        result = binary("+", result, summand)
    return result


def tidy(expr: n.Expr) -> n.Expr:
    """The whole expression by these rules, from its leaves up."""
    match expr:
        case n.Unary("-", operand):
            return negative(tidy(operand))
        case n.Unary(_, operand):
            return dataclasses.replace(expr, operand=tidy(operand))
        case n.Binary(sign, left, right):
            first, second = tidy(left), tidy(right)
            if sign in ("+", "-", "*", "/", "@"):
                return binary(sign, first, second)
            return dataclasses.replace(expr, left=first, right=second)
        case n.Adjoint(operand):
            return adjoint(tidy(operand))
        case n.Call(_, arguments):
            given = tuple(dataclasses.replace(a, value=tidy(a.value)) for a in arguments)
            return dataclasses.replace(expr, arguments=given)
        case n.PhaseSum(body):
            return dataclasses.replace(expr, body=tidy(body))
        case _:
            return expr
