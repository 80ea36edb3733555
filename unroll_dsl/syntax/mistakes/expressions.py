"""Slips in expressions and signs: each function recognises one, or returns None."""

from __future__ import annotations

import re

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.source import Span
from unroll_dsl.syntax import reports as e
from unroll_dsl.syntax.blocks import Place
from unroll_dsl.syntax.failure import COMPARISONS, Failure, found
from unroll_dsl.syntax.tokens import NAME, NUMBER, RESERVED

_FUNCTION = "functions are written `def f(v) = ...`, on a line of their own"


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
        case "/*":
            mend = "comments begin with `#`, one on each line"
            return e.Unexpected(span, "`/*`", "a statement", mend)
        case _:
            return None


def _assignment(failure: Failure, span: Span) -> Diagnostic:
    updates = failure.place is Place.PHASE and failure.first in failure.declared.states
    sign = "<-" if updates else "="
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
    if failure.text == "for" and failure.wants_operator:
        mend = "sums are taken of whole arrays, `sum(x)`, or of an axis, `sum(x, axis=1)`"
    elif failure.text in ("if", "else") and failure.wants_operator:
        mend = "choose between values with `where(condition, a, b)`"
    elif failure.text == "over" and before and before.text == "sum":
        mend = "a sum over the phases is written `sum over phases mean(s^2)`"
    elif before and before.text == "lambda" and failure.has_after(":"):
        mend = _FUNCTION
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
    earlier = failure.line.tokens[: failure.index]
    if before.text in ("T", "H") and len(earlier) > 2 and earlier[-2].text == "^":  # `A^T y`
        mended = failure.mended(earlier[-2].span.to(before.span), "' @")
        return e.MissingOperator(token.span, before.span, mended, True)
    sign, is_certain = _sign_between(failure)
    return e.MissingOperator(token.span, before.span, failure.mended(gap, f" {sign} "), is_certain)


def _sign_between(failure: Failure) -> tuple[str, bool]:
    """The operator that is left out, and whether what the page declares tells that it is this one."""
    names, tokens = failure.declared, failure.line.tokens
    at = failure.index - 1
    is_primed = tokens[at].text == "'"
    left = tokens[at - is_primed]
    if left.text in names.maps:
        return "@", True
    if is_primed:
        return "@", False
    return "*", left.kind == NUMBER or left.text in names.values


def subscript(failure: Failure) -> Diagnostic | None:
    """`norm(x)_1`, `(x)_+`, `2j`."""
    before, token, after = failure.before, failure.token, failure.after
    if before is None or before.span.end != token.span.start or not failure.wants_operator:
        return None
    mend = None
    if before.kind == NUMBER and token.text in ("j", "J", "im"):
        mend = f"the imaginary unit is written `{before.text}i`"
    elif token.text == "_" and after is not None and after.text == "+":
        mend = "the positive part is `relu(...)`"
    elif token.text in ("_1", "_2", "_0", "_inf"):
        word = {"_1": "norm1(x)", "_2": "norm(x)", "_0": "norm0(x)", "_inf": "norm_inf(x)"}
        mend = f"the norm is `{word[token.text]}`"
    return e.Unexpected(failure.span, f"`{token.text}`", "an operator", mend) if mend else None


def paper(failure: Failure) -> Diagnostic | None:
    """`<x, y>`, `A^*`, `v -> v + 1`, `(10, 10)`, `1:3`."""
    before, text, span = failure.before, failure.text, failure.span
    if before is None:
        return None
    rest = failure.line.span.file.text[span.start : failure.line.span.end]
    inner = re.match(r"<\s*([^<>]+?)\s*,\s*([^<>]+?)\s*>", rest)
    if text == "<" and failure.wants_expression and inner is not None:
        words = f"the inner product is `dot({inner.group(1)}, {inner.group(2)})`"
        return e.Unexpected(span, "`<`", "an expression", words)
    if text == "*" and before.text == "^" and failure.index > 1:
        base = failure.line.tokens[failure.index - 2]
        return e.TransposeSpelling(before.span.to(span), f"{base.text}'")
    if text == "->" and failure.wants_operator and failure.has_before("=", "<-"):
        return e.Unexpected(span, "`->`", "an operator", _FUNCTION)
    if text == "," and failure.depth > 1 and failure.wants_operator and ")" in failure.accepted:
        mend = "a list stands behind a keyword alone, as in `sum(x, axis=(1, 2))`"
        return e.Unexpected(span, "`,`", "an operator", mend)
    if text == ":" and failure.depth > 0 and failure.wants_operator:
        mend = "a range stands in square brackets behind a name: `x[1:3]`"
        return e.Unexpected(span, "`:`", "an operator", mend)
    return None
