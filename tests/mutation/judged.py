"""Slips that change nothing that can be observed, as was judged by reading: `equivalent.toml`.

Each entry names a module, the line on which the slip is, what it changes, and why nobody could notice.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.slips import Slip

FILE = Path(__file__).with_name("equivalent.toml")


@dataclass(frozen=True, slots=True)
class Judgement:
    """A slip by what it reads: `line` is the text of its first line, without the spaces around it, or, after
    and before three dots, a part of it; the path `*` means any module."""

    path: str
    line: str
    old: str
    new: str
    why: str
    under: str = ""  # the line above, where there are several such lines

    def fits(self, slip: Slip, text: str) -> bool:
        """Whether it is about this slip of a module's text."""
        lines = text.splitlines()
        return (
            self.path in ("*", slip.path)
            and self._is_of(lines, slip.line - 1)
            and (self.old, self.new) == (_one_line(slip.old), _one_line(slip.new))
        )

    def is_stale(self, text: str) -> bool:
        """Whether the module's text no longer has what it is about."""
        lines = text.splitlines()
        starts = [i for i in range(len(lines)) if self._is_of(lines, i)]
        return not any(self.old in _one_line("\n".join(lines[i : i + 40])) for i in starts)

    def _is_of(self, lines: list[str], place: int) -> bool:
        line = lines[place]
        if self.under and (not place or lines[place - 1].strip() != self.under):
            return False
        if self.line.startswith("...") and self.line.endswith("..."):
            return self.line[3:-3] in line
        return line.strip() == self.line


def judgements(file: Path = FILE) -> tuple[Judgement, ...]:
    """All entries of the file."""
    if not file.exists():
        return ()
    table = tomllib.loads(file.read_text("utf-8"))
    return tuple(Judgement(**entry) for entry in table.get("slip", ()))


def why_nobody_notices(slip: Slip, text: str, known: tuple[Judgement, ...]) -> str | None:
    """What the file says of a slip, if it speaks of it."""
    return next((entry.why for entry in known if entry.fits(slip, text)), None)


def _one_line(text: str) -> str:
    return " ".join(text.split())
