"""Text to logical lines: indentation, brackets, comments and tokens.

A logical line is a line of the file, or several that brackets hold together. Terminals come from
the grammar; what the grammar cannot say (which lines belong together, which characters exist) is
decided here, and whatever is wrong with a line is kept with it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from unicodedata import normalize

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.source import SourceFile, Span
from unroll_dsl.syntax import reports as e
from unroll_dsl.syntax.parse_tables import Tables
from unroll_dsl.syntax.tokens import LINE_END, NAME, Line, Token

MAX_LINE = 10_000
MAX_BRACKETS = 100
MAX_PROBLEMS = 20  # lines that cannot be read, after which the rest of the file is left alone

CLOSING = {"(": ")", "[": "]"}
HEADERS = ("algorithm", "problem")

# A line that can only be a new statement, although a bracket above is still open.
_STATEMENT = re.compile(
    r"\s*(?:(?:algorithm|problem|dims|input|fixed|learnable|let|state|output|measure|trace|"
    r"return|def)"
    r"[ \t]+[^\W\d]|phase[ \t]*[(:]|minimize[ \t]+over\b|loss[ \t]*[(:]|\w+[ \t]*<-)"
)
_LOCAL = re.compile(r"\s*\w+[ \t]*=(?!=)")
_SUBSCRIPTS = str.maketrans("", "", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True, slots=True)
class Lines:
    """A file in logical lines, and the comment at its top if that belongs to no line."""

    lines: tuple[Line, ...]
    comment: str
    problems: tuple[Diagnostic, ...]
    rest: Span | None = None  # what was not read, after too many problems


@dataclass(slots=True)
class _Open:
    """The logical line that is being read."""

    tokens: list[Token]
    brackets: list[Token]
    indent: int
    above: str
    trailing: list[str]
    problem: Diagnostic | None = None

    def blame(self, problem: Diagnostic) -> None:
        """Keep the first thing that is wrong with the line."""
        if self.problem is None:
            self.problem = problem


class Lexer:
    """Reads one file. `lines` does all of it."""

    def __init__(self, file: SourceFile, tables: Tables) -> None:
        self._file = file
        self._tables = tables
        self._terminals = _terminals(tables)
        self._lines: list[Line] = []
        self._line: _Open | None = None
        self._above: list[tuple[int, str]] = []  # comment lines directly above, their columns
        self._top: list[str] = []  # comments at the top of the file, apart from the first line
        self._tabs: list[Span] = []
        self._broken = 0

    def lines(self) -> Lines:
        rest = None
        for start, end in _physical(self._file.text):
            if self._broken >= MAX_PROBLEMS:
                rest = Span(self._file, start, len(self._file.text))
                break
            if end - start > MAX_LINE:
                self._too_long(start, end)
            else:
                self._physical_line(start, end)
        self._close_unclosed()
        problems = (e.TabIndentation(self._tabs[0], len(self._tabs) - 1),) if self._tabs else ()
        return Lines(tuple(self._lines), "\n\n".join(self._top), problems, rest)

    def _physical_line(self, start: int, end: int) -> None:
        text = self._file.text
        if self._line is not None and self._starts_anew(start, end):
            self._close_unclosed()
        if self._line is not None:
            self._tokens(start, end, self._line)
            return
        code = start
        while code < end and text[code] in " \t\r":
            code += 1
        if code == end:
            self._paragraph()
        elif text[code] == "#":
            self._above.append((code - start, _comment(text[code:end])))
        else:
            if "\t" in text[start:code]:
                self._tabs.append(Span(self._file, start, code))
            indent = len(text[start:code].expandtabs(4))
            # What is indented deeper is about the block above.
            above = "\n".join(line for column, line in self._above if column <= code - start)
            self._above.clear()
            if not self._lines and text.startswith(HEADERS, code):
                above = "\n\n".join([*self._top, above] if above else self._top)
                self._top.clear()
            self._line = _Open([], [], indent, above, [])
            self._tokens(code, end, self._line)

    def _paragraph(self) -> None:
        """A blank line: the comment above it belongs to no statement below."""
        if self._above and not self._lines:
            self._top.append("\n".join(line for _, line in self._above))
        self._above.clear()

    def _tokens(self, start: int, end: int, line: _Open) -> None:
        """Read a line of the file into the logical line; close that where no bracket is open."""
        text, at = self._file.text, start
        while at < end:
            found = self._terminals.match(text, at, end)
            kind = found.lastgroup if found else None
            if found is None or kind is None:
                line.blame(self._unknown(at, start, end, line))
                at += 1
                continue
            at = found.end()
            if kind not in self._tables.ignored:
                self._token(kind, Span(self._file, found.start(), at), line)
            elif found.group().startswith("#"):
                line.trailing.append(_comment(found.group()))
        if not line.brackets:
            self._close(line)

    def _unknown(self, at: int, start: int, end: int, line: _Open) -> Diagnostic:
        from unroll_dsl.syntax.notations import unknown  # as `reports`: where it is needed

        return unknown(self._file, at, start, end, line.tokens[0].text if line.tokens else "")

    def _token(self, kind: str, span: Span, line: _Open) -> None:
        word = span.text
        if kind == NAME:
            if not word.isascii():
                word = normalize("NFC", word)
                if not _is_name(word):
                    odd = next((i for i, c in enumerate(span.text) if not _is_name("_" + c)), 0)
                    at = span.start + odd
                    line.blame(e.UnknownCharacter(Span(span.file, at, at + 1), None))
        elif word in ("(", "["):
            line.brackets.append(Token(kind, word, span))
            if len(line.brackets) == MAX_BRACKETS + 1:
                line.blame(e.TooDeep(span, MAX_BRACKETS))
        elif word in (")", "]"):
            self._closing(span, line)
        line.tokens.append(Token(kind, word, span))

    def _closing(self, span: Span, line: _Open) -> None:
        if not line.brackets:
            line.blame(e.StrayBracket(span))
            return
        opened = line.brackets.pop()
        if span.text != CLOSING[opened.text]:
            at = bisect_left(line.tokens, opened.span.start, key=lambda token: token.span.start)
            if at == 0 or line.tokens[at - 1].text != "in":  # `in [0, 1)`
                closing = CLOSING[opened.text]
                line.blame(e.MismatchedBracket(span, opened.span, closing))

    def _starts_anew(self, start: int, end: int) -> bool:
        """Whether a line inside an open bracket must be a statement: the bracket was forgotten."""
        text, line = self._file.text, self._line
        if _STATEMENT.match(text, start, end):
            return True
        last = line.tokens[-1].text if line and line.tokens else ""
        return last[-1:].isalnum() and _LOCAL.match(text, start, end) is not None

    def _close_unclosed(self) -> None:
        line = self._line
        if line is not None:
            opened = line.brackets[-1]
            line.blame(e.UnclosedBracket(opened.span, CLOSING[opened.text]))
            self._close(line)

    def _close(self, line: _Open) -> None:
        self._line = None
        if not line.tokens:  # nothing but unknown characters
            assert line.problem is not None
            line.tokens.append(Token(NAME, "", line.problem.labels()[0].span))
        last = line.tokens[-1].span
        at = Span(last.file, last.end, last.end)
        comment = line.above or "\n".join(line.trailing)
        line.tokens.append(Token(LINE_END, "", at, comment))
        self._broken += line.problem is not None
        self._lines.append(Line(tuple(line.tokens), line.indent, line.problem))

    def _too_long(self, start: int, end: int) -> None:
        self._close_unclosed()
        text = self._file.text
        code = start + len(text[start:end]) - len(text[start:end].lstrip(" "))
        span = Span(self._file, code, code + 1)
        line = _Open([], [], code - start, "", [])
        line.blame(e.LineTooLong(span, end - start, MAX_LINE))
        words = re.findall(r"[^\W\d]\w*", text[start : start + MAX_LINE])
        line.tokens = [Token(NAME, word, span) for word in words]
        self._above.clear()
        self._close(line)


def _terminals(tables: Tables) -> re.Pattern[str]:
    """One pattern for all terminals; keywords are names here, and told apart by the parser."""
    patterns = [*tables.patterns, *((name, re.escape(text)) for name, text in tables.marks)]
    return re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in patterns))


def _physical(text: str) -> Iterator[tuple[int, int]]:
    start = 1 if text.startswith("\ufeff") else 0
    while start <= len(text):
        end = text.find("\n", start)
        if end < 0:
            end = len(text)
        yield start, end
        start = end + 1


def _is_name(word: str) -> bool:
    return word.translate(_SUBSCRIPTS).isidentifier()


def _comment(text: str) -> str:
    return text[1:].removeprefix(" ").rstrip()
