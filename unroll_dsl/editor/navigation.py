"""Where a name is declared, and where it stands."""

from __future__ import annotations

from unroll_dsl.editor.page import OpenPage
from unroll_dsl.source import Span


def declaration(page: OpenPage, offset: int) -> Span | None:
    """Where the name at an offset is declared: on the page, or in the prelude that comes along; None of what the
    language itself has, and where no name stands."""
    name = page.name_at(offset)
    return None if name is None else name.referent.span


def references(page: OpenPage, offset: int, *, declared: bool = True) -> tuple[Span, ...]:
    """Every place of the name at an offset, in order; with `declared` that of its declaration too."""
    name = page.name_at(offset)
    if name is None:
        return ()
    own = name.referent
    return tuple(
        each.span
        for each in page.names
        if (each.referent is own or (own.span is None and each.referent.name == own.name))
        and (declared or not each.declares)
    )
