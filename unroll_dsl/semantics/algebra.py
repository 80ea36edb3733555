"""Operators in expressions: what the algebra of types says of them, and its words for the author."""

from __future__ import annotations

import math
from typing import TypeGuard, assert_never

from unroll_dsl.semantics import errors, mends
from unroll_dsl.semantics.arithmetic import fault
from unroll_dsl.semantics.constants import combined
from unroll_dsl.semantics.model import Sort
from unroll_dsl.semantics.scopes import Context
from unroll_dsl.semantics.typing import Typing
from unroll_dsl.syntax.nodes import Binary, Expr, Name, Unary
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.types import (
    UNKNOWN,
    Array,
    Field,
    Layer,
    LinearMap,
    Mismatch,
    Type,
    Unknown,
    Why,
    algebra,
    known_domain,
    map_backward,
)

_ARITHMETIC = ("+", "-", "*", "/", "^")
_ORDER = ("<", "<=", ">", ">=")


def unary(typing: Typing, expr: Unary, context: Context) -> Type:
    """`-v` and `not v`."""
    operator, operand = expr.operator, expr.operand
    type_ = typing.infer(operand, context)
    if operator == "not" and isinstance(type_, Array):
        return Array(type_.shape, Field.BOOL, type_.form)
    if operator == "-" and operand in typing.numbers:
        typing.numbers[expr] = -typing.numbers[operand]
    found = algebra.negated(type_)
    if isinstance(found, Mismatch) or (operator == "not" and isinstance(type_, LinearMap)):
        shown = typing.operand(operand, type_, context)
        typing.reporter.report(errors.MapAsValue(shown, f"`{operator}`"))
        return UNKNOWN
    return found


def adjoint(typing: Typing, operand: Expr, context: Context) -> Type:
    """`A'`."""
    type_ = typing.infer(operand, context)
    found = algebra.transposed(type_)
    if isinstance(found, Mismatch):
        shown = typing.operand(operand, type_, context)
        typing.reporter.report(errors.NoAdjoint(shown, mends.of_no_adjoint(operand, type_)))
        return UNKNOWN
    return found


# ---- `@` ----------------------------------------------------------------------------------------


def at(typing: Typing, expr: Binary, context: Context) -> Type:
    """`A @ x`, `A @ B`."""
    left = typing.infer(expr.left, context)
    right = typing.infer(expr.right, context)
    found = algebra.product(left, right)
    if _is_negative_power(expr.left, typing) and isinstance(left, Array) and left.rank == 2:
        matrix, argument = expression_text(expr.left.left), expression_text(expr.right)
        typing.reporter.report(errors.InverseByPower(expr.left.span, matrix, argument))
        return UNKNOWN
    if not isinstance(found, Mismatch):
        return found
    match found.why:
        case Why.NOT_A_MAP:
            shown = typing.operand(expr.left, left, context)
            typing.reporter.report(errors.NotAMap(shown, mends.of_no_map(expr, left)))
        case Why.NOT_A_VALUE:
            shown = typing.operand(expr.right, right, context)
            typing.reporter.report(errors.MapAsValue(shown, "`@`"))
        case Why.ENDS:
            typing.reporter.report(
                errors.MapsDoNotCompose(
                    expr.operator_span,
                    typing.operand(expr.left, left, context),
                    typing.operand(expr.right, right, context),
                    found.found,
                    mends.of_composition(expr, left, right),
                )
            )
        case Why.SPACE | Why.OPERATOR | Why.SHAPES | Why.ARGUMENT | Why.NOT_SQUARE:
            assert isinstance(right, Array), "a map is applied to it"
            _wrong_space(typing, expr, left, right, found, context)
        case _:
            assert_never(found.why)
    return UNKNOWN


def _is_negative_power(expr: Expr, typing: Typing) -> TypeGuard[Binary]:
    """`M^-1`, which is elementwise, where a map is applied."""
    if not isinstance(expr, Binary) or expr.operator != "^":
        return False
    return typing.numbers.get(expr.right, 0) < 0


