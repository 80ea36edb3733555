"""Lines of styled text, and the few ANSI colours that messages are printed in.

The table is kept by hand: it is all that messages need, and a colour library costs more time to
import than `unroll --help` may take.
"""

from dataclasses import dataclass
from enum import Enum


class Style(Enum):
    """What a piece of a message is; the value is its ANSI code, empty for plain text."""

    PLAIN = ""
    TITLE = "1"  # bold
    ERROR = "1;31"  # bold red
    WARNING = "1;33"  # bold yellow
    FRAME = "1;34"  # bold blue: arrows, gutters, line numbers, secondary underlines
    HELP = "1;36"  # bold cyan
    NOTE = "1;32"  # bold green


@dataclass(frozen=True, slots=True)
class Styled:
    """Text in one style."""

    text: str
    style: Style = Style.PLAIN


Line = tuple[Styled, ...]


def paint(line: Line, *, colour: bool) -> str:
    """The line as text, without the blanks at its end; with ANSI codes where `colour` asks."""
    if not colour:
        return "".join(piece.text for piece in line).rstrip()
    return "".join(_coloured(piece) for piece in line).rstrip()


def _coloured(piece: Styled) -> str:
    if piece.style is Style.PLAIN or not piece.text.strip():
        return piece.text
    return f"\x1b[{piece.style.value}m{piece.text}\x1b[0m"
