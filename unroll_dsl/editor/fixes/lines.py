"""Mends that write a line anew: what differs between the line and its mend is what is edited."""

from __future__ import annotations

import re
from collections.abc import Iterator

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.editor.edits import Edit, Fix
from unroll_dsl.editor.fixes.proposals import inserted, proposals, replaced, title
from unroll_dsl.editor.page import OpenPage
from unroll_dsl.source import Span
from unroll_dsl.syntax import errors as e
from unroll_dsl.syntax.blocks import STATEMENT_WORDS

_TOKEN = re.compile(r"\w+|<-|->|>>|==|!=|<=|>=|:=|\*\*|[^\w\s]")
_SHORTENED = 110  # characters of a line from which on a message may show its mended part alone
# What the help of `Unexpected` says before the whole line as it should be.
_WHOLE = re.compile(
    r"(?:write|leave the sign out:|leave the colon out:|layers are joined by `>>`:|sizes are separated by commas:"
    r"|equality is `==`:|bounds stand behind the type:|an output has the type of its value:"
    r"|to compare with a negative number, write|a name has letters, digits and underscores only:)"
    r" `([^`]*)`"
)


def whole_line(page: OpenPage, diagnostic: Diagnostic, span: Span, mended: str) -> Iterator[Fix]:
    """The logical line around a place as it should be; what it has alike is left as it stands."""
    line = page.line_at(span.start)
    if line is None or "..." in mended:
        return
    code = Span(page.file, line.span.start, line.tokens[-1].span.start)
    shortened = len(code.text) >= _SHORTENED and len(mended) < len(code.text) / 2
    if "#" in code.text or shortened:
        return
    yield Fix(title(diagnostic), (difference(code, mended),))


def difference(span: Span, new: str) -> Edit:
    """The smallest edit that makes the tokens of a place those of `new`; spaces around it stay."""
    before, after = list(_TOKEN.finditer(span.text)), list(_TOKEN.finditer(new))
    shortest = min(len(before), len(after))
    first = 0
    while first < shortest and before[first].group() == after[first].group():
        first += 1
    last = 0
    while last < shortest - first and before[-1 - last].group() == after[-1 - last].group():
        last += 1
    gone, come = before[first : len(before) - last], after[first : len(after) - last]
    start, end, text = 0, 0, ""
    if gone and come:
        start, end = gone[0].start(), gone[-1].end()
        text = new[come[0].start() : come[-1].end()]
    elif come and first:
        start = end = before[first - 1].end()
        text = new[after[first - 1].end() : come[-1].end()]
    elif come:
        following = after[len(come)].start() if len(come) < len(after) else len(new)
        text = new[come[0].start() : following]
    elif gone and first:
        start, end = before[first - 1].end(), gone[-1].end()
    elif gone:
        start = gone[0].start()
        end = before[len(gone)].start() if len(gone) < len(before) else gone[-1].end()
    return Edit(Span(span.file, span.start + start, span.start + end), text)


@proposals.register
def _(error: e.WrongAssignment, page: OpenPage) -> Iterator[Fix]:
    yield from whole_line(page, error, error.span, error.mended)


@proposals.register
def _(error: e.BareAssignment, page: OpenPage) -> Iterator[Fix]:
    yield from whole_line(page, error, error.span, error.mended)


@proposals.register
def _(error: e.MissingType, page: OpenPage) -> Iterator[Fix]:
    yield from whole_line(page, error, error.span, error.mended)


@proposals.register
def _(error: e.StatementInBlock, page: OpenPage) -> Iterator[Fix]:
    if error.mended:
        yield from whole_line(page, error, error.span, error.mended)


@proposals.register
def _(error: e.NumberedState, page: OpenPage) -> Iterator[Fix]:
    if error.mended:
        yield from whole_line(page, error, error.span, error.mended)


@proposals.register
def _(error: e.WrongOrder, page: OpenPage) -> Iterator[Fix]:
    if error.mended:
        yield from whole_line(page, error, error.span, error.mended)


@proposals.register
def _(error: e.ForeignOperator, page: OpenPage) -> Iterator[Fix]:
    yield replaced(error, error.span, error.instead.strip("`"))


@proposals.register
def _(error: e.MissingOperator, page: OpenPage) -> Iterator[Fix]:
    if error.left.text in ("T", "H") and error.is_certain:  # `A^T y`
        yield from whole_line(page, error, error.span, error.mended)
        return
    signs = ("@",) if error.is_certain and "@" in _between(error) else ("*", "@")
    if error.is_certain and "*" in _between(error):
        signs = ("*",)
    for sign in signs:
        place = Span(page.file, error.left.end, error.span.start)
        yield replaced(error, place, f" {sign} ", f"Put `{sign}` between them")


def _between(error: e.MissingOperator) -> str:
    """The operator that the message shows between both sides."""
    found = re.search(
        rf"{re.escape(error.left.text)} ([*@]) {re.escape(error.span.text)}", error.mended
    )
    return found.group(1) if found else "*@"


@proposals.register
def _(error: e.MissingColon, page: OpenPage) -> Iterator[Fix]:
    yield inserted(error, error.span, error.span.start, ":")


@proposals.register
def _(error: e.ChainedComparison, page: OpenPage) -> Iterator[Fix]:
    yield inserted(error, error.span, error.span.start, f"and {error.middle.text} ")


@proposals.register
def _(error: e.UnknownStatement, page: OpenPage) -> Iterator[Fix]:
    if error.near:
        yield replaced(error, error.span, error.near, f"Change to `{error.near}`")
    elif error.advice:
        yield from _told(error, page, error.span, error.advice)


@proposals.register
def _(error: e.Unexpected, page: OpenPage) -> Iterator[Fix]:
    if error.mend:
        yield from _told(error, page, error.span, error.mend)


def _told(error: Diagnostic, page: OpenPage, span: Span, mend: str) -> Iterator[Fix]:
    """What a mend in words says to write: the line, where it begins as the line does or as a statement."""
    if re.fullmatch(
        r"leave (?:it|the line) out|a block ends with its indentation: leave the line out", mend
    ):
        yield from without_line(page, error, span)
    found = _WHOLE.fullmatch(mend)
    line = page.line_at(span.start)
    if found is None or line is None:
        return
    mended = found.group(1)
    begins = re.match(r"\w+", mended)
    if span.text == "[" and begins is not None and mended.startswith(f"{begins.group()}["):
        yield inserted(error, span, span.start, begins.group())  # `input y : [m]`
    elif begins is not None and begins.group() in (line.first.text, *STATEMENT_WORDS):
        yield from whole_line(page, error, span, mended)


def without_line(page: OpenPage, error: Diagnostic, span: Span) -> Iterator[Fix]:
    """A logical line taken away, with the line break behind it."""
    line = page.line_at(span.start)
    if line is None:
        return
    text = page.text
    start = text.rfind("\n", 0, line.span.start) + 1
    end = text.find("\n", line.span.end)
    end = len(text) if end < 0 else end + 1
    yield Fix("Remove the line", (Edit(Span(page.file, start, end), ""),))