def _wrong_space(
    typing: Typing, expr: Binary, left: Type, right: Array, found: Mismatch, context: Context
) -> None:
    operator = expr.left  # in `t * A @ r` it is A that is in question
    while isinstance(operator, Binary) and operator.operator in ("*", "/"):
        inner = operator.right if operator.operator == "*" else operator.left
        if algebra.as_structure(context.types.get(inner, UNKNOWN)) is None:
            break
        operator = inner
    structure = algebra.as_structure(left)
    rewrite = declaration = None
    domain = known_domain(structure) if structure is not None else None
    if domain is not None and isinstance(expr.right, Name):
        symbol = typing.symbols.get(expr.right.text)
        if symbol is not None and symbol.sort is Sort.STATE:
            declaration = f"state {symbol.name} : {domain}"
    backward = None if structure is None else map_backward(structure, right)
    if domain is not None and isinstance(backward, Array):
        argument = expression_text(expr.right)
        if isinstance(expr.right, Binary):
            argument = f"({argument})"
        rewrite = f"{mends.primed(operator)} @ {argument}"
    words = str(left)
    if isinstance(left, Array) and structure is not None:
        words = f"{left} takes vector[{left.shape[1]}] to vector[{left.shape[0]}]"
    typing.reporter.report(
        errors.WrongSpace(
            expression_text(operator),
            typing.operand(expr.right, right, context),
            found.expected,
            words,
            operator.span,
            rewrite,
            declaration,
            found.expected if found.why is Why.OPERATOR else None,
        )
    )


# ---- arithmetic, comparison, logic --------------------------------------------------------------


def binary(typing: Typing, expr: Binary, context: Context) -> Type:
    """All operators of two operands but `@`."""
    left = typing.infer(expr.left, context)
    right = typing.infer(expr.right, context)
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return UNKNOWN
    if isinstance(left, Layer) or isinstance(right, Layer):
        side, type_ = (expr.left, left) if isinstance(left, Layer) else (expr.right, right)
        mend = f"apply the layer: `{expression_text(side)}(x)`"
        shown = typing.operand(side, type_, context)
        typing.reporter.report(errors.MapAsValue(shown, f"`{expr.operator}`", mend))
        return UNKNOWN
    problem = fault(typing, expr, context)
    if problem is not None:
        typing.reporter.report(problem)
        return UNKNOWN
    if expr.left in typing.numbers and expr.right in typing.numbers:
        number = combined(expr.operator, typing.numbers[expr.left], typing.numbers[expr.right])
        if number is not None and math.isinf(number):
            what = f"`{expression_text(expr)}`, above 1.8e308,"
            typing.reporter.report(errors.NoNumber(expr.span, what))
            return UNKNOWN
        if number is not None:
            typing.numbers[expr] = number
    found = algebra.arithmetic(expr.operator, left, right)
    if isinstance(found, Mismatch):
        _refuse(typing, expr, left, right, found, context)
        return UNKNOWN
    if expr.operator in _ARITHMETIC or not isinstance(found, Array):
        return found
    if expr.operator in _ORDER and found.field is Field.COMPLEX:
        _unordered(typing, expr, left, right, context)
        return UNKNOWN
    return Array(found.shape, Field.BOOL, found.form)


def _refuse(
    typing: Typing, expr: Binary, left: Type, right: Type, found: Mismatch, context: Context
) -> None:
    if found.why is Why.SHAPES:
        typing.reporter.report(
            errors.ShapesDisagree(
                expr.operator,
                expr.operator_span,
                typing.operand(expr.left, left, context),
                typing.operand(expr.right, right, context),
                mends.of_disagreement(typing, expr, left, right),
            )
        )
        return
    at_left = found.argument == 0
    side, map_ = (expr.left, left) if at_left else (expr.right, right)
    other, value = (expr.right, right) if at_left else (expr.left, left)
    mend: str | None
    if expr.operator in ("+", "-"):
        mend = mends.of_map_in_a_sum(expr, other, value, map_)
    else:
        mend = mends.of_map_in_a_product(expr, left, right)
    shown = typing.operand(side, map_, context)
    typing.reporter.report(errors.MapAsValue(shown, f"`{expr.operator}`", mend))


def _unordered(typing: Typing, expr: Binary, left: Type, right: Type, context: Context) -> None:
    is_left = isinstance(left, Array) and left.field is Field.COMPLEX
    bad, type_ = (expr.left, left) if is_left else (expr.right, right)
    typing.reporter.report(
        errors.CallMismatch(
            expr.operator,
            typing.operand(bad, type_, context),
            "real values",
            str(type_),
            f"compare moduli: `abs({expression_text(bad)})`",
        )
    )
