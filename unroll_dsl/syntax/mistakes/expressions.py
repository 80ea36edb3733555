"""Slips in expressions and signs: each function recognises one, or returns None."""

from __future__ import annotations

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.source import Span
from unroll_dsl.syntax import reports as e
from unroll_dsl.syntax.blocks import Place
from unroll_dsl.syntax.failure import COMPARISONS, Failure, found
from unroll_dsl.syntax.tokens import NAME, NUMBER, RESERVED


def foreign_operator(failure: Failure) -> Diagnostic | None:
    """`**`, `//`, `:=`: two signs of the language that are one in another."""
    before, token = failure.before, failure.token
    if before is None or before.span.end != token.span.start:
        return None
    span = before.span.to(token.span)
    match before.text + token.text:
        case "**":
            return e.ForeignOperator(span, "`^`", failure.mended(span, "^"))
        case "//":
            return e.SlashComment(span)
        case ":=":
            return _assignment(failure, span)
        case _:
            return None


def foreign_assignment(failure: Failure) -> Diagnostic | None:
    """`:=` and `+=` where the first of the signs is already refused; `//` at a line's start."""
    token, after = failure.token, failure.after
    if after is None or token.span.end != after.span.start:
        return None
    span = token.span.to(after.span)
    match token.text + after.text:
        case ":=" if failure.index > 0:
            return _assignment(failure, span)
        case "+=" | "-=" | "*=" | "/=" if failure.index == 1:
            rest = failure.line.span.file.text[span.end : failure.line.span.end].strip()
            rest = rest if rest.isalnum() else f"({rest})"
            mended = f"{failure.first} <- {failure.first} {token.text} {rest}"
            return e.WrongAssignment(span, "<-", mended)
        case "//":
            return e.SlashComment(span)
        case _:
            return None


def _assignment(failure: Failure, span: Span) -> Diagnostic:
    sign = "<-" if failure.place is Place.PHASE and failure.first != "trace" else "="
    return e.WrongAssignment(span, sign, failure.mended(span, f" {sign} "))


def arrow(failure: Failure) -> Diagnostic | None:
    """`<-` where a value is given its name, or in an expression."""
    if failure.text != "<-" or failure.index == 0:
        return None
    if "=" in failure.accepted and "*" not in failure.accepted:
        return e.WrongAssignment(failure.span, "=", failure.mended(failure.span, "="))
    if "<" in failure.accepted:
        mend = f"to compare with a negative number, write `{failure.mended(failure.span, '< -')}`"
        return e.Unexpected(failure.span, "`<-`", "an operator", mend)
    return None


def reserved_word(failure: Failure) -> Diagnostic | None:
    """`and`, `or`, `not` or `in` where a name is wanted."""
    if failure.text in RESERVED and NAME in failure.accepted and not failure.wants_expression:
        return e.ReservedWord(failure.span)
    return None


def equality(failure: Failure) -> Diagnostic | None:
    """A second `=`, or one that means `==`."""
    if failure.text != "=" or not failure.wants_operator:
        return None
    first = failure.has_before("=", "<-")
    if first is not None and failure.depth == 0:
        return e.ValueTwice(failure.span, first.span)
    if "==" in failure.accepted:
        mend = f"equality is `==`: `{failure.mended(failure.span, '==')}`"
        return e.Unexpected(failure.span, "`=`", "an operator", mend)
    return None


def chained_comparison(failure: Failure) -> Diagnostic | None:
    """`a < b < c`."""
    if failure.text not in COMPARISONS or "and" not in failure.accepted:
        return None
    earlier = failure.line.tokens[: failure.index]
    at = max((i for i, token in enumerate(earlier) if token.text in COMPARISONS), default=None)
    if at is None or at + 1 >= failure.index:
        return None
    middle = earlier[at + 1].span.to(earlier[-1].span)
    return e.ChainedComparison(failure.span, earlier[at].span, middle)


def indexing(failure: Failure) -> Diagnostic | None:
    """`theta[]`, `theta[1:9:2]`."""
    before = failure.before
    if failure.text == "]" and before is not None and before.text == "[":
        return e.Indexing(before.span.to(failure.span), False)
    if failure.text == ":" and before is not None and failure.depth > 0 and "]" in failure.accepted:
        return e.Indexing(failure.span, True)
    return None


def other_language(failure: Failure) -> Diagnostic | None:
    """`a if b else c`, `lambda x: x`, `[1, 2]`, `sum over k`."""
    before, mend = failure.before, None
    if failure.text in ("if", "else", "for") and failure.wants_operator:
        mend = "choose between values with `where(condition, a, b)`"
    elif failure.text == "over" and before and before.text == "sum":
        mend = "a sum over the phases is written `sum over phases mean(s^2)`"
    elif before and before.text == "lambda" and failure.has_after(":"):
        mend = "functions are written `def f(v) = ...`, on a line of their own"
    elif failure.text == "[" and failure.wants_expression:
        mend = "values are not written out as lists: declare one as `fixed` and bind it from Python"
        return e.Unexpected(failure.span, "`[`", "an expression", mend)
    return e.Unexpected(failure.span, f"`{failure.text}`", "an operator", mend) if mend else None


def unary_plus(failure: Failure) -> Diagnostic | None:
    """`+ x`."""
    if failure.text == "+" and failure.wants_expression:
        mend = f"leave the sign out: `{failure.mended(failure.span, ' ')}`"
        return e.Unexpected(failure.span, "`+`", "an expression", mend)
    return None


def missing_expression(failure: Failure) -> Diagnostic | None:
    """An operator, a comma or an equals sign with nothing behind it."""
    before = failure.before
    if before is None or not failure.wants_expression or failure.token.kind in (NAME, NUMBER):
        return None
    if before.text in ("(", "["):
        return None
    where = "the end of the line" if failure.at_end else f"`{failure.text}`"
    return e.MissingExpression(failure.span, before.span, where)


def missing_name(failure: Failure) -> Diagnostic | None:
    """`let = 3`, `dims m,`, `state 2x : scalar`."""
    wants_name = NAME in failure.accepted and not failure.wants_expression
    if not wants_name or "complex" in failure.accepted or failure.index == 0:
        return None
    if failure.before is not None and failure.before.text == "~":
        mend = "a value is given with `=`; `~` draws one at random, as in `~ xavier_normal`"
    elif failure.before is not None and failure.before.text == "complex":
        mend = "say what is complex, for instance `complex vector[n]`"
    elif failure.token.kind == NUMBER:
        mend = "a name begins with a letter or an underscore"
    elif failure.at_end or failure.text in ("=", ":", ",", "<-"):
        start = Span(failure.span.file, failure.span.start, failure.span.start)
        mend = f"for instance `{failure.mended(start, ' name ')}`"
    else:
        return None
    return e.Unexpected(failure.span, found(failure), "a name", mend)


def missing_operator(failure: Failure) -> Diagnostic | None:
    """`2 x`, `A x`."""
    before, token = failure.before, failure.token
    if before is None or not failure.wants_operator or token.kind not in (NAME, NUMBER):
        return None
    if before.kind not in (NAME, NUMBER) and before.text not in (")", "]", "'"):
        return None
    gap = Span(token.span.file, token.span.start, token.span.start)
    return e.MissingOperator(token.span, before.span, failure.mended(gap, " * "))
