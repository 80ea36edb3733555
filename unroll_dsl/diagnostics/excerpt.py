"""The source lines of a message with their underlines.

     9 |     r = A @ x - y
       |         --------- this lies in vector[m]
    12 |     x <- x - t * A @ r
       |                      ^ expected vector[n], found vector[m]

A label becomes one mark on each line that it covers (of a long one, on its first and last line).
The mark that ends a line's underlining carries its text beside it; the others hang theirs below:

    12 |     r = A @ x - x
       |         ----- ^ - vector[n]
       |         |     |
       |         |     these do not agree
       |         vector[m]
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from unroll_dsl.diagnostics.columns import visible, width, wording
from unroll_dsl.diagnostics.model import Label
from unroll_dsl.diagnostics.paint import Line, Style, Styled
from unroll_dsl.source import SourceFile, Span

LONGEST_LINE = 100  # characters of a source line that are shown; of longer ones, a window
BEFORE_MARK = 20  # characters that such a window shows before its first mark
WHOLE_SPAN = 4  # lines of a span up to which all of them are shown
SILENT_GAP = 2  # lines that may be left out without an ellipsis


@dataclass(frozen=True, slots=True)
class Mark:
    """The part of a label on one line: the characters `start:end`, counted from 0."""

    line: int
    start: int
    end: int
    primary: bool
    text: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """A mark in columns of the terminal."""

    start: int
    end: int
    mark: Mark

    @property
    def length(self) -> int:
        return self.end - self.start


def excerpt(
    file: SourceFile, labels: Sequence[tuple[Label, bool]], gutter: int, severity: Style
) -> list[Line]:
    """The lines of `file` that `labels` (each with whether it is the primary one) point at."""
    marks = _merged(
        mark for label, primary in labels for mark in marks_of(label.span, label.text, primary)
    )
    by_line = {line: list(group) for line, group in groupby(marks, key=lambda mark: mark.line)}
    rows: list[Line] = []
    for previous, line in pairwise((None, *by_line)):
        assert line is not None
        if previous is not None and line - previous - 1 > SILENT_GAP:
            rows.append((Styled("...", Style.FRAME),))
        text = file.line(line)
        for cluster in _clusters(by_line[line]):
            rows.extend(_rows(line, text, cluster, gutter, severity))
    return rows


def marks_of(span: Span, text: str, primary: bool) -> Iterator[Mark]:
    """The marks of a span, one for each line of it that is shown; the last carries the text."""
    end = span.start + len(span.text.rstrip())
    first, start = span.file.position(span.start)
    last, stop = span.file.position(max(end, span.start))
    if first == last:
        stop = start + max(span.end - span.start, 1) if end <= span.start else stop
        yield Mark(first, start - 1, stop - 1, primary, text)
        return
    whole = last - first < WHOLE_SPAN
    for line in range(first, last + 1) if whole else (first, last):
        content = span.file.line(line)
        indent = len(content) - len(content.lstrip())
        begin = start - 1 if line == first else indent
        finish = stop - 1 if line == last else len(content.rstrip())
        if finish > begin or line == first:
            yield Mark(line, begin, finish, primary, text if line == last else "")


def _merged(marks: Iterable[Mark]) -> list[Mark]:
    """In order of place, with the marks on one and the same place made one."""
    found: dict[tuple[int, int, int], list[Mark]] = {}
    for mark in marks:
        found.setdefault((mark.line, mark.start, mark.end), []).append(mark)
    return [
        replace(
            same[0],
            primary=any(mark.primary for mark in same),
            text="; ".join(dict.fromkeys(mark.text for mark in same if mark.text)),
        )
        for _, same in sorted(found.items())
    ]


def _clusters(marks: Sequence[Mark]) -> Iterator[list[Mark]]:
    """The marks of a line in groups, each of which fits into one window."""
    cluster: list[Mark] = []
    for mark in marks:
        if cluster and mark.start - cluster[0].start > LONGEST_LINE - 2 * BEFORE_MARK:
            yield cluster
            cluster = []
        cluster.append(mark)
    yield cluster


def _rows(
    number: int, text: str, marks: Sequence[Mark], gutter: int, severity: Style
) -> Iterator[Line]:
    """One source line and what stands below it."""
    low, high = _window(text, marks[0].start)
    left = "…" if low else ""
    right = "…" if high < len(text) else ""
    columns = [len(left)]
    for character in text[low:high]:
        columns.append(columns[-1] + width(character))
    drawn = [_drawn(mark, text, low, high, columns) for mark in marks]
    yield (
        Styled(f"{number:>{gutter}} |", Style.FRAME),
        Styled(f" {left}{visible(text[low:high])}{right}"),
    )
    margin = Styled(" " * gutter + " |", Style.FRAME)
    for cells in _underlines(drawn, severity):
        yield (margin, Styled(" "), *_line(cells))


def _window(text: str, first_mark: int) -> tuple[int, int]:
    """The range of `text` that is shown."""
    if len(text) <= LONGEST_LINE:
        return 0, len(text)
    low = 0 if first_mark < LONGEST_LINE // 2 else first_mark - BEFORE_MARK
    low = max(0, min(low, len(text) - LONGEST_LINE))
    return low, low + LONGEST_LINE


def _drawn(mark: Mark, text: str, low: int, high: int, columns: Sequence[int]) -> Drawn:
    start = max(low, min(mark.start, high))
    while low < start < high and width(text[start]) == 0:
        start -= 1  # a mark on an accent stands under the letter that wears it
    end = max(low, min(mark.end, high))
    begin = columns[start - low]
    return Drawn(begin, max(columns[end - low], begin + 1), mark)


Cells = dict[int, Styled]  # by column; what has none is blank


def _underlines(drawn: Sequence[Drawn], severity: Style) -> Iterator[Cells]:
    """The underlines, with one text beside them, and the rows of texts that hang below."""

    def style(item: Drawn) -> Style:
        return severity if item.mark.primary else Style.FRAME

    owners: dict[int, Drawn] = {}  # longer ones are painted over by shorter ones
    for item in sorted(drawn, key=lambda item: (-item.length, item.mark.primary)):
        owners.update(dict.fromkeys(range(item.start, item.end), item))
    for item in drawn:  # what the message is about is seen in any case
        if item.mark.primary and item not in owners.values():
            owners.update(dict.fromkeys(range(item.start, item.end), item))
    beside = owners[max(owners)]
    cells = {
        column: Styled("^" if item.mark.primary else "-", style(item))
        for column, item in owners.items()
    }
    if beside.mark.text:
        cells[max(owners) + 2] = Styled(wording(beside.mark.text), style(beside))
    yield cells

    hanging: dict[int, list[Drawn]] = {}
    for item in drawn:
        if item is not beside and item.mark.text:
            seen = [column for column, owner in owners.items() if owner is item]
            hanging.setdefault(min(seen, default=item.start), []).append(item)
    stems = {column: Styled("|", style(items[0])) for column, items in hanging.items()}
    if stems:
        yield stems
    for column in sorted(hanging, reverse=True):
        for item in hanging[column]:
            row = {left: stem for left, stem in stems.items() if left < column}
            yield row | {column: Styled(wording(item.mark.text), style(item))}


def _line(cells: Cells) -> Line:
    """The cells from left to right with blanks between them; neighbours in one style joined."""
    pieces: list[Styled] = []
    at = 0
    for column in sorted(cells):
        piece = cells[column]
        if column > at:
            pieces.append(Styled(" " * (column - at)))
        elif pieces and pieces[-1].style is piece.style:
            piece = Styled(pieces.pop().text + piece.text, piece.style)
        pieces.append(piece)
        at = column + len(cells[column].text)
    return tuple(pieces)
