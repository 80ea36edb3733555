"""What surrounds a place of a page that may be half typed: read off the lines above it, without a tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from unroll_dsl.editor.names import SIZE, Referent
from unroll_dsl.editor.page import OpenPage
from unroll_dsl.semantics.model import Sort
from unroll_dsl.semantics.scopes import Place
from unroll_dsl.source import Span

_WORD = re.compile(r"[^\W\d]\w*$")
_HEAD = re.compile(r"\s*(phase|repeat|minimize|loss|def)\b")
_BLOCK = re.compile(r"def\s+(?:block\s+)?\w+\s*(?:\[(?P<sizes>[^\]]*)\])?\s*\((?P<given>[^)]*)\)")
_LOCAL = re.compile(r"\s+([^\W\d]\w*(?:\s*,\s*[^\W\d]\w*)*)\s*=(?!=)")
_NEAREST = 20_000  # characters above a place that are looked at


class Room(Enum):
    """Among the statements, or in the block of one."""

    TOP = auto()
    PHASE = auto()
    STEP = auto()
    FORMULA = auto()
    DEFINITION = auto()


_PLACES = {
    "let": Place.LET,
    "output": Place.OUTPUT,
    "minimize": Place.OBJECTIVE,
    "loss": Place.LOSS,
    "measure": Place.MEASURE,
    "state": Place.START,
    "fixed": Place.INITIAL,
    "learnable": Place.INITIAL,
    "phase": Place.PHASE,
    "repeat": Place.PHASE,
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A place of a page.

    Attributes
    ----------
    before
        The statement that is being written, from its first word to the place.
    word
        What is being typed: the letters before the place.
    first
        The first word of the statement.
    opened, square
        The word before the innermost bracket that is open ("" for none), None where no bracket is, and whether it is
        a square one.
    has_expression
        Whether the place stands behind the sign that a formula follows.
    local
        Names that are seen here alone: parameters, sizes of a block, its local values.
    """

    before: str
    word: Span
    line_start: int
    first: str
    room: Room
    place: Place
    opened: str | None
    square: bool
    in_type: bool
    has_expression: bool
    has_header: bool
    in_comment: bool
    local: tuple[Referent, ...]

    @property
    def at_start(self) -> bool:
        """Whether nothing but the word that is being typed stands before the place."""
        return _WORD.sub("", self.before).strip() == ""


def surroundings(page: OpenPage, offset: int) -> Surroundings:
    """What surrounds an offset, by the lines above it."""
    offset = max(0, min(offset, len(page.text)))
    text = page.text[max(0, offset - _NEAREST) : offset]
    shift = offset - len(text)
    line_start = text.rfind("\n") + 1
    here = text[line_start:]
    statement = _opened_above(text[:line_start]) + here
    code = _without_comments(statement)
    word = _WORD.search(here)
    span = Span(page.file, offset - len(word.group() if word else ""), offset)
    heads = list(_heads(text[:line_start], _indent(here, text[:line_start])))
    room = _room(heads)
    stripped = code.lstrip()
    found = re.match(r"\w+", stripped)
    first = found.group() if found else ""
    opened, square = _bracket(code)
    head = heads[0][1] if heads else stripped
    place = _place(room, head, stripped)
    return Surroundings(
        stripped,
        span,
        line_start + shift,
        first,
        room,
        place,
        opened,
        square,
        _in_type(stripped, room),
        _has_expression(stripped, room),
        page.program is not None
        and re.search(r"^\s*(algorithm|problem)\b", page.text, re.M) is not None,
        "#" in here,
        tuple(_local(page, head, heads, text[:line_start], shift)),
    )


def _indent(here: str, above: str) -> int:
    """Of the line that is being written; that of an empty line is what has been typed of it."""
    return len(here.expandtabs(4)) - len(here.expandtabs(4).lstrip())


def _without_comments(text: str) -> str:
    return re.sub(r"#[^\n]*", "", text)


def _opened_above(above: str) -> str:
    """The lines above that belong to the same statement, since a bracket is open there."""
    lines = above.split("\n")[:-1]
    taken: list[str] = []
    depth = 0
    for line in reversed(lines[-50:]):
        code = _without_comments(line)
        depth += sum(c in "([" for c in code) - sum(c in ")]" for c in code)
        taken.insert(0, line)
        if depth > 0:
            return "\n".join(taken) + "\n"
        if re.match(r"\w+\s", code) and depth == 0:
            break  # a statement of its own
    return ""


