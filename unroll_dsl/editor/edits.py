"""Exact changes of a text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from unroll_dsl.source import Span


@dataclass(frozen=True, slots=True)
class Edit:
    """The text of `span` written as `text`; an empty span is a place where it is put in."""

    span: Span
    text: str


def applied(text: str, edits: Iterable[Edit]) -> str:
    """A text with edits made, none of which may touch another."""
    ordered = sorted(edits, key=lambda edit: (edit.span.start, edit.span.end))
    parts, at = [], 0
    for edit in ordered:
        assert edit.span.start >= at, "edits overlap"
        parts += [text[at : edit.span.start], edit.text]
        at = edit.span.end
    return "".join([*parts, text[at:]])


def moved(offset: int, edits: Iterable[Edit]) -> int:
    """Where an offset of the text comes to lie; one within an edit, at its beginning."""
    shift = 0
    for edit in sorted(edits, key=lambda each: each.span.start):
        if edit.span.end <= offset and (
            edit.span.start < offset or edit.span.end > edit.span.start
        ):
            shift += len(edit.text) - (edit.span.end - edit.span.start)
        elif edit.span.start < offset:
            return edit.span.start + shift
    return offset + shift


@dataclass(frozen=True, slots=True)
class Fix:
    """A mend of one mistake: what it does, in words, and the edits that do it."""

    title: str
    edits: tuple[Edit, ...]
