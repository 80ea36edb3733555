"""The LALR machine: tokens in, what the builder makes of them out.

It differs from a textbook's in one thing: it can be put back to the start of a line, which is how a
file with many errors is read in a single pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.source import Span
from unroll_dsl.syntax.parse_tables import Tables
from unroll_dsl.syntax.tokens import END, Token


class Placed(Protocol):
    """What the machine carries: tokens, nodes, and what the builder makes on the way to them."""

    @property
    def span(self) -> Span: ...


Action = Callable[[list[Placed]], Placed]
Value = Placed | list[Placed]  # a list while a repetition (`x*`) grows


@dataclass(frozen=True, slots=True)
class LineStart:
    """Where the machine stood before the first token of a line."""

    states: tuple[int, ...]
    values: tuple[Value, ...]


class Machine:
    """A stack of states and one of values, driven by the tables.

    Parameters
    ----------
    tables
        What to do in each state.
    actions
        By the name of a rule, what to make of its parts. Rules that repeat (`x*`) need none.
    """

    def __init__(self, tables: Tables, actions: Mapping[str, Action]) -> None:
        self._tables = tables
        self._actions = actions
        self._states = [tables.start]
        self._before = self._states  # the states in which the last token came
        self._values: list[Value] = []

    def feed(self, token: Token) -> bool:
        """Take one token; False where the grammar has no place for it."""
        self._before = self._states.copy()
        while True:
            action = self._tables.states[self._states[-1]].get(token.kind)
            if action is None:
                return False
            if action >= 0:
                self._states.append(action)
                self._values.append(token)
                return True
            self._reduce(-action - 1)

    def finish(self, end: Token) -> Value:
        """Close the program and return what its start rule made."""
        while self._states[-1] != self._tables.end:
            action = self._tables.states[self._states[-1]].get(end.kind)
            if action is None or action >= 0:
                raise InternalError(f"the program does not end after {end.span}")
            self._reduce(-action - 1)
        return self._values[-1]

    def _reduce(self, index: int) -> None:
        rule = self._tables.rules[index]
        if rule.inlined and rule.size == 1:  # most reductions: the ladder of precedences
            self._states.pop()
            self._states.append(self._tables.states[self._states[-1]][rule.origin])
            return
        parts: list[Value] = []
        if rule.size:
            parts = self._values[-rule.size :]
            del self._values[-rule.size :]
            del self._states[-rule.size :]
        value = _extended(parts) if rule.spliced else self._actions[rule.name](_flat(parts))
        self._states.append(self._tables.states[self._states[-1]][rule.origin])
        self._values.append(value)

    def mark(self) -> LineStart:
        """The place before the token that was taken last."""
        return LineStart(tuple(self._states[:-1]), tuple(self._values[:-1]))

    def whole(self) -> LineStart:
        """The place behind the token that was taken last."""
        return LineStart(tuple(self._states), tuple(self._values))

    def restore(self, mark: LineStart) -> None:
        self._states = list(mark.states)
        self._values = list(mark.values)

    def may_take(self, kind: str) -> bool:
        """Whether a terminal may come next (in rare states: may after a reduction)."""
        return kind in self._tables.states[self._states[-1]]

    def accepts(self) -> frozenset[str]:
        """The terminals that could have come in place of the last token, if that was refused.

        Slow: for error messages. An LALR machine may reduce before it refuses, so the answer is
        that of the states before.
        """
        table = self._tables.states[self._before[-1]]
        return frozenset(kind for kind in table if self._accepts(kind))

    def _accepts(self, kind: str) -> bool:
        if not (kind.isupper() or kind == END):
            return False
        states = self._before.copy()
        while True:
            action = self._tables.states[states[-1]].get(kind)
            if action is None:
                return False
            if action >= 0:
                return True
            rule = self._tables.rules[-action - 1]
            if rule.size:
                del states[-rule.size :]
            states.append(self._tables.states[states[-1]][rule.origin])
            if states[-1] == self._tables.end:
                return kind == END


def _extended(parts: list[Value]) -> list[Placed]:
    """One step of a repetition, which Lark writes left recursive: `xs: x | xs x`.

    The list grows in place. A mark is only ever taken when the lines before it have been reduced,
    so what it holds does not change.
    """
    grown: list[Placed] = []
    for part in parts:
        if not isinstance(part, list):
            grown.append(part)
        elif grown:
            grown.extend(part)
        else:
            grown = part
    return grown


def _flat(parts: list[Value]) -> list[Placed]:
    """The parts, with those of a repetition in line."""
    flat: list[Placed] = []
    for part in parts:
        if isinstance(part, list):
            flat.extend(part)
        else:
            flat.append(part)
    return flat
