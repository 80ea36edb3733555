"""What may be done about a diagnostic, and whether it helps."""

from __future__ import annotations

from collections.abc import Iterator
from functools import singledispatch

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.editor.edits import Edit, Fix, applied, moved
from unroll_dsl.editor.page import OpenPage, open_page
from unroll_dsl.source import Span

_LONGEST = 100  # characters of a title


@singledispatch
def proposals(diagnostic: Diagnostic, page: OpenPage) -> Iterator[Fix]:
    """The mends that the class of a diagnostic knows; none by default."""
    return iter(())


def fixes(page: OpenPage, diagnostic: Diagnostic) -> tuple[Fix, ...]:
    """The mends of a diagnostic of the page, each of which takes that mistake away.

    Those that put another mistake in its place are left out, unless there are no others.
    """
    tried: dict[str, OpenPage] = {}
    found: list[tuple[Fix, OpenPage]] = []
    for fix in proposals(diagnostic, page):
        text = applied(page.text, fix.edits)
        if text in tried or text == page.text:
            continue
        after = tried[text] = open_page(text, page.file.name)
        if is_mended(page, diagnostic, fix, after):
            found.append((fix, after))
    right = [fix for fix, after in found if not _is_wrong_itself(page, fix, after)]
    return tuple(right or [fix for fix, _ in found])


def is_mended(page: OpenPage, diagnostic: Diagnostic, fix: Fix, after: OpenPage) -> bool:
    """Whether the page `after` a fix no longer has the mistake: none of that code at its place, and no more of it
    elsewhere. A page with lines that cannot be read has other mistakes that are seen only when they can."""
    code = diagnostic.code
    left = [_start(d) for d in after.diagnostics if d.code == code]
    before = sum(d.code == code for d in page.diagnostics)
    is_left = moved(_start(diagnostic), fix.edits) in left
    return not is_left and (not page.is_whole or len(left) <= before)


def _is_wrong_itself(page: OpenPage, fix: Fix, after: OpenPage) -> bool:
    """Whether what a fix writes is reported, which what stood there was not."""
    starts = {moved(edit.span.start, fix.edits) for edit in fix.edits if edit.text.strip()}
    known = {d.code for d in page.diagnostics}
    wrong = [d for d in after.diagnostics if d.is_error and _start(d) in starts]
    return any(d.code not in known for d in wrong)


def _start(diagnostic: Diagnostic) -> int:
    labels = diagnostic.labels()
    return labels[0].span.start if labels else -1


def title(diagnostic: Diagnostic) -> str:
    """What the help of a diagnostic says, as the title of a fix."""
    words = " ".join((diagnostic.help() or diagnostic.message()).split())
    words = words[:1].upper() + words[1:]
    return words if len(words) <= _LONGEST else words[: _LONGEST - 3] + "..."


def replaced(diagnostic: Diagnostic, span: Span, text: str, words: str | None = None) -> Fix:
    """One place written otherwise."""
    return Fix(words or title(diagnostic), (Edit(span, text),))


def inserted(diagnostic: Diagnostic, span: Span, offset: int, text: str) -> Fix:
    """Something put in at an offset of the file of `span`."""
    return Fix(title(diagnostic), (Edit(Span(span.file, offset, offset), text),))
