"""Formulas of numbers that have no value: seen in the text alone, phase by phase."""

from __future__ import annotations

import math

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.semantics import errors
from unroll_dsl.semantics.constants import as_number
from unroll_dsl.semantics.scopes import BODIES, Context, names_in
from unroll_dsl.semantics.typing import Typing
from unroll_dsl.syntax.nodes import Binary, Call, Expr, Let, Name, Number

_MOST_PHASES = 1000  # more are not tried
_FUNCTIONS = {"log": math.log, "sqrt": math.sqrt, "exp": math.exp}
_WORDS = {"log": "the logarithm of {0:g}", "sqrt": "the square root of {0:g}", "exp": "exp({0:g})"}


def fault(typing: Typing, expr: Binary | Call, context: Context) -> Diagnostic | None:
    """What is wrong with a quotient, a power, a logarithm, a root or an exponential of numbers, in the
    first phase in which something is; None where nothing is, or values are known later alone."""
    operands = _operands(expr, context, typing)
    if not operands:
        return None
    by_phase = context.place not in BODIES and "k" not in typing.symbols
    counted = by_phase and any(_reads_phase(typing, operand, context) for operand in operands)
    for k in range(1, min(typing.phases, _MOST_PHASES) + 1) if counted else (None,):
        values = [_number(typing, operand, context, k) for operand in operands]
        found = _fault(expr, values, k)
        if found is not None:
            return found
        if all(value is None for value in values):
            return None
    return None


def _operands(expr: Binary | Call, context: Context, typing: Typing) -> tuple[Expr, ...]:
    match expr:
        case Binary("/", _, right):
            return (right,)
        case Binary("^", left, right):
            return (left, right)
        case Call(Name(word), (argument,)) if word in _FUNCTIONS and word not in context.local:
            return () if word in typing.symbols else (argument.value,)
        case _:
            return ()


def _fault(expr: Binary | Call, values: list[float | None], k: int | None) -> Diagnostic | None:
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    match expr:
        case Binary("/", _, right):
            return errors.DivisionByZero(right.span, k) if known[0] == 0 else None
        case Binary():
            try:
                power = known[0] ** known[1]
            except ZeroDivisionError:
                return errors.DivisionByZero(expr.left.span, k)
            except OverflowError:
                power = math.inf
            if isinstance(power, complex) or not math.isfinite(power):
                return errors.NoNumber(expr.span, f"{known[0]:g}^{known[1]:g}", k)
        case Call(Name(word)):
            try:
                fine = math.isfinite(_FUNCTIONS[word](known[0]))
            except (ValueError, OverflowError):
                fine = False
            if not fine:
                return errors.NoNumber(expr.span, _WORDS[word].format(known[0]), k)
        case _:
            pass
    return None


def _number(typing: Typing, expr: Expr, context: Context, k: int | None) -> float | None:
    """The number that the text alone tells, through lets, in a phase."""

    def constant(name: str) -> Expr | None:
        if name in context.local:
            return None
        if name == "k" and k is not None:
            return Number(k, expr.span)
        symbol = typing.symbols.get(name)
        return symbol.definer.value if symbol and isinstance(symbol.definer, Let) else None

    return as_number(expr, constant)


def _reads_phase(typing: Typing, expr: Expr, context: Context) -> bool:
    """Whether `k` is in a formula, or in a `let` that it reads."""
    pending, seen = [expr], set[str]()
    while pending:
        for name in names_in(pending.pop()):
            if name.text in seen or name.text in context.local:
                continue
            seen.add(name.text)
            if name.text == "k":
                return True
            symbol = typing.symbols.get(name.text)
            if symbol is not None and isinstance(symbol.definer, Let):
                pending.append(symbol.definer.value)
    return False
