"""Advice: what an author may have meant where operands do not fit."""

from __future__ import annotations

from collections.abc import Sequence

from unroll_dsl.semantics.typing import Typing
from unroll_dsl.syntax.expressions import Level, expression_text
from unroll_dsl.syntax.nodes import Adjoint, Binary, Expr, Name
from unroll_dsl.types import IDENTITY, Array, Layer, LinearMap, Type, map_backward, map_forward
from unroll_dsl.types.algebra import as_structure


def _factors(left: Expr, right: Expr) -> tuple[str, str]:
    """Both sides of a product as text."""
    return expression_text(left, Level.PRODUCT), expression_text(right, Level.SIGNED)


def of_no_adjoint(operand: Expr, type_: Type) -> str | None:
    if isinstance(type_, Array) and type_.rank == 1:
        return f"for the inner product with y write `dot({expression_text(operand)}, y)`"
    if isinstance(type_, Layer):
        return "learn a second layer for the way back, as `Ht` beside `H`"
    return None


def of_inner_product(function: str, operands: Sequence[Expr], types: Sequence[Array]) -> str | None:
    """`dot(A, x)` of a matrix and a vector."""
    if function != "dot" or [type_.rank for type_ in types] != [2, 1]:
        return None
    first, second = _factors(*operands)
    return f"a map is applied with `@`: `{first} @ {second}`"


def of_no_map(expr: Binary, left: Type) -> str:
    """Instead of `left @ right`, where `left` is a layer or has too few axes."""
    first, second = expression_text(expr.left), expression_text(expr.right)
    if isinstance(left, Layer):
        return f"a layer is called: `{first}({second})`"
    if isinstance(left, Array) and left.rank == 0:
        return "write `{} * {}`".format(*_factors(expr.left, expr.right))
    return f"write `dot({first}, {second})`"


def of_composition(expr: Binary, left: Type, right: Type) -> str | None:
    """Two matrices that do not meet, and would if one were turned."""
    if not (isinstance(left, Array) and isinstance(right, Array)):
        return None
    a, b = _factors(expr.left, expr.right)
    if left.shape[0] == right.shape[0]:
        return f"use the adjoint of the first: `{primed(expr.left)} @ {b}`"
    if left.shape[1] == right.shape[1]:
        return f"use the adjoint of the second: `{a} @ {primed(expr.right)}`"
    return None


def of_turned(value: Expr, found: Array, declared: Array) -> str | None:
    """A matrix that would fit as its transpose."""
    if found.rank == 2 and found.shape[::-1] == declared.shape:
        return f"transpose it: `({expression_text(value)})'`"
    return None


def of_map_in_a_sum(expr: Binary, side: Expr, value: Type, map_: Type) -> str:
    """A map beside what is none: `A + 1`, `I + x`. `side` is what is none."""
    if isinstance(value, Array) and value.rank == 0 and map_ != IDENTITY:
        return f"add a multiple of the identity: `{expression_text(side, Level.PRODUCT)} * I`"
    if map_ == IDENTITY:
        first, second = ("1", side) if side is expr.right else (side, "1")
        words = [
            x if isinstance(x, str) else expression_text(x, Level.PRODUCT) for x in (first, second)
        ]
        return f"`I` is a map: for numbers write `{words[0]} {expr.operator} {words[1]}`"
    return "apply the map to something: `A @ x`"


def of_map_in_a_product(expr: Binary, left: Type, right: Type) -> str | None:
    if expr.operator != "*" or not isinstance(left, LinearMap):
        return None
    a, b = _factors(expr.left, expr.right)
    return f"apply the map: `{a} @ {b}`" if isinstance(right, Array) else f"compose: `{a} @ {b}`"


def of_disagreement(typing: Typing, expr: Binary, left: Type, right: Type) -> str | None:
    """An adjoint or a missing application that would make the shapes agree."""
    if not isinstance(left, Array) or not isinstance(right, Array):
        pass
    elif expr.operator == "*" and left.rank == 2 and right.rank in (1, 2):
        a, b = _factors(expr.left, expr.right)
        if left.shape[1] == right.shape[0]:
            return f"`*` is elementwise; the product of a matrix is `{a} @ {b}`"
        if left.shape[0] == right.shape[0]:
            return f"`*` is elementwise; the product of a matrix is `{primed(expr.left)} @ {b}`"
    for side, type_, goal in ((expr.left, left, right), (expr.right, right, left)):
        if not isinstance(goal, Array) or not isinstance(type_, Array):
            continue
        if isinstance(side, Binary) and side.operator == "@":
            continue
        found = _application(typing, side, type_, goal)
        if found is not None:
            return found
    return None


def _application(typing: Typing, side: Expr, type_: Array, goal: Array) -> str | None:
    """A declared map that takes `side` where it should be."""
    text = expression_text(side)
    text = f"({text})" if isinstance(side, Binary) else text
    for symbol in typing.symbols.values():
        structure = as_structure(symbol.type) if symbol.type is not None else None
        if structure is None:
            continue
        for word, reached in (
            (f"{symbol.name} @ {text}", map_forward(structure, type_)),
            (f"{symbol.name}' @ {text}", map_backward(structure, type_)),
        ):
            if isinstance(reached, Array) and reached.shape == goal.shape:
                return f"`{word}` lies in {reached}"
    return None


def primed(expr: Expr) -> str:
    """The text of the adjoint of an expression."""
    match expr:
        case Adjoint(operand):
            return expression_text(operand)
        case Name():
            return f"{expr.text}'"
        case _:
            return f"({expression_text(expr)})'"
