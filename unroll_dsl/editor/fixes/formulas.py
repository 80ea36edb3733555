"""Mends of expressions: what is written instead of one, in the brackets that it needs where it stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.editor.edits import Fix
from unroll_dsl.editor.fixes.proposals import proposals, replaced
from unroll_dsl.editor.fixes.words import near_words
from unroll_dsl.editor.page import OpenPage
from unroll_dsl.editor.trees import expressions_of, inner
from unroll_dsl.semantics import errors
from unroll_dsl.semantics.errors import LayerFault
from unroll_dsl.semantics.mends import primed
from unroll_dsl.source import Span
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.expressions import Level, expression_text
from unroll_dsl.syntax.templates import template

_WRITTEN = re.compile(
    r"(?:write|a number fits every shape: write|the imaginary unit is written|apply it:|call it:|the spectral norm is|the norm is|use the adjoint:|use the adjoint of the \w+:"
    r"|soft thresholding is|hard thresholding is|the trace of a matrix is|the natural logarithm is"
    r"|transpose it:|apply the map:|compose:|a layer is called:|powers are written|for a product write"
    r"|a map is applied with `@`:|maps are applied with `@`:|the adjoint is a prime:|add a multiple of the identity:"
    r"|the mean squared error is|the mean absolute error is|`\*` is elementwise; the product of a matrix is)"
    r" `([^`]*)`"
)


def written(words: str | None) -> str | None:
    """The formula that a mend in words names; None where it leaves something out."""
    found = _WRITTEN.fullmatch(words or "")
    return None if found is None or "..." in found.group(1) else found.group(1)


def instead(
    page: OpenPage, error: Diagnostic, wanted: Callable[[n.Expr], bool], text: str | None
) -> Iterator[Fix]:
    """`text` in the place of the smallest expression that is wanted."""
    if text is None or page.program is None:
        return
    best: tuple[n.Expr, n.Expr | None] | None = None
    for expr, parent in expressions_of(page.program):
        size = expr.span.end - expr.span.start
        is_smaller = best is None or size < best[0].span.end - best[0].span.start
        if expr.span.file is page.file and is_smaller and wanted(expr):
            best = expr, parent
    if best is None:
        return
    try:
        tree = template(text)
    except InternalError:  # words, no formula
        return
    expr, parent = best
    yield replaced(error, expr.span, bracketed(page, tree, text, expr, parent), None)


def bracketed(page: OpenPage, tree: n.Expr, text: str, old: n.Expr, parent: n.Expr | None) -> str:
    """A formula in brackets where what surrounds it binds more tightly."""
    around = page.text[: old.span.start].rstrip()[-1:], page.text[old.span.end :].lstrip()[:1]
    least = Level.OR
    match parent:
        case n.Binary("+" | "-", left, _):
            least = Level.SUM if left is old else Level.PRODUCT
        case n.Binary("*" | "/" | "@", left, _):
            least = Level.PRODUCT if left is old else Level.SIGNED
        case n.Binary("^") | n.Adjoint() | n.Unary():
            least = Level.POSTFIX
        case n.Binary():
            least = Level.SUM
    if around == ("(", ")"):
        least = Level.OR
    return text if expression_text(tree, least) == expression_text(tree) else f"({text})"


# ---- names and calls ----------------------------------------------------------------------------


@proposals.register
def _(error: errors.UnknownName, page: OpenPage) -> Iterator[Fix]:
    if error.mend is None:
        yield from near_words(error, error.span, error.near)
        return

    def called(expr: n.Expr) -> bool:
        return isinstance(expr, n.Call) and expr.function.span == error.span

    text = written(error.mend)
    if text is not None and error.is_function:
        yield from instead(page, error, called, text)
    elif text is not None:
        yield replaced(error, error.span, text)


@proposals.register
def _(error: errors.WrongArgumentCount, page: OpenPage) -> Iterator[Fix]:
    yield from instead(page, error, lambda expr: expr.span == error.span, written(error.mend))


@proposals.register
def _(error: errors.NotAFunction, page: OpenPage) -> Iterator[Fix]:
    def called(expr: n.Expr) -> bool:
        return isinstance(expr, n.Call) and expr.function.span == error.operand.span

    yield from instead(page, error, called, written(error.mend))


@proposals.register
def _(error: errors.CallMismatch, page: OpenPage) -> Iterator[Fix]:
    def called(expr: n.Expr) -> bool:
        given = expr.arguments if isinstance(expr, n.Call) else ()
        return any(argument.value.span == error.argument.span for argument in given)

    yield from instead(page, error, called, written(error.mend))


# ---- maps ---------------------------------------------------------------------------------------


@proposals.register
def _(error: errors.WrongSpace, page: OpenPage) -> Iterator[Fix]:
    if error.rewrite is None or page.program is None:
        return
    for expr, parent in expressions_of(page.program):
        if expr.span == error.map_span:
            text = bracketed(page, template(primed(expr)), primed(expr), expr, parent)
            yield replaced(error, expr.span, text, f"Use the adjoint: `{error.rewrite}`")
            return


@proposals.register
def _(error: errors.NotAMap, page: OpenPage) -> Iterator[Fix]:
    def applied_here(expr: n.Expr) -> bool:
        return (
            isinstance(expr, n.Binary)
            and expr.operator == "@"
            and expr.left.span == error.operand.span
        )

    yield from instead(page, error, applied_here, written(error.mend))


@proposals.register
def _(error: errors.MapsDoNotCompose, page: OpenPage) -> Iterator[Fix]:
    yield from instead(page, error, _with_sign(error.operator_span), written(error.mend))


@proposals.register
def _(error: errors.ShapesDisagree, page: OpenPage) -> Iterator[Fix]:
    yield from instead(page, error, _with_sign(error.operator_span), written(error.mend))


@proposals.register
def _(error: errors.ValueDoesNotFit, page: OpenPage) -> Iterator[Fix]:
    yield from instead(page, error, lambda expr: expr.span == error.value.span, written(error.mend))


@proposals.register
def _(error: errors.InverseByPower, page: OpenPage) -> Iterator[Fix]:
    """`(A' @ A)^-1 @ b`, where it stands before all that it is applied to."""

    def inverse(expr: n.Expr) -> bool:
        match expr:
            case n.Binary("@", left, right):
                is_power = left.span == error.span or inner(left).span == error.span
                return is_power and expression_text(right) == error.argument
            case _:
                return False

    yield from instead(page, error, inverse, f"solve({error.matrix}, {error.argument})")


def _with_sign(span: Span) -> Callable[[n.Expr], bool]:
    return lambda expr: isinstance(expr, n.Binary) and expr.operator_span == span


@proposals.register
def _(error: errors.MapAsValue, page: OpenPage) -> Iterator[Fix]:
    """`x + I` of numbers."""
    if error.mend is not None and error.mend.startswith("`I` is a map"):
        yield replaced(error, error.operand.span, "1")


@proposals.register
def _(error: errors.PlaceUnknown, page: OpenPage) -> Iterator[Fix]:
    """`x[k]`, `x[k-1]`: the state itself, or what it was as the phase began."""

    def entry(expr: n.Expr) -> bool:
        match expr:
            case n.Call(n.Name(n.ENTRIES), (_, *places)):
                return any(place.value.span == error.span for place in places)
            case _:
                return False

    for text in re.findall(r"`(\w+|prev\(\w+\))`", error.mend or ""):
        for fix in instead(page, error, entry, text):
            yield Fix(f"Write `{text}`", fix.edits)


@proposals.register
def _(error: LayerFault, page: OpenPage) -> Iterator[Fix]:
    """A step without the number that stands in its brackets."""
    line = page.line_at(error.span.start)
    if error.why is not LayerFault.Why.NO_NUMBER or line is None:
        return
    before = [t for t in line.tokens if t.span.start <= error.span.start and t.text == error.step]
    behind = [t for t in line.tokens if t.span.end >= error.span.end and t.text == "]"]
    if before and behind:
        span = Span(page.file, before[-1].span.start, behind[0].span.end)
        yield replaced(error, span, error.text)
