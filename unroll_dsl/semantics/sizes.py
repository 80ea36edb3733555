"""Sizes where they are written: in types, in the brackets of layers and blocks."""

from __future__ import annotations

from collections.abc import Container, Iterable

from unroll_dsl.near import near
from unroll_dsl.semantics import errors
from unroll_dsl.semantics.constants import as_dim
from unroll_dsl.semantics.scopes import Reporter
from unroll_dsl.syntax.nodes import Expr, Name
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.types import Dim, SizeTooLong


def read_size(
    expr: Expr,
    sizes: Iterable[str],
    declared: Container[str],
    poisoned: Container[str],
    reporter: Reporter,
    block: str | None = None,
) -> Dim | None:
    """The size that an expression spells in `sizes`; None if it is none, reported. `declared`: names that
    stand for something else; `poisoned`: of which nothing is known; `block`: in which the expression stands."""
    try:
        found = as_dim(expr, dict.fromkeys(sizes))
    except SizeTooLong as error:
        reporter.report(errors.SizeWithoutEnd(expr.span, str(error)))
        return None
    if found is not None:
        if found.value is not None and found.value < 1:
            reporter.report(errors.DimensionExpected(expr.span, str(found.value), block=block))
            return None
        return found
    if isinstance(expr, Name):
        if expr.text in poisoned:
            return None
        undeclared = expr.text if expr.text not in declared else None
        close = near(expr.text, sizes)
        reporter.report(errors.DimensionExpected(expr.span, expr.text, close, undeclared, block))
    else:
        reporter.report(errors.DimensionExpected(expr.span, expression_text(expr), block=block))
    return None
