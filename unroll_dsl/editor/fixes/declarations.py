"""Mends of declarations: a role, a part that has no meaning there, a start, an output."""

from __future__ import annotations

from collections.abc import Iterator

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.editor.edits import Fix
from unroll_dsl.editor.fixes.lines import without_line
from unroll_dsl.editor.fixes.proposals import inserted, proposals, replaced
from unroll_dsl.editor.page import OpenPage
from unroll_dsl.semantics import errors
from unroll_dsl.semantics.phases import lines_of
from unroll_dsl.source import Span
from unroll_dsl.syntax import nodes as n

_Why = errors.NotAllowedHere.Why
_ROLES = {
    _Why.INPUT_NETWORK: "fixed",
    _Why.INPUT_VALUE: "fixed",
    _Why.INPUT_MAP: "fixed",
    _Why.RANDOM_FIXED: "learnable",
}
_PARTS = {
    _Why.INPUT_PER_PHASE: "per phase",
    _Why.MAP_PER_PHASE: "per phase",
    _Why.INPUT_PER_STEP: "per step",
}


@proposals.register
def _(error: errors.NotAllowedHere, page: OpenPage) -> Iterator[Fix]:
    line = page.line_at(error.span.start)
    if line is None:
        return
    if error.why in _ROLES:
        yield replaced(error, line.first.span, _ROLES[error.why])
    elif error.why in _PARTS:
        yield from _without(page, error, _PARTS[error.why])
    elif error.why is _Why.NETWORK_VALUE:
        signs = [t for t in line.tokens if t.text in ("=", "~") and t.span.end <= error.span.start]
        if signs:
            start = page.text[: signs[-1].span.start].rstrip()
            yield replaced(error, Span(page.file, len(start), error.span.end), "")


def _without(page: OpenPage, error: Diagnostic, words: str) -> Iterator[Fix]:
    """The declaration without a part of two words."""
    line = page.line_at(error.labels()[0].span.start)
    for token in () if line is None else line.tokens:
        if " ".join(token.text.split()) == words:
            start = len(page.text[: token.span.start].rstrip())
            yield replaced(error, Span(page.file, start, token.span.end), "")


@proposals.register
def _(error: errors.StateWithoutStart, page: OpenPage) -> Iterator[Fix]:
    line = page.line_at(error.span.start)
    if line is not None:
        yield inserted(error, error.span, line.tokens[-1].span.start, " = 0")


@proposals.register
def _(error: errors.MissingOutput, page: OpenPage) -> Iterator[Fix]:
    phases = [s for s in page.program.statements if isinstance(s, n.Phase)] if page.program else []
    if not error.states or not phases:
        return
    lines = list(lines_of(phases[0]))
    line = page.line_at(lines[-1].span.start) if lines else None
    if line is None:
        return
    end = page.text.find("\n", line.span.end)
    end = len(page.text) if end < 0 else end
    yield inserted(error, error.span, end, f"\noutput {error.states[0]}")


@proposals.register
def _(error: errors.PhaseCountInvalid, page: OpenPage) -> Iterator[Fix]:
    yield replaced(error, error.span, "10" if error.of == "phases" else "3")


@proposals.register
def _(error: errors.Unused, page: OpenPage) -> Iterator[Fix]:
    """The line taken away, where it declares nothing else."""
    if error.reader is not None:
        return
    line = page.line_at(error.span.start)
    symbol = page.symbols.get(error.name)
    definer = None if symbol is None else symbol.definer
    several = isinstance(definer, n.Declaration | n.State) and len(definer.names) > 1
    is_dims = isinstance(definer, n.Dimension)
    if line is None or is_dims or several or isinstance(definer, n.Definition | n.BlockDefinition):
        return
    yield from without_line(page, error, error.span)
