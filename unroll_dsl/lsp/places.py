"""Places as editors count them: lines and columns from 0, columns in the units that both sides have agreed on."""

from __future__ import annotations

import re
from bisect import bisect_right
from enum import Enum

_LINE_END = re.compile(r"\r\n|\n|\r")


class Units(Enum):
    """What a column counts."""

    UTF8 = "utf-8"
    UTF16 = "utf-16"
    UTF32 = "utf-32"

    def width(self, text: str) -> int:
        """How many units a text has. Halves of a surrogate pair that stand alone count as in UTF-16."""
        match self:
            case Units.UTF32:
                return len(text)
            case Units.UTF16:
                return len(text) + sum(c > "\uffff" for c in text)
            case Units.UTF8:
                return len(text.encode("utf-8", "surrogatepass"))


class Columns:
    """Offsets of a text as lines and columns, and back.

    Lines end as the protocol has it, with a line feed, a carriage return or both: not with other signs that Python
    would split at.
    """

    def __init__(self, text: str, units: Units = Units.UTF16) -> None:
        self._text = text
        self._units = units
        self._starts = [0]
        self._ends = []
        for found in _LINE_END.finditer(text):
            self._ends.append(found.start())
            self._starts.append(found.end())
        self._ends.append(len(text))

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset; what lies beyond the text is its end."""
        offset = max(0, min(offset, len(self._text)))
        line = bisect_right(self._starts, offset) - 1
        begin = self._starts[line]
        return line, self._units.width(self._text[begin : min(offset, self._ends[line])])

    def offset(self, line: int, column: int) -> int:
        """The offset of a line and a column. A column behind the end of its line is that end, one within a character
        that character's beginning; a line that is not there is the end of the text."""
        if line < 0:
            return 0
        if line >= len(self._starts):
            return len(self._text)
        at, end, left = self._starts[line], self._ends[line], max(0, column)
        if self._units is Units.UTF32:
            return min(at + left, end)
        while at < end:
            left -= self._units.width(self._text[at])
            if left < 0:
                break
            at += 1
        return at
