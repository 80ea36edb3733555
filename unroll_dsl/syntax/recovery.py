"""Logical lines to statements, going on after errors.

A line that the grammar refuses is reported, a harmless line of the same kind takes its place, and
the machine goes on from where the line began: all errors of a file in one pass. The stand-ins are
taken out of the tree at the end, and every name in a broken line is remembered, so that later
stages do not report as unknown what such a line may have declared.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.source import Span
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax import reports as e
from unroll_dsl.syntax.blocks import Block, Place, grouped, opening_word
from unroll_dsl.syntax.builder import ACTIONS, OverLimit, Unit
from unroll_dsl.syntax.engine import Machine
from unroll_dsl.syntax.parse_tables import Tables
from unroll_dsl.syntax.tokens import (
    DEDENT,
    END,
    INDENT,
    LINE_END,
    NAME,
    NUMBER,
    RESERVED,
    Line,
    Token,
)

MAX_ERRORS = 20
L = TypeVar("L", n.PhaseStatement, n.StepStatement)

# What takes the place of a broken line: the head of a block, a line in it, its last line.
_HEADS = {
    Place.PHASE: ("phase", ":"),
    Place.FORMULA: ("loss", ":"),
    Place.DEFINITION: ("def", "_", "(", ")", ":"),
    Place.STEP: ("repeat", "(", "1", ")", ":"),
}
_LINES = {
    Place.TOP: (),
    Place.PHASE: ("_", "=", "0"),
    Place.FORMULA: ("0",),
    Place.DEFINITION: ("_", "=", "0"),
    Place.STEP: ("_", "=", "0"),
}
_RETURN = ("return", "0")


@dataclass(frozen=True, slots=True)
class Reading:
    """What could be read, what is wrong, and the names that the broken lines mention."""

    unit: Unit
    diagnostics: tuple[Diagnostic, ...]
    poisoned: frozenset[str]


def read(lines: Sequence[Line], tables: Tables, rest: Span) -> Reading:
    """Parse the logical lines of one file; `rest` is what the lexer left of it, mostly nothing."""
    reader = _Reader(tables)
    for block in grouped(lines):
        reader.block(block)
    return reader.finish(rest)


class _Reader:
    def __init__(self, tables: Tables) -> None:
        self._words = tables.words
        self._kinds = (
            {text: name for name, text in tables.marks} | tables.words | {"0": NUMBER, "1": NUMBER}
        )
        self._spellings = {name: text for text, name in self._kinds.items() if name != NUMBER}
        self._spellings |= {
            "PER_PHASE": "per phase",
            "PER_STEP": "per step",
            "SUM_OVER_PHASES": "sum over phases",
        }
        self._machine = Machine(tables, ACTIONS)
        self._found: list[Diagnostic] = []
        self._stopped = False
        self._poisoned: set[str] = set()
        self._dropped: set[int] = set()  # offsets at which what does not count begins

    def finish(self, rest: Span) -> Reading:
        unit = self._machine.finish(Token(END, "", rest))
        if rest.text:
            self._stop(rest)
            self._poisoned.update(re.findall(r"[^\W\d]\w*", rest.text))
        if not isinstance(unit, Unit):
            raise InternalError("the start rule makes no unit")
        kept = tuple(
            self._without_stand_ins(statement)
            for statement in unit.statements
            if statement.span.start not in self._dropped
        )
        return Reading(
            replace(unit, statements=kept), tuple(self._found), frozenset(self._poisoned)
        )

    def _without_stand_ins(self, statement: n.Statement) -> n.Statement:
        match statement:
            case n.Phase(body=body) if self._dropped:
                kept = tuple(
                    replace(line, body=self._kept(line.body))
                    if isinstance(line, n.Repeat)
                    else line
                    for line in self._kept(body)
                )
                return replace(statement, body=kept)
            case _:
                return statement

    def _kept(self, lines: tuple[L, ...]) -> tuple[L, ...]:
        return tuple(line for line in lines if line.span.start not in self._dropped)

    # ---- blocks ---------------------------------------------------------------------------------

    def block(self, block: Block) -> None:
        """Read a statement with the lines that belong to it."""
        if len(self._found) >= MAX_ERRORS:
            self._skip(block)
            return
        self._found.extend(block.problems[:MAX_ERRORS])
        before = self._machine.whole()
        self._block(block)
        if self._found and not self._machine.may_take(END):  # a block where the grammar has none
            self._machine.restore(before)
            self._forget(block)

    def _block(self, block: Block) -> None:
        if block.place is Place.TOP:
            self._line(block.head, Place.TOP, ())
            return
        self._opened(block, Place.TOP)

    def _opened(self, block: Block, around: Place) -> None:
        """A block that stands in the lines of `around`."""
        if not self._line(block.head, around, _HEADS[block.place]):
            self._forget(block)
        span = block.head.end.span
        self._stand_in((INDENT,), span)
        is_read = not block.problems
        for line in block.body:
            if isinstance(line, Block):
                self._found.extend(line.problems[:MAX_ERRORS])
                self._opened(line, block.place)
                continue
            is_read = self._line(line, block.place, _LINES[block.place])
            if not is_read:
                self._dropped.add(line.first.span.start)
                self._forget(block)
        self._end(block, span, is_read)

    def _end(self, block: Block, span: Span, is_read: bool) -> None:
        match block.place:
            case Place.DEFINITION if not self._machine.may_take(DEDENT):
                if is_read:
                    self._found.append(e.MissingReturn(block.last.span))
                self._forget(block)
                self._stand_in(_RETURN, span)
            case place if not block.body:
                self._forget(block)
                self._dropped.add(span.start)
                self._stand_in(_LINES[place], span)
        self._stand_in((DEDENT,), span)

    def _forget(self, block: Block) -> None:
        """Leave a statement out of the tree; of a broken phase the lines are still of use."""
        if block.place not in (Place.PHASE, Place.STEP):
            self._dropped.add(block.head.first.span.start)
            self._poison(block.head)

    def _skip(self, block: Block) -> None:
        """After too many errors: only remember the names."""
        self._stop(block.head.first.span)
        for line in block.lines():
            self._poison(line)

    def _stop(self, span: Span) -> None:
        if not self._stopped:
            self._found.append(e.TooManyErrors(Span(span.file, span.start, span.start), MAX_ERRORS))
            self._stopped = True

    # ---- lines ----------------------------------------------------------------------------------

    def _line(self, line: Line, place: Place, stand_in: tuple[str, ...]) -> bool:
        """Feed a line; where it is refused, report it and feed its stand-in."""
        problem = line.problem or self._feed(line, place)
        if problem is None:
            return True
        self._found.append(problem)
        self._poison(line)
        if stand_in and self._machine.may_take(self._token(stand_in[0], line.span).kind):
            self._stand_in(stand_in, line.span)
        return False

    def _feed(self, line: Line, place: Place) -> Diagnostic | None:
        mark = None
        for index, token in enumerate(line.tokens):
            taken = self._resolved(token, index, line, place)
            try:
                accepted = self._machine.feed(taken)
            except OverLimit as refused:
                problem: Diagnostic | None = refused.diagnostic
            else:
                problem = None if accepted else self._diagnose(line, index, place)
            if problem is not None:
                if mark is not None:
                    self._machine.restore(mark)
                return problem
            if mark is None:
                mark = self._machine.mark()
        return None

    def _diagnose(self, line: Line, index: int, place: Place) -> Diagnostic:
        from unroll_dsl.syntax.diagnosis import diagnose  # as `reports`: where it is needed
        from unroll_dsl.syntax.failure import Failure

        accepted = self._machine.accepts()
        texts = frozenset(self._spellings.get(kind, kind) for kind in accepted)
        return diagnose(Failure(line, index, place, texts))

    def _resolved(self, token: Token, index: int, line: Line, place: Place) -> Token:
        """The token, as a keyword if it is one here."""
        keyword = self._words.get(token.text) if token.kind == NAME else None
        if keyword is None:
            return token
        if token.text not in RESERVED:
            names_something = index == 0 and line.tokens[1].text in ("=", "<-", ",")
            if (names_something and place is not Place.TOP) or not self._machine.may_take(keyword):
                return token
        return replace(token, kind=keyword)

    def _stand_in(self, texts: tuple[str, ...], span: Span) -> None:
        tokens = [self._token(text, span) for text in texts]
        if texts not in ((INDENT,), (DEDENT,)):
            tokens.append(Token(LINE_END, "", span))
        for token in tokens:
            if not self._machine.feed(token):
                raise InternalError(f"the stand-in {texts} is refused at {span}")

    def _token(self, text: str, span: Span) -> Token:
        kind = text if text in (INDENT, DEDENT) else self._kinds.get(text, NAME)
        return Token(kind, text, span)

    def _poison(self, line: Line) -> None:
        self._poisoned.update(token.text for token in line.tokens if token.kind == NAME)
        if word := opening_word(line):
            self._poisoned.add(word)
