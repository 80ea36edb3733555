"""What the builder makes on the way to nodes, and how it finds its way among parts.

An expression travels as a `Part`, which knows its parentheses (they belong to the places of the
nodes around it) and its depth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.source import Span
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.engine import Placed
from unroll_dsl.syntax.tokens import LINE_END, NAME, Token

T = TypeVar("T")


class OverLimit(Exception):
    """A line that the grammar allows and a limit does not."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        self.diagnostic = diagnostic
        super().__init__(diagnostic.message())


@dataclass(frozen=True, slots=True)
class Part:
    """An expression, its place with the parentheses around it, and the depth of its tree."""

    expr: n.Expr
    span: Span
    depth: int


@dataclass(frozen=True, slots=True)
class Range:
    """`a:b` in square brackets; a side that is not written is None."""

    first: n.Expr | None
    last: n.Expr | None
    span: Span
    depth: int


@dataclass(frozen=True, slots=True)
class Places:
    """What stands in square brackets: sizes of a type, or places of a value."""

    places: tuple[Part | Range, ...]
    span: Span

    @property
    def depth(self) -> int:
        return max(place.depth for place in self.places)


@dataclass(frozen=True, slots=True)
class Names:
    names: tuple[n.Name, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class NamedLines:
    """One line of several names as a line for each."""

    lines: tuple[n.Let | n.Local, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Targets:
    """Targets of a loss that have one type."""

    targets: tuple[n.Parameter, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Arguments:
    arguments: tuple[n.Argument, ...]
    depth: int
    span: Span


@dataclass(frozen=True, slots=True)
class Shared:
    sharing: n.Sharing
    per_step: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Named:
    """An output, and the name that the loss may call it by."""

    name: n.Name | None
    part: Part
    span: Span


@dataclass(frozen=True, slots=True)
class Formulas:
    """What a `def` returns: one formula, or several."""

    parts: tuple[Part, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ObjectiveBody:
    """The objective of `minimize` or `loss`, and the comment of its line.

    `span` is where the head of the statement ends: its place does not cover an indented formula.
    """

    expr: n.Expr
    comment: str
    span: Span


@dataclass(frozen=True, slots=True)
class Header:
    kind: str
    name: n.Name
    comment: str
    span: Span


@dataclass(frozen=True, slots=True)
class Unit:
    """A parsed file, before the stand-ins for broken lines are taken out of it."""

    header: Header | None
    statements: tuple[n.Statement, ...]

    @property
    def span(self) -> Span:
        raise InternalError("a file is not a part of anything")


@dataclass(frozen=True, slots=True)
class Argument:
    node: n.Argument
    depth: int
    span: Span


def name_of(token: Token) -> n.Name:
    return n.Name(token.text, token.span)


def name_in(parts: Sequence[Placed]) -> n.Name:
    """The first name that stands among the parts themselves."""
    for part in parts:
        if isinstance(part, Token) and part.kind == NAME:
            return n.Name(part.text, part.span)
    raise malformed(parts)


def arguments_in(parts: Sequence[Placed]) -> tuple[n.Argument, ...]:
    given = find(parts, Arguments)
    return given.arguments if given else ()


def value_in(parts: Sequence[Placed]) -> n.Expr | None:
    part = find(parts, Part)
    return part.expr if part else None


def comment_of(parts: Sequence[Placed]) -> str:
    return next((part.comment for part in every(parts, Token) if part.kind == LINE_END), "")


def every(parts: Sequence[Placed], kind: type[T]) -> tuple[T, ...]:
    return tuple(part for part in parts if isinstance(part, kind))


def find(parts: Sequence[Placed], kind: type[T]) -> T | None:
    return next((part for part in parts if isinstance(part, kind)), None)


def one(parts: Sequence[Placed], kind: type[T]) -> T:
    found = find(parts, kind)
    if found is None:
        raise malformed(parts)
    return found


def cover(parts: Sequence[Placed]) -> Span:
    return parts[0].span.to(parts[-1].span)


def head(parts: Sequence[Placed]) -> Span:
    """From the first part to the end of its line."""
    last = parts[0]
    for part in parts:
        if isinstance(part, Token) and part.kind == LINE_END:
            break
        last = part
    return parts[0].span.to(last.span)


def malformed(parts: Sequence[Placed]) -> InternalError:
    return InternalError(f"the builder and the grammar disagree: {parts}")
