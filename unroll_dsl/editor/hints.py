"""Types that the page leaves open, to be shown behind the names: of lets, local values, traces and outputs."""

from __future__ import annotations

from dataclasses import dataclass

from unroll_dsl.editor.described import shown_type
from unroll_dsl.editor.names import OUTPUT
from unroll_dsl.editor.page import OpenPage
from unroll_dsl.semantics.model import Sort

_INFERRED = (Sort.LET.value, Sort.LOCAL.value, Sort.TRACE.value, OUTPUT)


@dataclass(frozen=True, slots=True)
class Hint:
    """Words to be shown at an offset, between what is written there."""

    offset: int
    text: str


def hints(page: OpenPage, start: int = 0, end: int | None = None) -> tuple[Hint, ...]:
    """The hints from one offset to another, by default of the whole page."""
    end = len(page.text) if end is None else end
    found = []
    for name in page.names:
        referent = name.referent
        if not name.declares or referent.sort not in _INFERRED:
            continue
        text = shown_type(page, referent)
        if text is not None and start <= name.span.end <= end:
            found.append(Hint(name.span.end, f": {text}"))
    return tuple(found)
