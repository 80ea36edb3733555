"""A name written otherwise in all its places, where the page then means the same."""

from __future__ import annotations

from collections import Counter
from unicodedata import normalize

from unroll_dsl.editor.edits import Edit, applied
from unroll_dsl.editor.names import Occurrence, Referent
from unroll_dsl.editor.page import OpenPage, open_page
from unroll_dsl.mendable import Mendable
from unroll_dsl.operators.registry import written
from unroll_dsl.semantics.layers import ACTIVATIONS
from unroll_dsl.semantics.model import Sort
from unroll_dsl.semantics.scopes import RESERVED
from unroll_dsl.source import SourceFile, Span
from unroll_dsl.syntax.blocks import STATEMENT_WORDS
from unroll_dsl.syntax.lexer import Lexer
from unroll_dsl.syntax.parse_tables import load_tables
from unroll_dsl.syntax.tokens import NAME
from unroll_dsl.syntax.tokens import RESERVED as NEVER_NAMES
from unroll_dsl.types.steps import KINDS


class CannotRename(Mendable):
    """A name that cannot be changed, or not into that; the mend says what to do instead."""


def renameable(page: OpenPage, offset: int) -> Span | None:
    """The name at an offset, if it can be renamed: one that the page declares."""
    name = page.name_at(offset)
    return name.span if name is not None and name.referent.is_own else None


def rename(page: OpenPage, offset: int, new: str) -> tuple[Edit, ...]:
    """The edits that write the name at an offset as `new` wherever it stands.

    Raises
    ------
    CannotRename
        Where no name of the page stands there, the page has lines that cannot be read, `new` is no name, a word of the
        language, or already something else on the page.
    """
    name = page.name_at(offset)
    if name is None:
        raise CannotRename("no name stands here", "put the cursor on one")
    own = name.referent
    if not own.is_own:
        raise CannotRename(
            f"`{own.name}` belongs to the language and cannot be renamed",
            "rename what the page itself declares",
        )
    if not page.is_whole:
        raise CannotRename(
            "the page has lines that cannot be read, in which the name may stand too",
            "mend these errors first",
        )
    word = normalize("NFC", new)
    _check_word(word)
    places = [each for each in page.names if each.referent is own]
    _check_clashes(page, own, word, places)
    edits = tuple(Edit(each.span, word) for each in places)
    if word != own.name and _meaning(open_page(applied(page.text, edits))) != _meaning(page):
        raise CannotRename(
            f"with the name `{word}` the page would mean something else", "choose another name"
        )
    return edits


def _check_word(word: str) -> None:
    lines = Lexer(SourceFile("name", word), load_tables()).lines().lines
    tokens = lines[0].tokens if len(lines) == 1 and lines[0].problem is None else ()
    if len(tokens) != 2 or tokens[0].kind != NAME or tokens[0].text != word:
        raise CannotRename(
            f"`{word}` is no name", "a name has letters, digits and underscores, no digit first"
        )
    if word in NEVER_NAMES or word in RESERVED:
        meaning = RESERVED.get(word, "a word of the language")
        raise CannotRename(f"`{word}` cannot be a name: it is {meaning}", "choose another name")
    if word in STATEMENT_WORDS or word in load_tables().words:
        raise CannotRename(
            f"`{word}` is a keyword, which would be hard to read as a name", "choose another name"
        )


def _check_clashes(page: OpenPage, own: Referent, word: str, places: list[Occurrence]) -> None:
    for each in page.names:
        other = each.referent
        if other is own or other.name != word:
            continue
        if other.within is not None and own.within is not None and other.within != own.within:
            continue  # each is seen in its own function alone
        if other.within is not None and not any(_covers(other, place) for place in places):
            continue
        if own.within is not None and other.within is None and not _covers(own, each):
            continue
        line = (
            ""
            if other.span is None or not other.is_own
            else f", declared in line {other.span.line}"
        )
        raise CannotRename(
            f"there is already {_a(other.sort)} `{word}`{line}", "choose another name"
        )
    callable_ = own.sort in (Sort.DEFINITION.value, Sort.BLOCK.value)
    if callable_ and (word in KINDS or word in ACTIVATIONS or written(word) is not None):
        raise CannotRename(
            f"`{word}` is a function or a layer of the language", "choose another name"
        )


def _covers(other: Referent, place: Occurrence) -> bool:
    within = other.within
    return within is not None and within.start <= place.span.start < within.end


def _a(words: str) -> str:
    return f"{'an' if words[:1] in 'aeiou' else 'a'} {words}"


def _meaning(page: OpenPage) -> object:
    """What a page says apart from the names that it chooses: its mistakes, and which names are the same."""
    found: dict[int, int] = {}
    numbers = [
        found.setdefault(id(each.referent), len(found))
        for each in page.names
        if each.referent.is_own
    ]
    return Counter(d.code for d in page.diagnostics), numbers
