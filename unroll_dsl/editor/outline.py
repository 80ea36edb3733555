"""The names of a page in a tree: what an editor lists beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from unroll_dsl.editor.described import headline, shown_type
from unroll_dsl.editor.page import OpenPage
from unroll_dsl.source import Span
from unroll_dsl.syntax import nodes as n


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """A name or a block: `sort` in words, `detail` such as a type; `span` is all of it, `name_span` what is chosen."""

    name: str
    sort: str
    detail: str
    span: Span
    name_span: Span
    children: tuple[OutlineEntry, ...] = ()


def outline(page: OpenPage) -> tuple[OutlineEntry, ...]:
    """The statements of a page in their order; of an empty page none."""
    if page.program is None:
        return ()
    return tuple(_Outline(page).of(page.program.statements))


class _Outline:
    def __init__(self, page: OpenPage) -> None:
        self._page = page
        self._declared = {(o.span.start, o.span.end): o.referent for o in page.names if o.declares}

    def of(self, statements: Iterable[n.Statement]) -> Iterator[OutlineEntry]:
        for statement in statements:
            span = _trimmed(statement.span)
            match statement:
                case n.Dims(dimensions):
                    yield from self._named([d.name for d in dimensions], span)
                case n.Declaration(_, names) | n.State(names):
                    yield from self._named(names, span)
                case n.Let(name):
                    yield from self._named([name], span)
                case n.Definition(name) | n.BlockDefinition(name):
                    yield from self._named([name], span)
                case n.Phase(count, body):
                    detail = "" if count is None else f"({count.span.text})"
                    whole = span
                    for line in body:
                        whole = whole.to(_trimmed(line.span))
                    yield OutlineEntry(
                        "phase", "block", detail, whole, _word(span), tuple(self._lines(body))
                    )
                case n.Output():
                    yield OutlineEntry("output", "block", _rest(span), span, _word(span))
                case n.Minimize(variables):
                    over = ", ".join(v.name.text for v in variables)
                    yield OutlineEntry("minimize", "block", f"over {over}", span, _word(span))
                case n.Loss(targets):
                    inner = tuple(self._named([t.name for t in targets], span))
                    detail = ", ".join(entry.name for entry in inner)
                    yield OutlineEntry("loss", "block", detail, span, _word(span), inner)
                case n.Measure(name):
                    yield OutlineEntry(f"measure {name.text}", "block", "", span, name.span)

    def _lines(self, body: Iterable[n.PhaseStatement | n.StepStatement]) -> Iterator[OutlineEntry]:
        seen: set[int] = set()
        for line in body:
            match line:
                case n.Local(name) | n.Trace(name):
                    yield from self._named([name], _trimmed(line.span))
                case n.State(names):
                    yield from self._named(names, _trimmed(line.span))
                case n.Update(target):
                    yield OutlineEntry(target.text, "update", "", _trimmed(line.span), target.span)
                case n.Repeat(count, steps) if line.span.start not in seen:
                    seen.add(line.span.start)
                    span = _trimmed(line.span)
                    whole = span
                    for step in steps:
                        whole = whole.to(_trimmed(step.span))
                    inner = tuple(self._lines(steps))
                    detail = f"({count.span.text})"
                    yield OutlineEntry("repeat", "block", detail, whole, _word(span), inner)

    def _named(self, names: Iterable[n.Name], span: Span) -> Iterator[OutlineEntry]:
        for name in names:
            referent = self._declared.get((name.span.start, name.span.end))
            if referent is None:
                continue
            detail = shown_type(self._page, referent)
            if detail is None and isinstance(referent.definer, n.Definition | n.BlockDefinition):
                detail = headline(self._page, referent)
            whole = (
                span if span.start <= name.span.start <= name.span.end <= span.end else name.span
            )
            yield OutlineEntry(name.text, referent.sort, detail or "", whole, name.span)


def _trimmed(span: Span) -> Span:
    """A statement without the line break at its end."""
    return Span(span.file, span.start, span.start + len(span.text.rstrip()))


def _word(span: Span) -> Span:
    """The word that a statement begins with."""
    text = span.text
    length = next((i for i, c in enumerate(text) if not c.isalnum()), len(text))
    return Span(span.file, span.start, span.start + length)


def _rest(span: Span) -> str:
    return " ".join(span.text.split()[1:])
