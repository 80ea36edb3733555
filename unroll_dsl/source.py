"""Source text and places in it.

A place is a half-open range of offsets (code points) into one `SourceFile`; lines and columns,
which people and editors count differently, are worked out only when a place is shown.
"""

from bisect import bisect_right
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, eq=False)
class SourceFile:
    """The text of one `.unroll` file under the name that messages show for it."""

    name: str
    text: str
    _starts: tuple[int, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        starts = [0]
        starts.extend(i + 1 for i, c in enumerate(self.text) if c == "\n")
        object.__setattr__(self, "_starts", tuple(starts))

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both counted from 1, columns in code points."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def position_utf16(self, offset: int) -> tuple[int, int]:
        """Line and column counted from 0, columns in UTF-16 units, as editors ask for them."""
        line = bisect_right(self._starts, offset)
        before = self.text[self._starts[line - 1] : offset]
        return line - 1, len(before.encode("utf-16-le")) // 2

    def line(self, number: int) -> str:
        """The text of a line counted from 1, without its line break."""
        start = self._starts[number - 1]
        end = self._starts[number] - 1 if number < len(self._starts) else len(self.text)
        return self.text[start:end].rstrip("\r")

    @property
    def line_count(self) -> int:
        return len(self._starts)


@dataclass(frozen=True, slots=True)
class Span:
    """The half-open range `start:end` of offsets in `file`."""

    file: SourceFile
    start: int
    end: int

    def to(self, other: "Span") -> "Span":
        """The smallest span that covers this one and `other` (in the same file)."""
        return Span(self.file, min(self.start, other.start), max(self.end, other.end))

    @property
    def text(self) -> str:
        return self.file.text[self.start : self.end]

    @property
    def line(self) -> int:
        return self.file.position(self.start)[0]

    def __str__(self) -> str:
        line, column = self.file.position(self.start)
        return f"{self.file.name}:{line}:{column}"
