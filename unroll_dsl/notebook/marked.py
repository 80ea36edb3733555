"""A page with what is wrong with it under each line, as HTML and as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from unroll_dsl.diagnostics import render_all
from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.source import SourceFile

_ERROR, _WARNING, _HELP = "#c0392b", "#b9770e", "#1f7a4d"


@dataclass(frozen=True, slots=True)
class Marked:
    """A page and its diagnostics; a notebook shows it, a terminal prints the diagnostics."""

    file: SourceFile
    diagnostics: tuple[Diagnostic, ...]

    def __repr__(self) -> str:
        return render_all(self.diagnostics)

    def _repr_html_(self) -> str:
        below: dict[int, list[str]] = {}
        for diagnostic in self.diagnostics:
            number, words = _below(diagnostic, self.file)
            below.setdefault(number, []).extend(words)
        last = self.file.line_count
        while last > 1 and not self.file.line(last).strip():
            last -= 1
        width = len(str(last))
        lines = list(below.get(0, []))
        for number in range(1, last + 1):
            lines.append(f"{number:>{width}}  {escape(self.file.line(number).expandtabs(4))}")
            lines += [f"{' ' * width}  {words}" for words in below.get(number, [])]
        return f"<pre>{chr(10).join(lines)}</pre>"


def _below(diagnostic: Diagnostic, file: SourceFile) -> tuple[int, Sequence[str]]:
    """The line that a diagnostic is about, 0 for none, and what is written below it."""
    labels = [label for label in diagnostic.labels() if label.span.file is file]
    colour = _ERROR if diagnostic.is_error else _WARNING
    words = escape(f"{diagnostic.code}: {diagnostic.message()}")
    lines: list[str] = []
    number, indent = 0, ""
    if labels:
        number, column = file.position(labels[0].span.start)
        before = file.line(number)[: column - 1].expandtabs(4)
        within = file.line(number)[column - 1 : column - 1 + len(labels[0].span.text)]
        carets = "^" * max(len(within.partition("\n")[0].expandtabs(4)), 1)
        indent = " " * len(before)
        text = escape(f" {labels[0].text}".rstrip())
        lines.append(f'{indent}<span style="color:{colour}">{carets}{text}</span>')
    lines.append(f'{indent}<span style="color:{colour};font-weight:bold">{words}</span>')
    if help_ := diagnostic.help():
        lines.append(f'{indent}<span style="color:{_HELP}">help: {escape(help_)}</span>')
    return number, lines
