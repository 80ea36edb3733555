"""A page as the shipped ones are written: `unroll fmt`.

Tokens, line breaks within brackets and comments stay as the author has them; spaces, columns, indentation and
blank lines follow one style. Formatting twice is formatting once, and the tree stays the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from unroll_dsl.diagnostics.raised import InternalError, UnrollError
from unroll_dsl.source import SourceFile
from unroll_dsl.syntax.alignment import Row, align
from unroll_dsl.syntax.lexer import Lexer
from unroll_dsl.syntax.parse_tables import load_tables
from unroll_dsl.syntax.parser import parse
from unroll_dsl.syntax.printer import same_tree
from unroll_dsl.syntax.spacing import gaps, words
from unroll_dsl.syntax.tokens import Line, Token

_INDENT = 4
_TABLES = {
    **dict.fromkeys(("input", "fixed", "learnable", "let"), "declarations"),
    "state": "states",
}
_SIGNS = (":", "=", "<-")


def formatted(file: SourceFile) -> str:
    """The text of a page in the one style.

    Raises
    ------
    UnrollError
        With the syntax errors (U01) of a page that does not parse.
    """
    before = parse(file)
    if before.diagnostics or before.program is None:
        raise UnrollError(list(before.diagnostics))
    text = _text(file)
    after = parse(SourceFile(file.name, text))
    if after.diagnostics or not same_tree(before.program, after.program):
        raise InternalError(f"formatting changes the meaning of {file.name}")
    return text


def _text(file: SourceFile) -> str:
    lines = Lexer(file, load_tables()).lines().lines
    rows = _Rows(file, lines).made()
    align(rows)
    written: list[str] = []
    for row in rows:
        text = row.code
        if row.comment:
            space = " " * (row.column - len(text)) if row.has_code else " " * row.indent
            text += space + row.comment
        if text or (written and written[-1]):
            written.append(text)
    while written and not written[-1]:
        written.pop()
    return "\n".join(written) + "\n"


def _depths(lines: Sequence[Line], margin: int) -> Iterator[tuple[Line, int]]:
    """Each line with the blocks that it stands in: none, one, or an inner loop within a phase too."""
    block: int | None = None  # where the lines of the block begin
    in_loop = False
    for line in lines:
        if line.indent <= margin:
            block, in_loop = None, False
            yield line, 0
            continue
        block = line.indent if block is None else block
        if line.indent <= block:
            in_loop = line.first.text == "repeat" and line.opens_block
            yield line, 1
        else:
            yield line, 2 if in_loop else 1


class _Rows:
    """The physical lines of a file, each with what it holds."""

    def __init__(self, file: SourceFile, lines: Sequence[Line]) -> None:
        self._file = file
        self._starts = [0]
        for text in file.text.split("\n"):
            self._starts.append(self._starts[-1] + len(text) + 1)
        self._margin = min((line.indent for line in lines), default=0)
        self._lines = lines
        self._depths = {
            line.first.span.start: depth for line, depth in _depths(lines, self._margin)
        }

    def made(self) -> list[Row]:
        rows: dict[int, Row] = {}
        for line in self._lines:
            self._logical(line, rows)
        count = len(self._starts) - 1
        following: Line | None = None
        at = len(self._lines) - 1
        for number in range(count, 0, -1):
            while at >= 0 and self._number(self._lines[at].first) >= number:
                following = self._lines[at]
                at -= 1
            if number not in rows:
                rows[number] = self._comment(number, following)
        return [rows[number] for number in range(1, count + 1)]

    def _number(self, token: Token) -> int:
        return self._file.position(token.span.start)[0]

    def _column(self, token: Token) -> int:
        number, column = self._file.position(token.span.start)
        return len(self._file.line(number)[: column - 1].expandtabs(4))

    def _indent(self, line: Line) -> int:
        return _INDENT * self._depths[line.first.span.start]

    def _comment(self, number: int, following: Line | None) -> Row:
        """A line of comment: in the column of the line that it speaks of, or of the block above."""
        text = self._file.line(number).expandtabs(4)
        if not text.strip():
            return Row()
        column = len(text) - len(text.lstrip())
        indent = self._indent(following) if following is not None else 0
        if column > (following.indent if following is not None else self._margin):
            indent = _INDENT
        return Row(indent=indent, comment=_tidy(text))

    def _logical(self, line: Line, rows: dict[int, Row]) -> None:
        tokens = list(line.tokens[:-1])
        indent = self._indent(line)
        spaces = gaps(tokens, indent > 0)
        first = self._number(tokens[0])
        last = self._number(tokens[-1])
        shifts: list[int] = []  # by how much each open bracket has moved
        parts: dict[int, list[int]] = {}
        for index, token in enumerate(tokens):
            parts.setdefault(self._number(token), []).append(index)
        for number in range(first, last + 1):
            inside = parts.get(number, [])
            row = Row(indent=indent)
            if number == first:
                self._first(row, tokens, inside, spaces, indent > 0)
            elif inside or self._trailing(number, tokens, inside):
                row.indent = max(self._begin(number) + (shifts[-1] if shifts else 0), 0)
                row.rest = _joined(tokens, inside, spaces)
            self._remark(row, number, tokens, inside)
            self._brackets(row, tokens, inside, spaces, shifts)
            rows[number] = row

    def _begin(self, number: int) -> int:
        text = self._file.line(number).expandtabs(4)
        return len(text) - len(text.lstrip())

    def _first(
        self, row: Row, tokens: list[Token], inside: list[int], spaces: list[str], in_block: bool
    ) -> None:
        """The row that begins a statement, cut before its names and its sign where it stands in a table."""
        kind = "lines" if in_block else _TABLES.get(tokens[0].text, "")
        if tokens[-1].text == ":":  # the head of a block: an inner loop's among lines
            kind = ""
        sign = _sign(tokens, inside)
        start = 0 if in_block else 1
        if not kind or sign is None or sign <= start:
            row.rest = _joined(tokens, inside, spaces)
            return
        row.table = kind
        row.head = "" if in_block else words(tokens[0])
        row.names = _joined(tokens, range(start, sign), spaces)
        row.rest = _joined(tokens, range(sign, inside[-1] + 1), spaces)
        before = _between(tokens[0], tokens[1]) if not in_block else 1
        row.gaps = (max(before, 1), max(_between(tokens[sign - 1], tokens[sign]), 1))

    def _trailing(self, number: int, tokens: list[Token], inside: list[int]) -> str:
        """The comment behind the tokens of a line, as it is written."""
        end = tokens[inside[-1]].span.end if inside else self._starts[number - 1]
        rest = self._file.text[end : self._starts[number] - 1]
        return rest.strip()

    def _remark(self, row: Row, number: int, tokens: list[Token], inside: list[int]) -> None:
        text = self._trailing(number, tokens, inside)
        if not text:
            return
        row.comment = _tidy(text)
        line = self._file.line(number)
        row.column = len(line[: line.index("#")].expandtabs(4))
        if not inside:
            row.indent = self._begin(number)

    def _brackets(
        self,
        row: Row,
        tokens: list[Token],
        inside: Sequence[int],
        spaces: list[str],
        shifts: list[int],
    ) -> None:
        """Follow the brackets of a row: a line inside one moves as its opening bracket does."""
        at = row.indent
        for place, index in enumerate(inside):
            at += len(spaces[index]) if place else 0
            if tokens[index].text in ("(", "["):
                shifts.append(at - self._column(tokens[index]))
            elif tokens[index].text in (")", "]") and shifts:
                shifts.pop()
            at += len(words(tokens[index]))


def _joined(tokens: Sequence[Token], inside: Sequence[int], spaces: Sequence[str]) -> str:
    """The tokens of a row, the first without the space before it."""
    return "".join(
        (spaces[index] if place else "") + words(tokens[index])
        for place, index in enumerate(inside)
    )


def _sign(tokens: Sequence[Token], inside: Sequence[int]) -> int | None:
    """The place of the sign behind the names of a line: outside brackets, on its first row."""
    depth = 0
    for index in inside:
        text = tokens[index].text
        depth += (text in ("(", "[")) - (text in (")", "]"))
        if depth == 0 and text in _SIGNS:
            return index
    return None


def _between(left: Token, right: Token) -> int:
    return len(left.span.file.text[left.span.end : right.span.start].expandtabs(4))


def _tidy(comment: str) -> str:
    text = comment.strip()
    return f"# {text[1:]}" if text[1:2].isalnum() else text
