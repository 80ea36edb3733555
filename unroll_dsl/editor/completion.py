"""What may stand at a place of a page, also of a half-typed one: judged by the text before it, not by a tree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from unroll_dsl.editor.described import described_entry, layer_signature, manual, shown_type
from unroll_dsl.editor.names import CONSTANTS, OUTPUT, SIZE, Referent
from unroll_dsl.editor.page import OpenPage
from unroll_dsl.editor.surroundings import Room, Surroundings, surroundings
from unroll_dsl.editor.words import (
    BEHIND_TYPES,
    IN_DEFINITION,
    IN_LOOP,
    IN_LOSS,
    IN_PHASE,
    IN_TYPES,
    OPERATORS,
    RANDOM_STARTS,
    SPACES,
    STATEMENTS,
    Word,
)
from unroll_dsl.operators.model import Function, LinearOperator, Parameter
from unroll_dsl.operators.registry import lookup
from unroll_dsl.semantics.chains import PADDINGS
from unroll_dsl.semantics.layers import ACTIVATIONS
from unroll_dsl.semantics.model import Sort
from unroll_dsl.semantics.scopes import BODIES, NOISE, Place
from unroll_dsl.semantics.visibility import COUNTER_REFUSED, SEEN
from unroll_dsl.source import Span
from unroll_dsl.types.steps import KINDS

_TYPE = re.compile(r"(?:input|fixed|learnable|state|loss|minimize)\b[^=~]*:\s*(?:complex\s+)?\w*$")
_SPACE_OF_A_MAP = re.compile(r"(?:linear|network)\s[^=]*(?:->|,)?\s*(?:complex\s+)?\w*$")
_RANDOM = re.compile(r"~\s*\w*$")
_STEP = re.compile(r">>\s*\w*$")
_KEYWORD = re.compile(r"([^\W\d]\w*)\s*=\s*\w*$")
_DECLARES = re.compile(r"(input|fixed|learnable|state)\b[^:]*:")


@dataclass(frozen=True, slots=True)
class Completion:
    """A word that may stand at `span`. `insert` has places to fill in where `is_snippet`; `sort` in words, `detail`
    such as a type, `about` as Markdown. `rank`: the lower, the likelier."""

    label: str
    sort: str
    span: Span
    insert: str
    detail: str = ""
    about: str = ""
    is_snippet: bool = False
    rank: int = 0


def completions(page: OpenPage, offset: int) -> tuple[Completion, ...]:
    """What may stand at an offset; the word that is being typed is what is replaced."""
    around = surroundings(page, offset)
    if around.in_comment:
        return ()
    found: dict[str, Completion] = {}
    for each in _Here(page, around).all():
        found.setdefault(each.label, each)
    return tuple(sorted(found.values(), key=lambda each: (each.rank, each.label)))


class _Here:
    def __init__(self, page: OpenPage, around: Surroundings) -> None:
        self._page = page
        self._around = around
        self._before = around.before

    def all(self) -> Iterator[Completion]:
        around, before = self._around, self._before
        if around.opened is not None:
            yield from self._in_brackets(around.opened)
            return
        if around.at_start:
            yield from self._line_begins()
            return
        if around.room is Room.TOP and not around.has_expression:
            yield from self._statement_goes_on(before)
            return
        yield from self._expression()

    # ---- beginnings of lines --------------------------------------------------------------------

    def _line_begins(self) -> Iterator[Completion]:
        match self._around.room:
            case Room.TOP:
                header = self._page.program is None or not self._around.has_header
                words = STATEMENTS[:2] if header else STATEMENTS[2:]
                yield from self._words(words)
            case Room.PHASE:
                yield from self._targets(Sort.STATE)
                yield from self._words(IN_PHASE, 1)
            case Room.STEP:
                yield from self._targets(Sort.INNER)
                yield from self._targets(Sort.STATE)
                yield from self._words(IN_LOOP, 1)
            case Room.DEFINITION:
                yield from self._words(IN_DEFINITION)
            case Room.FORMULA:
                yield from self._expression()

    def _targets(self, sort: Sort) -> Iterator[Completion]:
        for symbol in self._page.symbols.values():
            if symbol.sort is sort:
                text = f"{symbol.name} <- "
                yield self._made(symbol.name, sort.value, text, str(symbol.type or ""))

    def _statement_goes_on(self, before: str) -> Iterator[Completion]:
        """Between the word of a statement and its value: a type, a bound, `per phase`."""
        word = self._around.first
        if _RANDOM.search(before):
            for name, words in RANDOM_STARTS.items():
                yield self._made(name, "random start", name, about=words)
        elif word == "minimize" and "over" not in before.split():
            yield self._made("over", "keyword", "over ")
        elif word in ("minimize", "measure"):
            sort = Sort.STATE if word == "minimize" else Sort.INPUT
            for symbol in self._page.symbols.values():
                if symbol.sort is sort:
                    yield self._made(symbol.name, sort.value, symbol.name, str(symbol.type or ""))
        elif _TYPE.search(before) or _SPACE_OF_A_MAP.search(before):
            yield from self._types(is_state=word in ("state", "loss", "minimize"))
        elif _STEP.search(before):
            yield from self._layers()
        elif _DECLARES.match(before) and word in ("fixed", "learnable", "input"):
            yield from self._words(BEHIND_TYPES)

    def _types(self, *, is_state: bool) -> Iterator[Completion]:
        yield from self._words(SPACES.values(), sort="space")
        words = IN_TYPES[:1] if is_state else IN_TYPES
        yield from self._words(words, 1)
        if not is_state:
            yield from self._layers(2)

    def _layers(self, rank: int = 0) -> Iterator[Completion]:
        for kind in KINDS.values():
            open_ = kind.name + ("[$1]" if layer_signature(kind) != kind.name else "")
            about = f"```unroll\n{layer_signature(kind)}\n```"
            yield self._made(kind.name, "layer", open_, layer_signature(kind), about, rank)
        for name in ACTIVATIONS:
            yield self._made(name, "activation", name, rank=rank)
        for symbol in self._page.symbols.values():
            if symbol.sort is Sort.BLOCK:
                yield self._made(symbol.name, symbol.sort.value, symbol.name, rank=rank)

    # ---- brackets -------------------------------------------------------------------------------

    def _in_brackets(self, opened: str) -> Iterator[Completion]:
        """Within the innermost bracket that is open, behind the word that stands before it."""
        keyword = _KEYWORD.search(self._before)
        record = lookup(opened)
        kind = KINDS.get(opened)
        if keyword is not None and (record is not None or kind is not None):
            words = _words_of(record, keyword.group(1))
            if keyword.group(1) == "padding" and not words:
                words = PADDINGS
            for word in words:
                yield self._made(word, "word", word)
            if words:
                return
        if kind is not None and self._around.square:
            for word in kind.flags:
                yield self._made(word, "option", word)
            for word in (*kind.options, *(("padding",) if opened == "conv" else ())):
                yield self._made(f"{word}=", "option", f"{word}=")
            yield from self._sizes()
            return
        if self._around.square and self._around.in_type:
            yield from self._sizes()
            return
        if record is not None:
            for parameter in record.parameters:
                if parameter.optional or parameter.default is not None:
                    text = f"{parameter.name}="
                    yield self._made(text, "option", text, _default(parameter))
        if opened == "solve":
            for word in ("tolerance=", "iterations="):
                yield self._made(word, "option", word)
        if self._around.first == "loss" and self._around.room is Room.TOP:
            if _TYPE.search(self._before):
                yield from self._types(is_state=True)
            return
        yield from self._expression()

    def _sizes(self) -> Iterator[Completion]:
        for referent in self._seen():
            if referent.sort in (Sort.DIMENSION.value, SIZE):
                yield self._made(referent.name, referent.sort, referent.name)

    # ---- expressions ----------------------------------------------------------------------------

    def _expression(self) -> Iterator[Completion]:
        place = self._around.place
        for referent in self._seen():
            detail = shown_type(self._page, referent) or ""
            yield self._made(referent.name, referent.sort, referent.name, detail)
        for symbol in self._page.symbols.values():
            if symbol.sort in (Sort.DEFINITION, Sort.BLOCK):
                yield self._made(symbol.name, symbol.sort.value, f"{symbol.name}($1)", rank=1)
        for name, entry in manual().items():
            record = lookup(name)
            bare = isinstance(record, LinearOperator) and entry.signature == name
            text = name if bare else f"{name}($1)"
            sort = "linear map" if isinstance(record, LinearOperator) else "function"
            if name == "prev" and place is not Place.PHASE:
                continue
            about = described_entry(entry)
            yield self._made(name, sort, text, entry.signature, about, 2)
        for name, words in CONSTANTS.items():
            if name != "k" or place not in COUNTER_REFUSED:
                yield self._made(name, "constant", name, about=words, rank=3)
        yield from self._words(OPERATORS, 4)
        if place is Place.LOSS:
            yield from self._words(IN_LOSS, 1)

    def _seen(self) -> Iterator[Referent]:
        """The names that can be read here, those of this place first."""
        place = self._around.place
        yield from self._around.local
        if place in BODIES:
            return
        for symbol in self._page.symbols.values():
            is_seen = place in SEEN.get(symbol.sort, frozenset())
            above = symbol.span.start < self._around.line_start and place is Place.PHASE
            inner = symbol.sort in (Sort.LOCAL, Sort.INNER) and above
            if is_seen or inner or (symbol.sort is Sort.TRACE and place is Place.LOSS):
                yield Referent(
                    symbol.name, symbol.sort.value, symbol.span, symbol.definer, value=symbol.value
                )
        if place is Place.MEASURE:
            yield Referent(NOISE, "white noise", None)
        for name in self._page.names:
            sort = name.referent.sort
            late = (OUTPUT, Sort.TARGET.value) if place is Place.LOSS else (Sort.TARGET.value,)
            if (name.declares and place in (Place.LOSS, Place.MEASURE) and sort in late) or (
                sort == Sort.VARIABLE.value and name.declares and place is Place.OBJECTIVE
            ):
                yield name.referent

    # ---- making them ----------------------------------------------------------------------------

    def _words(
        self, words: Iterable[Word], rank: int = 0, sort: str = "keyword"
    ) -> Iterator[Completion]:
        for word in words:
            yield self._made(
                word.text, sort, word.snippet or f"{word.text} ", about=word.meaning, rank=rank
            )

    def _made(
        self, label: str, sort: str, insert: str, detail: str = "", about: str = "", rank: int = 0
    ) -> Completion:
        return Completion(
            label, sort, self._around.word, insert, detail, about, "$" in insert, rank
        )


def _words_of(record: Function | LinearOperator | None, keyword: str) -> tuple[str, ...]:
    for parameter in () if record is None else record.parameters:
        if parameter.name == keyword:
            return parameter.words
    return ()


def _default(parameter: Parameter) -> str:
    return "" if parameter.default is None else f"{parameter.default} by default"
