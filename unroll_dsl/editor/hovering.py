"""What is shown where the mouse rests: a name, a word of the language, or the type of an expression."""

from __future__ import annotations

from dataclasses import dataclass

from unroll_dsl.editor.described import described, described_word
from unroll_dsl.editor.page import OpenPage
from unroll_dsl.semantics.places import typed_at
from unroll_dsl.source import Span
from unroll_dsl.syntax.nodes import Number
from unroll_dsl.types import Array, Unknown
from unroll_dsl.typeset.latex import Setter

_LONGEST = 400  # characters of an expression that is shown whole


@dataclass(frozen=True, slots=True)
class Hover:
    """Markdown about a place."""

    span: Span
    text: str


def hover(page: OpenPage, offset: int) -> Hover | None:
    """What is told of an offset; None where there is nothing to tell."""
    name = page.name_at(offset, behind=False)
    if name is not None:
        return Hover(name.span, described(page, name.referent))
    return _word(page, offset) or _expression(page, offset)


def _word(page: OpenPage, offset: int) -> Hover | None:
    line = page.line_at(offset)
    for token in () if line is None else line.tokens:
        if token.span.start <= offset < token.span.end:
            word = " ".join(token.text.split())
            words = described_word(word) if word[:1].isalpha() else None
            if words is not None:
                return Hover(token.span, words)
    return None


def _expression(page: OpenPage, offset: int) -> Hover | None:
    """The smallest expression around an offset with its type and its formula."""
    found = None if page.typed is None else typed_at(page.typed, offset)
    if page.typed is None or found is None or isinstance(found[0], Number):
        return None
    expr, type_ = found
    if isinstance(type_, Unknown):
        return None
    written = " ".join(expr.span.text.split())
    if len(written) > _LONGEST:
        written = "..."
    text = f"```unroll\n{written} : {type_}\n```"
    if isinstance(type_, Array) and written != "...":
        text += f"\n\n${Setter(page.typed).set(expr)}$"
    return Hover(expr.span, text)