def _heads(above: str, indent: int) -> Iterator[tuple[int, str]]:
    """The lines that open the blocks around a line of that indentation, the innermost first."""
    for line in reversed(above.split("\n")):
        code = _without_comments(line).rstrip()
        if not code:
            continue
        own = len(code.expandtabs(4)) - len(code.expandtabs(4).lstrip())
        if own < indent:
            indent = own
            if _HEAD.match(code) and code.endswith(":"):
                yield own, code.strip()
        if indent == 0:
            return


def _room(heads: list[tuple[int, str]]) -> Room:
    found = _HEAD.match(heads[0][1]) if heads else None
    match found.group(1) if found else "":
        case "phase":
            return Room.PHASE
        case "repeat":
            return Room.STEP
        case "def":
            return Room.DEFINITION
        case "minimize" | "loss":
            return Room.FORMULA
        case _:
            return Room.TOP


def _place(room: Room, head: str, statement: str) -> Place:
    line = statement if room is Room.TOP else head
    if line.startswith("def"):
        return Place.BLOCK if re.match(r"def\s+block\b", line) else Place.DEFINITION
    word = re.match(r"\w+", line)
    place = _PLACES.get(word.group() if word else "", Place.LET)
    if place is Place.INITIAL and re.search(r"(?:[<>]=?|\bin)[^=]*$", line):
        return Place.BOUND
    return place


def _bracket(code: str) -> tuple[str | None, bool]:
    """The word before the innermost bracket that is open at the end of a text."""
    depth = 0
    for at in range(len(code) - 1, -1, -1):
        sign = code[at]
        if sign in ")]":
            depth += 1
        elif sign in "([":
            if depth == 0:
                word = re.search(r"[^\W\d]\w*$", code[:at])
                return (word.group() if word else ""), sign == "["
            depth -= 1
    return None, False


def _in_type(statement: str, room: Room) -> bool:
    """Whether a type is being written, whose brackets hold sizes."""
    if room is not Room.TOP:
        return re.match(r"\s*state\b[^=]*:[^=]*$", statement) is not None
    return (
        re.match(r"(?:input|fixed|learnable|state|loss|minimize)\b[^=~]*:[^=~]*$", statement)
        is not None
    )


def _has_expression(statement: str, room: Room) -> bool:
    """Whether a formula stands at the end of a statement."""
    if room in (Room.FORMULA, Room.DEFINITION):
        return True
    if re.match(r"(?:output|return)\b", statement):
        return True
    if re.match(r"(?:loss|minimize)\b", statement):
        return re.search(r":\s*[^:]*$", statement) is not None and _closed(statement)
    if re.search(r"~[^=]*$", statement) or re.search(r">>\s*\w*$", statement):
        return False
    if re.search(r"(?<![<>=!])=(?!=)|<-", statement):
        return True
    bounded = re.match(r"(?:input|fixed|learnable)\b[^:]*:.*(?:[<>]=?|\bin\b)", statement)
    return (
        bounded is not None and re.search(r"(?:[<>]=?|[\[(,+\-*/^@])\s*\w*$", statement) is not None
    )


def _closed(statement: str) -> bool:
    """Whether the head of a `loss` or `minimize` is complete: its last colon begins the formula."""
    if statement.startswith("loss"):
        return re.match(r"loss\s*(?:\(.*\))?\s*:", statement, re.S) is not None
    last = statement.rpartition(":")[2]
    return (
        re.match(r"\s*(?:complex\s+)?(?:scalar|vector|matrix|tensor|image|mask)?\w*$", last) is None
    )


def _local(
    page: OpenPage, head: str, heads: list[tuple[int, str]], above: str, shift: int
) -> Iterator[Referent]:
    """Parameters, sizes and local values of a definition that is being written."""
    found = _BLOCK.match(head)
    if found is None:
        return
    for group, sort in (("sizes", SIZE), ("given", Sort.ARGUMENT.value)):
        for word in re.findall(r"[^\W\d]\w*", found.group(group) or ""):
            yield Referent(word, sort, Span(page.file, shift, shift))
    if not heads:
        return
    start = above.rfind(head)
    for line in above[start:].split("\n")[1:]:
        local = _LOCAL.match(line)
        for word in re.findall(r"[^\W\d]\w*", local.group(1)) if local else ():
            yield Referent(word, Sort.LOCAL.value, Span(page.file, shift, shift))
