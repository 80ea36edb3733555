"""Mends of characters, brackets, indentation and blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from unroll_dsl.editor.edits import Edit, Fix
from unroll_dsl.editor.fixes.proposals import inserted, proposals, replaced, title
from unroll_dsl.editor.page import OpenPage
from unroll_dsl.source import Span
from unroll_dsl.syntax import errors as e
from unroll_dsl.syntax.blocks import Block, grouped
from unroll_dsl.syntax.tokens import Line

_INDENT = 4


@proposals.register
def _(error: e.UnknownCharacter, page: OpenPage) -> Iterator[Fix]:
    for span, text in error.written:
        words = f"Write `{text}`" if text.strip() else None
        yield replaced(error, span, text, words)


@proposals.register
def _(error: e.TransposeSpelling, page: OpenPage) -> Iterator[Fix]:
    yield replaced(error, error.span, "'")


@proposals.register
def _(error: e.SlashComment, page: OpenPage) -> Iterator[Fix]:
    yield replaced(error, error.span, "#", "Start the comment with `#`")


@proposals.register
def _(error: e.StrayBracket, page: OpenPage) -> Iterator[Fix]:
    yield replaced(error, error.span, "")


@proposals.register
def _(error: e.MismatchedBracket, page: OpenPage) -> Iterator[Fix]:
    yield replaced(error, error.span, error.closing)


@proposals.register
def _(error: e.UnclosedBracket, page: OpenPage) -> Iterator[Fix]:
    line = page.line_at(error.span.start)
    if line is not None:
        yield inserted(error, error.span, line.tokens[-1].span.start, error.closing)


@proposals.register
def _(error: e.PhaseCount, page: OpenPage) -> Iterator[Fix]:
    yield replaced(error, error.span, f"({error.count})")


@proposals.register
def _(error: e.MissingHeader, page: OpenPage) -> Iterator[Fix]:
    start = page.text.rfind("\n", 0, error.span.start) + 1
    yield inserted(error, error.span, start, f"algorithm {error.name}\n")


# ---- indentation --------------------------------------------------------------------------------


def _margin(page: OpenPage, line: Line) -> Span:
    """The spaces before a line."""
    start = page.text.rfind("\n", 0, line.span.start) + 1
    return Span(page.file, start, line.span.start)


@proposals.register
def _(error: e.TabIndentation, page: OpenPage) -> Iterator[Fix]:
    edits = []
    for line in page.lines:
        margin = _margin(page, line)
        if "\t" in margin.text:
            edits.append(Edit(margin, margin.text.expandtabs(_INDENT)))
    yield Fix("Indent with spaces: four for each tab", tuple(edits))


@proposals.register
def _(error: e.InconsistentIndentation, page: OpenPage) -> Iterator[Fix]:
    line = page.line_at(error.span.start)
    if line is not None:
        yield replaced(error, _margin(page, line), " " * error.expected)


@proposals.register
def _(error: e.UnexpectedIndentation, page: OpenPage) -> Iterator[Fix]:
    lines = list(page.lines)
    at = next(
        (i for i, x in enumerate(lines) if x.span.start <= error.span.start <= x.span.end), None
    )
    if at is None:
        return
    if error.in_block:
        yield replaced(error, _margin(page, lines[at]), " " * _of_block(lines, at))
        return
    margin = min(line.indent for line in lines)
    stray = []
    while at < len(lines) and lines[at].indent > margin:
        stray.append(Edit(_margin(page, lines[at]), " " * margin))
        at += 1
    yield Fix(title(error), tuple(stray))


def _of_block(lines: list[Line], at: int) -> int:
    """How far the lines of the block are indented that line `at` stands in."""
    margin = min(line.indent for line in lines)
    while lines[at - 1].indent > margin:
        at -= 1
    return lines[at].indent


@proposals.register
def _(error: e.MissingBlock, page: OpenPage) -> Iterator[Fix]:
    if error.following is None:
        return
    first = page.line_at(error.following.start)
    own = [b for b in blocks_of(grouped(page.lines)) if error in b.problems]
    lines = [line for block in own for line in list(block.lines())[1:]]
    if not lines and first is not None:  # of an inner loop: how many lines are meant, nobody knows
        lines = [first]
    margins = [_margin(page, line).start for line in lines]
    edits = tuple(Edit(Span(page.file, at, at), " " * _INDENT) for at in margins)
    yield Fix(f"Indent the {'line' if len(edits) == 1 else 'lines'} below it", edits)


def blocks_of(blocks: Iterable[Block]) -> Iterator[Block]:
    """Blocks, and those within them."""
    for block in blocks:
        yield block
        yield from blocks_of(line for line in block.body if isinstance(line, Block))


@proposals.register
def _(error: e.BlockOnSameLine, page: OpenPage) -> Iterator[Fix]:
    line = page.line_at(error.span.start)
    if line is None or error.word == "def":
        return
    before = [token for token in line.tokens if token.span.end <= error.span.start]
    if before:
        place = Span(page.file, before[-1].span.end, error.span.start)
        indent = len(_margin(page, line).text) + _INDENT
        yield replaced(error, place, "\n" + " " * indent)
