"""Which names are seen where, and what a value depends on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import assert_never

from unroll_dsl.diagnostics.model import MOST_ERRORS, Diagnostic
from unroll_dsl.semantics.errors import Mention
from unroll_dsl.semantics.model import Resolved, Sort, Symbol
from unroll_dsl.source import Span
from unroll_dsl.syntax.nodes import (
    Adjoint,
    Binary,
    Call,
    Chain,
    Definition,
    Expr,
    Let,
    Name,
    Number,
    PhaseSum,
    Unary,
)
from unroll_dsl.types import Dim, Layer, Type

RESERVED: Mapping[str, str] = {
    "I": "the identity",
    "k": "the number of the phase",
    "prev": "the value of a state as the phase began",
    "solve": "the solution of a linear system",
    "norm": "the norm of a vector or a matrix",
    "diag": "a diagonal map",
    "split": "a layer on real and imaginary parts",
    "size": "the number of entries",
}

NOISE = "noise"  # white Gaussian noise in a `measure` line; a name like any other elsewhere


class Place(Enum):
    """Where an expression stands, in the words of the messages."""

    LET = "a `let`"
    INITIAL = "a classical value"
    BOUND = "a constraint"
    START = "the start of a state"
    PHASE = "the phase"
    OUTPUT = "`output`"
    OBJECTIVE = "the objective"
    LOSS = "the loss"
    MEASURE = "a `measure` line"
    PHASE_SUM = "`sum over phases`"
    DEFINITION = "a function"
    BLOCK = "a block"


BODIES = frozenset(
    {Place.DEFINITION, Place.BLOCK}
)  # they see their parameters, and nothing of the page


@dataclass(frozen=True, slots=True)
class Within:
    """What the body of a block sees besides its parameters: its sizes, and its layers where they are written."""

    name: str
    sizes: Mapping[str, Dim]
    layers: Mapping[Expr, Layer]


@dataclass(slots=True)
class Context:
    """What an expression can see. `local` maps names of this place to types; it is extended line
    by line in a phase. `types` and `calls` receive what is found out."""

    place: Place
    types: dict[Expr, Type]
    calls: dict[Call, Resolved]
    local: dict[str, Type] = field(default_factory=dict)
    local_spans: dict[str, Span] = field(default_factory=dict)
    traces: dict[str, Type] = field(default_factory=dict)  # seen under `sum over phases`
    stack: tuple[Definition, ...] = ()
    in_step: bool = False  # within an inner loop
    block: Within | None = None


def sizes_seen(context: Context, symbols: Mapping[str, Symbol]) -> dict[str, Dim]:
    """The names that are sizes where an expression stands, and what they are."""
    if context.block is not None:
        return dict(context.block.sizes)
    if context.place in BODIES:
        return {}
    return {s.name: Dim.of(s.name) for s in symbols.values() if s.sort is Sort.DIMENSION}


class Enough(Exception):
    """There are errors enough."""


@dataclass(slots=True)
class Reporter:
    """Collects diagnostics; one at the same place with the same code is enough.

    Raises `Enough` when there are as many errors as anybody reads: each name that is not there is held
    against all that are, so that a text of nothing but mistakes would take minutes.
    """

    diagnostics: list[Diagnostic] = field(default_factory=list)
    _seen: set[tuple[str, object]] = field(default_factory=set)
    _errors: int = 0

    def report(self, diagnostic: Diagnostic) -> None:
        labels = diagnostic.labels()
        key = (diagnostic.code, labels[0].span if labels else diagnostic.message())
        if key not in self._seen:
            self._seen.add(key)
            self.diagnostics.append(diagnostic)
            self._errors += diagnostic.is_error
            if self._errors >= MOST_ERRORS:
                raise Enough


def names_in(expr: Expr, *, sums: bool = True) -> Iterator[Name]:
    """Every name that is read in an expression, functions and keywords' values included; without
    `sums`, not what stands under `sum over phases`."""
    match expr:
        case Name():
            yield expr
        case Number() | Chain():
            return
        case Unary(_, operand) | Adjoint(operand):
            yield from names_in(operand, sums=sums)
        case Binary(_, left, right):
            yield from names_in(left, sums=sums)
            yield from names_in(right, sums=sums)
        case Call(function, arguments):
            yield from names_in(function, sums=sums)
            for argument in arguments:
                yield from names_in(argument.value, sums=sums)
        case PhaseSum(body):
            if sums:
                yield from names_in(body)
        case _:
            assert_never(expr)


@dataclass(frozen=True, slots=True)
class Dependence:
    """The first name, if any, by which a value depends on each kind of thing."""

    input: Mention | None = None
    learnable: Mention | None = None
    phase: Mention | None = None


class Dependences:
    """What expressions depend on, through lets. Ask for lets in an order in which each comes after
    those that it reads: then no chain of them is long."""

    def __init__(self, symbols: Mapping[str, Symbol]) -> None:
        self._symbols = symbols
        self._lets: dict[str, Dependence] = {}

    def leave_out(self, name: str) -> None:
        """Take a let for one that depends on nothing: one on a cycle, which is reported elsewhere."""
        self._lets[name] = Dependence()

    def of(self, expr: Expr) -> Dependence:
        found: dict[str, Mention | None] = {"input": None, "learnable": None, "phase": None}
        for name in names_in(expr):
            for kind, cause in self._name(name).items():
                found[kind] = found[kind] or cause
        return Dependence(**found)

    def _name(self, name: Name) -> dict[str, Mention]:
        if name.text == "k" and "k" not in self._symbols:
            return {"phase": Mention("k", name.span, "phase number", None)}
        symbol = self._symbols.get(name.text)
        if symbol is None:
            return {}
        cause = Mention(name.text, name.span, symbol.sort.value, symbol.span)
        match symbol.sort:
            case Sort.INPUT:
                return {"input": cause}
            case Sort.LEARNABLE if symbol.per_phase:
                return {"phase": cause, "learnable": cause}
            case Sort.LEARNABLE:
                return {"learnable": cause}
            case Sort.FIXED if symbol.per_phase:
                return {"phase": cause}
            case Sort.STATE | Sort.INNER | Sort.LOCAL | Sort.TRACE:
                return {"phase": cause}
            case Sort.LET:
                inner = self._let(symbol)
                kinds = {
                    "input": inner.input,
                    "learnable": inner.learnable,
                    "phase": inner.phase,
                }
                return {kind: cause for kind, why in kinds.items() if why is not None}
            case _:
                return {}

    def _let(self, symbol: Symbol) -> Dependence:
        if symbol.name not in self._lets:
            self._lets[symbol.name] = Dependence()  # a cycle is reported elsewhere
            if isinstance(symbol.definer, Let):
                self._lets[symbol.name] = self.of(symbol.definer.value)
        return self._lets[symbol.name]
