"""Mends of names and words: those that were meant."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.editor.edits import Fix
from unroll_dsl.editor.fixes.proposals import proposals, replaced
from unroll_dsl.editor.page import OpenPage
from unroll_dsl.semantics import errors
from unroll_dsl.source import Span


def near_words(error: Diagnostic, span: Span, words: tuple[str, ...]) -> Iterator[Fix]:
    """Each word that may have been meant, the likeliest first."""
    for word in words:
        yield replaced(error, span, word, f"Change to `{word}`")


@proposals.register
def _(error: errors.UnknownWord, page: OpenPage) -> Iterator[Fix]:
    span = error.span
    if span.text.startswith(error.word):  # of an option, what stands behind its sign is kept
        span = Span(span.file, span.start, span.start + len(error.word))
    yield from near_words(error, span, error.near)


@proposals.register
def _(error: errors.UnknownKeyword, page: OpenPage) -> Iterator[Fix]:
    if not error.twice:
        yield from near_words(error, error.span, error.near)


@proposals.register
def _(error: errors.MeasuredNotInput, page: OpenPage) -> Iterator[Fix]:
    yield from near_words(error, error.span, error.near)


@proposals.register
def _(error: errors.UpdateOfNonState, page: OpenPage) -> Iterator[Fix]:
    yield from near_words(error, error.span, error.near)
    if error.near or error.sort is not None:
        return
    sign = sign_behind(page, error.span, "<-")
    if sign is not None:
        yield replaced(error, sign, "=", f"Write `{error.name} = ...`: a local value")


@proposals.register
def _(error: errors.StateAssigned, page: OpenPage) -> Iterator[Fix]:
    sign = sign_behind(page, error.span, "=")
    if sign is not None:
        yield replaced(error, sign, "<-")


def sign_behind(page: OpenPage, name: Span, sign: str) -> Span | None:
    """The sign that stands behind a name."""
    line = page.line_at(name.start)
    tokens = () if line is None else line.tokens
    for before, after in pairwise(tokens):
        if before.span == name and after.text == sign:
            return after.span
    return None
