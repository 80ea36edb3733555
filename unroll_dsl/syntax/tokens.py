"""What the lexer hands to the parser: tokens, and logical lines of them."""

from __future__ import annotations

from dataclasses import dataclass

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.source import Span

# Terminals that the lexer knows by name; all others only the grammar does.
NAME = "NAME"
NUMBER = "NUMBER"
COLON = "COLON"
LINE_END = "_NL"
INDENT = "_INDENT"
DEDENT = "_DEDENT"
END = "$END"

# Words that are never names. (What begins a statement is a name everywhere else.)
RESERVED = frozenset({"and", "or", "not", "in"})


@dataclass(frozen=True, slots=True)
class Token:
    """A terminal at a place. A line's end carries the comment that belongs to the line."""

    kind: str
    text: str  # a name's in NFC
    span: Span
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A logical line: one statement, or the head of one, closed by a line end.

    `problem` is set where the text could not be made into tokens; `tokens` then holds what could.
    """

    tokens: tuple[Token, ...]
    indent: int
    problem: Diagnostic | None = None

    @property
    def first(self) -> Token:
        return self.tokens[0]

    @property
    def end(self) -> Token:
        return self.tokens[-1]

    @property
    def span(self) -> Span:
        return self.tokens[0].span.to(self.tokens[-1].span)

    @property
    def opens_block(self) -> bool:
        return len(self.tokens) > 1 and self.tokens[-2].text == ":"
