"""Values that are known while compiling: sizes, phase counts, literal classical values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from unroll_dsl.syntax.nodes import Binary, Call, Expr, Name, Number, Unary
from unroll_dsl.types import Dim

_FUNCTIONS: Mapping[str, Callable[[float], float]] = {
    "sqrt": math.sqrt,
    "exp": math.exp,
    "log": math.log,
    "abs": abs,
}


def as_dim(expr: Expr, symbols: Mapping[str, object]) -> Dim | None:
    """The dimension that an expression spells (`2 * m`, `n - 1`), or None."""
    match expr:
        case Number(value) if isinstance(value, int):
            return Dim.of(value)
        case Name(text) if text in symbols:
            return Dim.of(text)
        case Unary("-", operand):
            inner = as_dim(operand, symbols)
            return None if inner is None else -inner
        case Binary(operator, left, right) if operator in "+-*^":
            a, b = as_dim(left, symbols), as_dim(right, symbols)
            if a is None or b is None:
                return None
            if operator == "^":
                power = b.value
                if power is None or not 0 <= power <= 8:
                    return None
                result = Dim.of(1)
                for _ in range(power):
                    result = result * a
                return result
            return a + b if operator == "+" else a - b if operator == "-" else a * b
        case _:
            return None


def combined(operator: str, left: float, right: float) -> float | None:
    """`+ - * / ^` of two numbers in double precision; infinite beyond it, None where it is no number."""
    try:
        match operator:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case "/":
                return left / right
            case "^":
                power = left**right
                return power if isinstance(power, float) else None
            case _:
                return None
    except OverflowError:
        return math.inf
    except ArithmeticError:
        return None


def as_number(expr: Expr, lookup: Callable[[str], Expr | None]) -> float | None:
    """The real number that an expression is, following names through `lookup`; None if not one."""
    known: dict[str, float | None] = {}  # a name that is read twice is followed once

    def follow(name: str, depth: int) -> float | None:
        if name not in known:
            found = lookup(name)
            known[name] = None if found is None else _number(found, follow, depth)
        return known[name]

    try:
        value = _number(expr, follow, 0)
    except (ArithmeticError, ValueError):
        return None
    return None if value is not None and math.isinf(value) else value


def _number(expr: Expr, follow: Callable[[str, int], float | None], depth: int) -> float | None:
    if depth > 50:
        return None
    match expr:
        case Number(value):
            return float(value)
        case Name(text):
            return follow(text, depth + 1)
        case Unary("-", operand):
            inner = _number(operand, follow, depth)
            return None if inner is None else -inner
        case Binary(operator, left, right):
            a, b = _number(left, follow, depth), _number(right, follow, depth)
            if a is None or b is None:
                return None
            return combined(operator, a, b)
        case Call(Name(function), (argument,)) if function in _FUNCTIONS:
            inner = _number(argument.value, follow, depth)
            return None if inner is None else _FUNCTIONS[function](inner)
        case _:
            return None
