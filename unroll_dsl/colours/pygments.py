"""The language for Pygments: registered as `unroll`, for Sphinx, notebooks and `pygmentize`.

The patterns are read when the first page is coloured: a registry that lists its lexers does not wait for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import ClassVar

from pygments.lexer import Lexer
from pygments.token import (
    Comment,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    Text,
    Whitespace,
    _TokenType,
)

from unroll_dsl.colours.table import Colour, ColourRule, Patterns, patterns

_TOKENS = {
    Colour.COMMENT: Comment.Single,
    Colour.STATEMENT: Keyword,
    Colour.MODIFIER: Keyword.Pseudo,
    Colour.TYPE: Keyword.Type,
    Colour.LAYER: Name.Class,
    Colour.FUNCTION: Name.Builtin,
    Colour.CALLED: Name.Function,
    Colour.TITLE: Name.Namespace,
    Colour.CONSTANT: Name.Constant,
    Colour.OPTION: Name.Attribute,
    Colour.NAME: Name.Variable,
    Colour.NUMBER: Number,
    Colour.WORD_OPERATOR: Operator.Word,
    Colour.OPERATOR: Operator,
    Colour.PUNCTUATION: Punctuation,
}


class UnrollLexer(Lexer):
    """Pages of unroll_dsl."""

    name = "unroll"
    aliases: ClassVar[list[str]] = ["unroll"]
    filenames: ClassVar[list[str]] = ["*.unroll"]
    mimetypes: ClassVar[list[str]] = ["text/x-unroll"]
    url = ""

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, _TokenType, str]]:
        """Every character of a text, in order, as parts of a page."""
        for start, part, piece in pieces(text):
            kind = Text if part is None else _TOKENS[part]
            yield start, Whitespace if part is None and piece.isspace() else kind, piece


def pieces(text: str) -> Iterator[tuple[int, Colour | None, str]]:
    """A text in pieces: where each begins, what it is (None: nothing of its own), and its characters."""
    table, compiled = _compiled()
    depth = at = 0
    while at < len(text):
        rule, found = _first(compiled[depth > 0], text, at)
        if rule is None or found is None:
            yield at, None, text[at]
            at += 1
            continue
        yield from _split(rule, found)
        bracket = found.group().strip()
        depth += bool(re.fullmatch(table.opening, bracket))
        depth -= bool(depth and re.fullmatch(table.closing, bracket))
        at = found.end()


def _first(rules: _Rules, text: str, at: int) -> tuple[ColourRule | None, re.Match[str] | None]:
    """The first rule that fits a place of a text, and what it fits."""
    for rule, pattern in rules:
        found = pattern.match(text, at)
        if found is not None and found.end() > at:
            return rule, found
    return None, None


def _split(rule: ColourRule, found: re.Match[str]) -> Iterator[tuple[int, Colour | None, str]]:
    """What was found, taken apart at its groups."""
    if not rule.has_groups:
        yield found.start(), rule.parts[0], found.group()
        return
    at = found.start()
    for number, part in enumerate(rule.parts, 1):
        if found.group(number) is None:
            continue
        start, end = found.span(number)
        if start > at:
            yield at, None, found.string[at:start]
        if end > start:
            yield start, part, found.group(number)
        at = max(at, end)
    if at < found.end():
        yield at, None, found.string[at : found.end()]


_Rules = list[tuple[ColourRule, re.Pattern[str]]]


@cache
def _compiled() -> tuple[Patterns, tuple[_Rules, _Rules]]:
    table = patterns()
    rules = [(rule, re.compile(rule.pattern, re.MULTILINE)) for rule in table.rules]
    first = [(rule, re.compile(rule.pattern, re.MULTILINE)) for rule in table.bracketed]
    return table, (rules, [*first, *rules])
