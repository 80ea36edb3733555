"""Diagnostics as text for people and as data for programs.

    error[U0301]: operator `A` is applied to the wrong space
      --> lista.unroll:12:22
       |
     9 |     r = A @ x - y
       |         --------- this lies in vector[m]
    12 |     x <- x - t * A @ r
       |                      ^ expected vector[n], found vector[m]
       |
    help: use the adjoint: `A' @ r`
    note: `unroll explain U0301`

The terminal, `--format json` and the editor all show the same objects.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypedDict

from unroll_dsl.diagnostics.columns import wording
from unroll_dsl.diagnostics.excerpt import excerpt, marks_of
from unroll_dsl.diagnostics.model import MOST_ERRORS, Diagnostic, Label
from unroll_dsl.diagnostics.paint import Line, Style, Styled, paint
from unroll_dsl.source import SourceFile, Span


def render(diagnostic: Diagnostic, *, colour: bool = False) -> str:
    """One diagnostic as lines of text, without a line break at the end."""
    return "\n".join(paint(line, colour=colour) for line in _lines(diagnostic))


def render_all(diagnostics: Iterable[Diagnostic], *, colour: bool = False) -> str:
    """Diagnostics one below the other, closed by their number; empty where there are none."""
    reported = tuple(diagnostics)
    if not reported:
        return ""
    messages = [render(diagnostic, colour=colour) for diagnostic in reported]
    closing = paint((Styled(summary(reported), Style.TITLE),), colour=colour)
    return "\n\n".join([*messages, closing])


def summary(diagnostics: Sequence[Diagnostic]) -> str:
    """How many there are: `2 errors, 1 warning`."""
    errors = sum(diagnostic.is_error for diagnostic in diagnostics)
    warnings = len(diagnostics) - errors
    counts = [_count(errors, "error"), _count(warnings, "warning")]
    told = ", ".join(count for count in counts if count) or "no errors"
    return f"{told}: more are not told" if max(errors, warnings) >= MOST_ERRORS else told


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}" if number else ""


# ---- text ---------------------------------------------------------------------------------------


def _lines(diagnostic: Diagnostic) -> Iterator[Line]:
    severity = Style.ERROR if diagnostic.is_error else Style.WARNING
    yield (
        Styled(f"{_severity(diagnostic)}[{diagnostic.code}]", severity),
        Styled(f": {wording(diagnostic.message())}", Style.TITLE),
    )
    yield from _places(diagnostic.labels(), severity)
    help_text = diagnostic.help()
    if help_text:
        yield from _paragraph("help", help_text, Style.HELP)
    for note in (*diagnostic.notes(), f"`unroll explain {diagnostic.code}`"):
        yield from _paragraph("note", note, Style.NOTE)


def _severity(diagnostic: Diagnostic) -> str:
    return "error" if diagnostic.is_error else "warning"


def _places(labels: Sequence[Label], severity: Style) -> Iterator[Line]:
    """The excerpts of each file that the labels point into, that of the primary label first."""
    files: dict[SourceFile, list[tuple[Label, bool]]] = {}
    for index, label in enumerate(labels):
        files.setdefault(label.span.file, []).append((label, index == 0))
    lines = [mark.line for label in labels for mark in marks_of(label.span, "", False)]
    gutter = max((len(str(line)) for line in lines), default=1)
    blank: Line = (Styled(" " * gutter + " |", Style.FRAME),)
    for index, (file, here) in enumerate(files.items()):
        arrow = ":::" if index else "-->"
        place = wording(str(here[0][0].span))
        yield (Styled(" " * gutter + arrow, Style.FRAME), Styled(f" {place}"))
        yield blank
        yield from excerpt(file, here, gutter, severity)
        yield blank


def _paragraph(word: str, text: str, style: Style) -> Iterator[Line]:
    """`help: text`, the further lines of the text set below its first."""
    first, *rest = text.splitlines() or [""]
    yield (Styled(word, style), Styled(f": {wording(first)}"))
    for line in rest:
        yield (Styled(" " * len(f"{word}: ") + wording(line)),)


# ---- data ---------------------------------------------------------------------------------------


class PlaceJson(TypedDict):
    """A place: `offset` in code points from 0, line and column (in code points) from 1."""

    offset: int
    line: int
    column: int


class LabelJson(TypedDict):
    """A labelled range; `end` is the place behind its last character."""

    file: str
    start: PlaceJson
    end: PlaceJson
    primary: bool
    text: str


class DiagnosticJson(TypedDict):
    code: str
    severity: str  # error | warning
    title: str
    message: str
    labels: list[LabelJson]
    help: str | None
    notes: list[str]


def render_json(diagnostics: Iterable[Diagnostic]) -> list[DiagnosticJson]:
    """The same facts as JSON has them: lists, dictionaries, strings, numbers."""
    return [
        {
            "code": diagnostic.code,
            "severity": _severity(diagnostic),
            "title": diagnostic.title,
            "message": diagnostic.message(),
            "labels": [_label(x, index == 0) for index, x in enumerate(diagnostic.labels())],
            "help": diagnostic.help(),
            "notes": list(diagnostic.notes()),
        }
        for diagnostic in diagnostics
    ]


def _label(label: Label, primary: bool) -> LabelJson:
    span = label.span
    return {
        "file": span.file.name,
        "start": _place(span, span.start),
        "end": _place(span, span.end),
        "primary": primary,
        "text": label.text,
    }


def _place(span: Span, offset: int) -> PlaceJson:
    line, column = span.file.position(offset)
    return {"offset": offset, "line": line, "column": column}
