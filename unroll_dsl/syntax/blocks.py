"""Which lines belong to which statement, by their indentation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import Enum, auto

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.syntax import errors as e
from unroll_dsl.syntax.tokens import NAME, Line, Token


class Place(Enum):
    """Where a line stands: among the statements, or in the block of one."""

    TOP = auto()
    PHASE = auto()
    FORMULA = auto()
    DEFINITION = auto()


STATEMENT_WORDS = (
    "algorithm", "problem", "dims", "input", "fixed", "learnable", "let", "state", "phase",
    "output", "minimize", "loss", "def",
)  # fmt: skip
_PLACES = {
    "phase": Place.PHASE,
    "minimize": Place.FORMULA,
    "loss": Place.FORMULA,
    "def": Place.DEFINITION,
}
_OPERATORS = frozenset("+ - * / @ ^ == != < <= > >= and or not -> >> , =".split())


@dataclass(frozen=True, slots=True)
class Block:
    """A line at the margin and the lines indented below it; `place` is what these are."""

    head: Line
    body: tuple[Line, ...]
    place: Place
    problems: tuple[Diagnostic, ...] = ()


def opening_word(line: Line) -> str | None:
    """The statement that a line means to be, judged by its first word, rightly spelt or nearly."""
    first = line.first
    if first.kind != NAME:
        return None
    if first.text in STATEMENT_WORDS:
        return first.text
    second = line.tokens[1].text
    if second in ("=", "<-"):
        return None
    near = get_close_matches(first.text.lower(), STATEMENT_WORDS, 1, 0.75)
    return near[0] if near else None


def grouped(lines: Sequence[Line]) -> Iterator[Block]:
    """The lines of a file in blocks. A program that is indented as a whole is read as if it were not."""
    margin = min((line.indent for line in lines), default=0)
    at = 0
    while at < len(lines):
        head = lines[at]
        end = at + 1
        while end < len(lines) and lines[end].indent > margin:
            end += 1
        body = tuple(lines[at + 1 : end])
        if not body and head.opens_block:
            end = _unindented(lines, at)
            yield _not_indented(head, tuple(lines[at + 1 : end]))
        elif body:
            yield from _with_body(head, body)
        else:
            yield Block(head, (), Place.TOP)
        at = end
