"""Where a declaration is, for what is wrong with its value."""

from __future__ import annotations

from unroll_dsl.diagnostics.model import Label
from unroll_dsl.source import Span


def declared_at(origin: Span | None, text: str) -> tuple[Label, ...]:
    """A label at a declaration; none where there is no text to point into."""
    return () if origin is None else (Label(origin, text),)
