"""Expressions and types as text, with no more parentheses than the grammar needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import IntEnum
from typing import assert_never

from unroll_dsl.syntax import nodes as n


class Level(IntEnum):
    """How tightly an expression holds together: the rules of the grammar from loose to tight.

    OPEN and TAIL are products that end in `sum over phases`, which would swallow any factor to its
    right: a TAIL may be a product's last factor, an OPEN product none.
    """

    OR = 1
    AND = 2
    NOT = 3
    COMPARISON = 4
    SUM = 5
    OPEN = 6
    TAIL = 7
    PRODUCT = 8
    SIGNED = 9
    POWER = 10
    POSTFIX = 11


# For each operator: its own level, and what its operands have to be at least.
_BINARY = {
    "or": (Level.OR, Level.OR, Level.AND),
    "and": (Level.AND, Level.AND, Level.NOT),
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), (Level.COMPARISON, Level.SUM, Level.SUM)),
    **dict.fromkeys(("+", "-"), (Level.SUM, Level.SUM, Level.OPEN)),
    **dict.fromkeys(("*", "/", "@"), (Level.PRODUCT, Level.PRODUCT, Level.SIGNED)),
    "^": (Level.POWER, Level.POSTFIX, Level.SIGNED),
}


def expression_text(expr: n.Expr, least: Level = Level.OR) -> str:
    """The expression as text that reads back as the same tree where `least` is asked for."""
    text, level = _text(expr)
    return text if level >= least else f"({text})"


def _text(expr: n.Expr) -> tuple[str, Level]:
    match expr:
        case n.Name(text):
            return text, Level.POSTFIX
        case n.Number(value):
            return repr(value), Level.POSTFIX
        case n.Unary("not", operand):
            return f"not {expression_text(operand, Level.NOT)}", Level.NOT
        case n.Unary(sign, operand):
            text, level = _last_factor(operand)
            return sign + text, level
        case n.Binary("*", n.Number(value), n.Name(n.IMAGINARY_UNIT)):
            return f"{value!r}i", Level.POSTFIX
        case n.Binary("*" | "/" | "@" as sign, left, right):
            text, level = _last_factor(right)
            product = f"{expression_text(left, Level.PRODUCT)} {sign} {text}"
            return product, Level.OPEN if level is Level.TAIL else Level.PRODUCT
        case n.Binary(sign, left, right):
            level, left_least, right_least = _BINARY[sign]
            space = "" if sign == "^" else " "
            before, after = expression_text(left, left_least), expression_text(right, right_least)
            return f"{before}{space}{sign}{space}{after}", level
        case n.Adjoint(operand):
            return expression_text(operand, Level.POSTFIX) + "'", Level.POSTFIX
        case n.Call(n.Name(n.ENTRIES), (operand, *places)):
            chosen = ", ".join(places_text(places, expression_text))
            return f"{expression_text(operand.value, Level.POSTFIX)}[{chosen}]", Level.POSTFIX
        case n.Call(n.Name(n.LIST), items):
            return f"({', '.join(map(argument_text, items))})", Level.POSTFIX
        case n.Call(function, arguments):
            given = ", ".join(argument_text(argument) for argument in arguments)
            return f"{expression_text(function, Level.POSTFIX)}({given})", Level.POSTFIX
        case n.Chain(steps):
            alone = len(steps) == 1 and isinstance(steps[0], n.ConvType | n.LayerType)
            return steps_text(steps) if alone else f"({steps_text(steps)})", Level.POSTFIX
        case n.PhaseSum(body):
            return f"sum over phases {expression_text(body, Level.OPEN)}", Level.TAIL
        case _:
            assert_never(expr)


def places_text(places: Sequence[n.Argument], text: Callable[[n.Expr], str]) -> Iterator[str]:
    """What stands in the brackets of `x[2, 1:3]`, one word an axis."""
    given = {place.keyword.text: place.value for place in places if place.keyword}
    for word, expr in given.items():
        axis = word.removeprefix("at").removeprefix("first")
        last = given.get(f"last{axis}")
        if word.startswith("at"):
            yield text(expr)
        elif word.startswith("first") and last is not None:
            yield f"{text(expr)}:{text(last)}"
        elif word.startswith("first"):
            whole = isinstance(expr, n.Number) and expr.value == 1
            yield ":" if whole else f"{text(expr)}:"


def _last_factor(expr: n.Expr) -> tuple[str, Level]:
    """An operand that ends a product: it may be a TAIL, and makes the whole one."""
    text, level = _text(expr)
    if level is Level.TAIL:
        return text, Level.TAIL
    return (text if level >= Level.SIGNED else f"({text})"), Level.SIGNED


def argument_text(argument: n.Argument) -> str:
    keyword = f"{argument.keyword.text}=" if argument.keyword else ""
    return keyword + expression_text(argument.value)


# ---- types --------------------------------------------------------------------------------------


def type_text(type_: n.TypeExpr) -> str:
    """A type as it is written in a declaration."""
    match type_:
        case n.SpaceType(kind, dims, is_complex):
            sizes = f"[{', '.join(map(expression_text, dims))}]" if dims else ""
            return ("complex " if is_complex else "") + kind.text + sizes
        case n.LinearType(domain, codomain):
            return f"linear {type_text(domain)} -> {type_text(codomain)}"
        case n.NetworkType(domains, codomain):
            return f"network {', '.join(map(type_text, domains))} -> {type_text(codomain)}"
        case n.ConvType(channels_in, channels_out, size, flags, options):
            channels = f"{expression_text(channels_in)} -> {expression_text(channels_out)}"
            rest = [
                expression_text(size),
                *(flag.text for flag in flags),
                *map(argument_text, options),
            ]
            return f"conv[{', '.join([channels, *rest])}]"
        case n.LayerType(kind, channels, numbers, flags, options):
            ends = [] if channels is None else [" -> ".join(map(expression_text, channels))]
            rest = [*map(expression_text, numbers), *(flag.text for flag in flags)]
            return f"{kind.text}[{', '.join([*ends, *rest, *map(argument_text, options)])}]"
        case n.RepeatedType((n.LayerType() | n.ConvType() | n.Name() as step,), count):
            return f"{steps_text((step,))} * {expression_text(count)}"
        case n.RepeatedType(steps, count):
            return f"({steps_text(steps)}) * {expression_text(count)}"
        case n.ComposedType(steps):
            return steps_text(steps)
        case _:
            assert_never(type_)


def steps_text(steps: Iterable[n.StepType]) -> str:
    """The steps of a chain as they are written."""
    return " >> ".join(s.text if isinstance(s, n.Name) else type_text(s) for s in steps)
