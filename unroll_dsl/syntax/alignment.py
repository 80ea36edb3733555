"""Declarations in columns, and the comments behind lines.

    input  y      : vector[m]                       # measurements
    fixed  lambda : scalar > 0 = 0.1                # weight of the l1 norm

Columns that an author has made are kept; lines that stand in none are put into those of their paragraph.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_STEP = 8  # comments begin at a multiple of it
_GAP = 2  # spaces before a comment, at least


@dataclass(slots=True)
class Row:
    """A line of the file: code as its first word, its names and the rest, and the comment behind it.

    `gaps` are the spaces that the author has put between the three, `column` where the comment began.
    Rows without a `table` are not aligned; blank ones have neither code nor comment.
    """

    indent: int = 0
    head: str = ""  # the word of a declaration
    names: str = ""  # before its sign
    rest: str = ""
    gaps: tuple[int, int] = (1, 1)
    table: str = ""
    comment: str = ""
    column: int = 0
    pads: tuple[int, int] = field(default=(1, 1))  # the spaces that it gets

    @property
    def has_code(self) -> bool:
        return bool(self.head or self.names or self.rest)

    @property
    def code(self) -> str:
        """The line without its comment."""
        first = self.head + " " * self.pads[0] if self.head else ""
        second = self.names + " " * self.pads[1] if self.names else ""
        return (" " * self.indent + first + second + self.rest).rstrip()

    def sign(self, pads: tuple[int, int]) -> int:
        """The column of the sign behind the names, with these spaces."""
        first = len(self.head) + pads[0] if self.head else 0
        return self.indent + first + len(self.names) + pads[1]


def align(rows: Sequence[Row]) -> None:
    """Choose the spaces of all rows."""
    for run in _runs(rows):
        if run and run[0][0].table == "lines":
            for table in run:
                _keep_pairs(table)
        else:
            _set(run)
    _comments(rows)


def _set(run: Sequence[list[Row]]) -> None:
    """Put paragraphs into columns until each stands in some; one that has been moved stays."""
    moved: set[int] = set()
    while True:
        columns = [row.sign(row.gaps) for table in run for row in table]
        untidy = [i for i, t in enumerate(run) if i not in moved and not _is_tidy(t, columns)]
        if not untidy:
            break
        for index in untidy:
            _columns(run[index])
        moved.update(untidy)
    for table in run:
        for row in table:
            row.pads = row.gaps


def _runs(rows: Sequence[Row]) -> Iterable[list[list[Row]]]:
    """Rows of one kind with no other statement between them, in paragraphs that blank lines part."""
    run: list[list[Row]] = [[]]
    for row in rows:
        kind = next((r.table for table in run for r in table), row.table)
        if row.has_code and row.table != kind:
            yield [table for table in run if table]
            run = [[]]
        elif not row.has_code and not row.comment:
            run.append([])
        if row.table:
            run[-1].append(row)
    yield [table for table in run if table]


def _is_tidy(table: Sequence[Row], others: Sequence[int]) -> bool:
    """Whether the author has put a paragraph into columns, save for a long name here and there.

    Parameters
    ----------
    others
        The columns of all signs of the run, the paragraph's among them.
    """
    columns = [row.sign(row.gaps) for row in table]
    if len(set(columns)) == 1 and len(table) > 1:
        return True
    shared = [others.count(column) > 1 for column in columns]
    padded = [in_line for row, in_line in zip(table, shared, strict=True) if row.gaps[1] > 1]
    has_columns = any(row.gaps != (1, 1) for row in table)
    return has_columns and all(padded) and 3 * sum(shared) > 2 * len(table)


def _columns(table: Sequence[Row]) -> None:
    head = max(len(row.head) for row in table)
    names = max(len(row.names) for row in table)
    for row in table:
        row.gaps = (head - len(row.head) + 1, names - len(row.names) + 1)


def _keep_pairs(table: Sequence[Row]) -> None:
    """In a block, spaces before `<-` and `=` stay where they put two neighbours in line."""
    columns = [row.sign(row.gaps) for row in table]
    for index, row in enumerate(table):
        near = [columns[i] for i in (index - 1, index + 1) if 0 <= i < len(table)]
        in_line = columns[index] in near and row.gaps[0] == 1
        row.pads = row.gaps if in_line else (1, 1)


def _comments(rows: Sequence[Row]) -> None:
    """A comment keeps its column as long as the line leaves room; else it moves with its neighbours."""
    group: list[Row] = []
    for row in (*rows, Row()):
        if row.has_code and row.comment:
            group.append(row)
            continue
        tight = [r for r in group if r.column < len(r.code) + (_GAP if r.column % _STEP else 1)]
        if tight:
            end = max(len(r.code) for r in tight) + _GAP
            column = max(-(-end // _STEP) * _STEP, *(r.column for r in group))
            for r in tight:
                r.column = column
        group = []
