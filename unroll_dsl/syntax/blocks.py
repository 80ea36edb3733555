"""Which lines belong to which statement, by their indentation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.near import near
from unroll_dsl.syntax import reports as e
from unroll_dsl.syntax.tokens import COLON, NAME, Line, Token


class Place(Enum):
    """Where a line stands: among the statements, or in the block of one."""

    TOP = auto()
    PHASE = auto()
    FORMULA = auto()
    DEFINITION = auto()
    STEP = auto()


STATEMENT_WORDS = (
    "algorithm", "problem", "dims", "input", "fixed", "learnable", "let", "state", "phase",
    "output", "minimize", "loss", "measure", "def",
)  # fmt: skip
_PLACES = {
    "phase": Place.PHASE,
    "minimize": Place.FORMULA,
    "loss": Place.FORMULA,
    "def": Place.DEFINITION,
}
# What other languages call such a block: its lines are read, whatever is said of its head.
_ELSEWHERE = {
    **dict.fromkeys(("for", "while", "repeat", "iterate", "loop", "layer", "layers"), Place.PHASE),
    **dict.fromkeys(("argmin", "min", "minimise", "maximize", "objective", "cost"), Place.FORMULA),
    **dict.fromkeys(("function", "fn", "func"), Place.DEFINITION),
}
_LEADING = frozenset(
    {"+", "-", "*", "/", "@", "^", "==", "!=", "<", "<=", ">", ">=", "and", "or", ",", "->", ">>"}
)
_TRAILING = _LEADING | {"not", "=", "<-", "~"}


@dataclass(frozen=True, slots=True)
class Block:
    """A line at the margin and the lines indented below it; `place` is what these are."""

    head: Line
    body: tuple[Line | Block, ...]
    place: Place
    problems: tuple[Diagnostic, ...] = ()

    @property
    def last(self) -> Line:
        """The last line of the block."""
        last = self.body[-1] if self.body else self.head
        return last.last if isinstance(last, Block) else last

    def lines(self) -> Iterator[Line]:
        """All its lines, those of blocks within it too."""
        yield self.head
        for line in self.body:
            yield from line.lines() if isinstance(line, Block) else (line,)


def opening_word(line: Line) -> str | None:
    """The statement that a line means to be, judged by its first word, rightly spelt or nearly."""
    first = line.first
    if first.kind != NAME:
        return None
    if first.text in STATEMENT_WORDS:
        return first.text
    second = line.tokens[1].text
    if second in ("=", "<-"):
        return None
    found = near(first.text, STATEMENT_WORDS, most=1, cutoff=0.75)
    found = found or near(first.text.lower(), STATEMENT_WORDS, most=1, cutoff=0.75)
    return found[0] if found else None


def grouped(lines: Sequence[Line]) -> Iterator[Block]:
    """The lines of a file in blocks. Indentation that all lines share does not count."""
    margin = min((line.indent for line in lines), default=0)
    at = 0
    while at < len(lines):
        head = lines[at]
        end = at + 1
        while end < len(lines) and lines[end].indent > margin:
            end += 1
        body = tuple(lines[at + 1 : end])
        if not body and head.opens_block:
            end = _unindented(lines, at)
            yield _not_indented(head, tuple(lines[at + 1 : end]))
        elif body:
            yield from _with_body(head, body)
        else:
            yield Block(head, (), Place.TOP)
        at = end


def _with_body(head: Line, body: tuple[Line, ...]) -> Iterator[Block]:
    word = opening_word(head)
    place = _PLACES.get(word or "")
    foreign = _ELSEWHERE.get(head.first.text.lower()) if place is None else None
    if not head.opens_block and _continues(head, body[0]):
        problem = e.ContinuationLine(body[0].first.span, head.span)
        yield Block(_joined((head, *body)), (), Place.TOP, (problem,))
    elif head.opens_block:
        where = place or foreign or Place.PHASE
        inner, problems = _with_loops(body) if where is Place.PHASE else _aligned(body)
        yield Block(head, inner, where, problems)
    elif foreign is not None:
        joined, problems = _aligned(body)
        yield Block(head, joined, foreign, problems)
    elif place is not None and not _is_whole(head, place):
        at = head.end.span
        colon = Token(COLON, ":", at)
        inner, problems = _with_loops(body) if place is Place.PHASE else _aligned(body)
        missing = e.MissingColon(at, word or "", f"{head.span.text}:")
        opened = Line((*head.tokens[:-1], colon, head.end), head.indent, head.problem)
        yield Block(opened, inner, place, (missing, *problems))
    else:
        yield Block(head, (), Place.TOP)
        yield from _stray(body)


def _stray(body: tuple[Line, ...]) -> Iterator[Block]:
    """Lines that are indented under a line that opens no block."""
    problem = e.UnexpectedIndentation(body[0].first.span)
    statements = [line for line in body if line.first.text in STATEMENT_WORDS]
    others = [line for line in body if line.first.text not in STATEMENT_WORDS]
    if others:
        merged = _joined(others)
        yield Block(Line(merged.tokens, merged.indent, problem), (), Place.TOP)
    for line in statements:
        problems = () if others or line is not statements[0] else (problem,)
        yield Block(line, (), Place.TOP, problems)


def _with_loops(
    body: tuple[Line, ...],
) -> tuple[tuple[Line | Block, ...], tuple[Diagnostic, ...]]:
    """The lines of a phase, those of an inner loop in a block of their own."""
    outer: list[Line] = []
    loops: dict[int, Block] = {}
    at = 0
    while at < len(body):
        head = body[at]
        at += 1
        outer.append(head)
        end = at
        while end < len(body) and body[end].indent > head.indent:
            end += 1
        if head.first.text != "repeat" or head.tokens[1].text in ("=", "<-", ","):
            continue
        if end > at:
            inner, problems = _aligned(body[at:end])
            loops[head.first.span.start] = Block(head, inner, Place.STEP, problems)
        elif not head.opens_block:
            continue
        else:
            following = body[end].first.span if end < len(body) else None
            problem = e.MissingBlock(head.tokens[-2].span, "repeat", following)
            loops[head.first.span.start] = Block(head, (), Place.STEP, (problem,))
        at = end
    lines, found = _aligned(tuple(outer))
    return tuple(loops.get(line.first.span.start, line) for line in lines), found


def _aligned(body: tuple[Line, ...]) -> tuple[tuple[Line, ...], tuple[Diagnostic, ...]]:
    """The lines of a block with continuations joined, and what is wrong with their margins."""
    lines = [body[0]]
    problems: list[Diagnostic] = []
    margin = indent = body[0].indent
    for line in body[1:]:
        start = line.first.span
        if _continues(lines[-1], line):
            problems.append(e.ContinuationLine(start, lines[-1].span))
            lines[-1] = _joined((lines[-1], line))
            continue
        if line.indent > margin and line.indent != indent and not lines[-1].opens_block:
            problems.append(e.UnexpectedIndentation(start, in_block=True))
        elif line.indent < margin and line.indent != indent:
            problems.append(e.InconsistentIndentation(start, line.indent, margin))
        indent = line.indent
        lines.append(line)
    return tuple(lines), tuple(problems)


def _continues(line: Line, following: Line) -> bool:
    """Whether a line break stands in the middle of an expression."""
    ends_open = line.tokens[-2].text in _TRAILING if len(line.tokens) > 1 else False
    return following.first.text in _LEADING or (ends_open and following.indent > line.indent)


def _joined(lines: Sequence[Line]) -> Line:
    tokens = [token for line in lines for token in line.tokens[:-1]]
    problem = next((line.problem for line in lines if line.problem), None)
    return Line((*tokens, lines[-1].end), lines[0].indent, problem)


def _is_whole(head: Line, place: Place) -> bool:
    """Whether a statement that may have a block has its formula on its own line."""
    depth, after = 0, None
    for index, token in enumerate(head.tokens):
        depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
        if depth == 0 and token.text == ("=" if place is Place.DEFINITION else ":"):
            after = index + 1
    if place is Place.PHASE or after is None:
        return False
    rest = head.tokens[after:-1]
    is_type = len(rest) == 1 or (len(rest) > 1 and rest[1].text == "[")
    return head.first.text != "minimize" or not is_type


def _unindented(lines: Sequence[Line], at: int) -> int:
    """Where the lines end that look like the block of line `at` without its indentation."""
    place = _PLACES.get(opening_word(lines[at]) or "")
    end = at + 1
    while end < len(lines) and place is not None:
        line = lines[end]
        assigns = line.tokens[1].text in ("=", "<-")
        match place:
            case Place.FORMULA:
                return end if opening_word(line) or assigns else end + 1
            case Place.DEFINITION if line.first.text == "return":
                return end + 1
            case Place.PHASE if line.first.text == "trace" or assigns:
                end += 1
            case Place.DEFINITION if assigns:
                end += 1
            case _:
                break
    return end


def _not_indented(head: Line, body: tuple[Line, ...]) -> Block:
    word = opening_word(head) or ""
    if word not in _PLACES:
        return Block(head, (), Place.TOP)
    following = body[0].span if body else None
    problem = e.MissingBlock(head.tokens[-2].span, word, following)
    return Block(head, body, _PLACES[word], (problem,))
