"""The syntax stage: `parse` makes a `Program` of a file's text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePath

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.source import SourceFile, Span
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax import reports as e
from unroll_dsl.syntax.blocks import opening_word
from unroll_dsl.syntax.lexer import HEADERS, Lexer, Lines
from unroll_dsl.syntax.parse_tables import load_tables
from unroll_dsl.syntax.recovery import Reading, read
from unroll_dsl.syntax.tokens import NAME
from unroll_dsl.syntax.transposes import transposes

MAX_SIZE = 1_000_000
_PROGRAMS = ("unroll", "network", "model", "program", "solver", "method", "module", "class", "name")


@dataclass(frozen=True, slots=True)
class ParseResult:
    """What could be read of a file, and everything that is wrong with it.

    `program` is None where the file holds nothing to read. Otherwise it has the statements that did
    parse, and `program.poisoned` the names in those that did not.
    """

    program: n.Program | None
    diagnostics: tuple[Diagnostic, ...]


def parse(file: SourceFile) -> ParseResult:
    """Parse one file. Never raises, whatever the text: errors (U01) are in the result."""
    if len(file.text) > MAX_SIZE:
        return ParseResult(None, (e.FileTooLarge(file.name, len(file.text), MAX_SIZE),))
    tables = load_tables()
    lines = Lexer(file, tables).lines()
    if not lines.lines:
        first = len(file.text.partition("\n")[0].rstrip())
        return ParseResult(None, (e.EmptyFile(Span(file, 0, first)), *lines.problems))
    rest = lines.rest or Span(file, len(file.text), len(file.text))
    reading = read(lines.lines, tables, rest)
    missing = _missing_header(lines, reading, file)
    primed = transposes(lines.lines)
    found = sorted([*missing, *lines.problems, *reading.diagnostics, *primed], key=_offset)
    program = _program(file, lines, reading)
    if primed:
        program = replace(program, poisoned=program.poisoned | {"T", "H"})
    return ParseResult(program, tuple(found))


def parse_text(text: str, name: str = "<text>") -> ParseResult:
    """Parse a text under a name that its messages will show."""
    if len(text) > MAX_SIZE:  # before the places of its lines are looked for
        return ParseResult(None, (e.FileTooLarge(name, len(text), MAX_SIZE),))
    return parse(SourceFile(name, text))


def _program(file: SourceFile, lines: Lines, reading: Reading) -> n.Program:
    header, statements = reading.unit.header, reading.unit.statements
    first = lines.lines[0].span
    if header is not None:
        kind, name, comment, span = header.kind, header.name, header.comment, header.span
    else:
        name = n.Name(_stem(file), Span(file, first.start, first.start))
        kind, comment, span = _kind(reading, lines), lines.comment, name.span
    return n.Program(kind, name, statements, comment, file, span, reading.poisoned)


def _kind(reading: Reading, lines: Lines) -> str:
    """What a file without a header is: definitions alone make a prelude."""
    word = opening_word(lines.lines[0])
    if word in HEADERS:
        return word
    statements = reading.unit.statements
    if any(not isinstance(statement, n.Definition) for statement in statements):
        return "algorithm"
    if statements or word == "def":
        return "prelude"
    return "algorithm"


def _missing_header(lines: Lines, reading: Reading, file: SourceFile) -> tuple[Diagnostic, ...]:
    first = lines.lines[0]
    is_broken = any(opening_word(line) in HEADERS for line in lines.lines)
    is_broken |= first.first.text in _PROGRAMS and first.tokens[1].kind == NAME  # `network ista`
    if reading.unit.header is not None or is_broken or _kind(reading, lines) == "prelude":
        return ()
    span = lines.lines[0].first.span
    return (e.MissingHeader(span, _stem(file)),)


def _stem(file: SourceFile) -> str:
    stem = PurePath(file.name).stem
    return stem if stem.isidentifier() else "unnamed"


def _offset(diagnostic: Diagnostic) -> int:
    labels = diagnostic.labels()
    return labels[0].span.start if labels else 0
