"""Every place of a page where a name stands, and what it stands for there.

The tree is walked by the rules of visibility: a `def` sees its parameters and functions, a loss its targets, the
names of outputs and all of the page. What has mistakes in it is walked as far as there is a tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import assert_never

from unroll_dsl.driver import prelude
from unroll_dsl.operators.random_init import RANDOM
from unroll_dsl.operators.registry import written
from unroll_dsl.semantics.layers import ACTIVATIONS
from unroll_dsl.semantics.model import Sort, TypedProgram
from unroll_dsl.semantics.scopes import NOISE, RESERVED
from unroll_dsl.source import Span
from unroll_dsl.syntax import nodes as n
from unroll_dsl.types.steps import KINDS

SPACES = ("scalar", "vector", "matrix", "tensor", "image", "mask")
CONSTANTS: Mapping[str, str] = {
    "I": "The identity map, on every space.",
    "pi": "The ratio of a circle's circumference to its diameter.",
    "k": "The number of the phase, from 1.",
}


@dataclass(frozen=True, slots=True, eq=False)
class Referent:
    """What a name stands for. `sort` in words; `span` is where it is declared, None of what the language brings;
    `definer` the node that declares it; `within` the statement that alone sees it, None of a name of the page."""

    name: str
    sort: str
    span: Span | None
    definer: object = None
    within: Span | None = None
    value: n.Expr | None = None  # of which it has its type
    type: n.SpaceType | None = None  # or where that is written

    @property
    def is_own(self) -> bool:
        """Whether the page itself declares it."""
        return self.span is not None and self.sort != LIBRARY


LIBRARY = "function of the library"
OUTPUT = "output"
SIZE = "size of a block"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A name at a place; `declares` where that is its declaration, `writes` where it is given a value."""

    span: Span
    referent: Referent
    declares: bool = False
    writes: bool = False


def occurrences(typed: TypedProgram) -> tuple[Occurrence, ...]:
    """Every name of a page that stands for something, in the order of the text."""
    found: dict[tuple[int, int], Occurrence] = {}
    for each in _Walk(typed).run():
        key = each.span.start, each.span.end
        if each.span.file is typed.program.file and key not in found:
            found[key] = each
    return tuple(found[key] for key in sorted(found))


_Seen = Mapping[str, Referent]


class _Walk:
    def __init__(self, typed: TypedProgram) -> None:
        self._program = typed.program
        self._own = {
            s.name: Referent(s.name, s.sort.value, s.span, s.definer, value=_value(s.definer))
            for s in typed.symbols.values()
        }
        callable_ = (Sort.DEFINITION.value, Sort.BLOCK.value)
        self._functions = {k: b for k, b in self._own.items() if b.sort in callable_}
        self._prelude = {
            s.name.text: Referent(s.name.text, LIBRARY, s.name.span, s)
            for s in prelude().statements
            if isinstance(s, n.Definition)
        }
        self._late: dict[str, Referent] = {}  # outputs with names, variables of a problem, targets

    def run(self) -> Iterator[Occurrence]:
        # what a loss and `measure` lines read is declared by other statements, above or below
        order = sorted(self._program.statements, key=lambda s: isinstance(s, n.Loss | n.Measure))
        order.sort(key=lambda s: isinstance(s, n.Measure))
        for statement in order:
            yield from self._statement(statement)

    # ---- statements -----------------------------------------------------------------------------

    def _statement(self, statement: n.Statement) -> Iterator[Occurrence]:
        own = self._own
        match statement:
            case n.Dims(dimensions):
                for dimension in dimensions:
                    yield from self._declared(dimension.name)
                    yield from self._optional(dimension.default, own)
            case n.Declaration():
                yield from self._declaration(statement)
            case n.Let(name, value):
                yield from self._declared(name)
                yield from self._expr(value, own)
            case n.State():
                yield from self._state(statement)
            case n.Phase(count, body):
                yield from self._optional(count, own)
                yield from self._lines(body)
            case n.Output(values, names):
                for called, value in zip(names, values, strict=True):
                    yield from self._expr(value, own)
                    if called is not None:
                        yield self._new(called, OUTPUT, statement, None, value=value)
            case n.Minimize():
                yield from self._minimize(statement)
            case n.Loss(targets, body):
                for target in targets:
                    sort = Sort.TARGET.value
                    yield self._new(target.name, sort, target, None, type_=target.type)
                    yield from self._type(target.type, own)
                yield from self._expr(body, {**own, **self._late})
            case n.Measure(name, value):
                yield from self._name(name, {**own, **self._late}, writes=True)
                noise = Referent(NOISE, "white noise", None)
                yield from self._expr(value, {NOISE: noise, **own, **self._late})
            case n.Definition() | n.BlockDefinition():
                yield from self._definition(statement)
            case _:
                assert_never(statement)

    def _declared(self, name: n.Name) -> Iterator[Occurrence]:
        """A name of the page where a statement declares it; also where it does so again."""
        referent = self._own.get(name.text)
        if referent is not None:
            yield Occurrence(name.span, referent, declares=True, writes=True)

    def _new(
        self,
        name: n.Name,
        sort: str,
        definer: object,
        within: Span | None,
        value: n.Expr | None = None,
        type_: n.SpaceType | None = None,
    ) -> Occurrence:
        """A name that the last blocks declare; one of the page stands before it."""
        referent = self._own.get(name.text) or self._late.get(name.text)
        if referent is None:
            referent = Referent(name.text, sort, name.span, definer, within, value, type_)
            self._late[name.text] = referent
        return Occurrence(name.span, referent, declares=referent.span == name.span)

    def _declaration(self, statement: n.Declaration) -> Iterator[Occurrence]:
        for name in statement.names:
            yield from self._declared(name)
        yield from self._type(statement.type, self._own)
        if statement.bounds is not None:
            yield from self._optional(statement.bounds.lower, self._own)
            yield from self._optional(statement.bounds.upper, self._own)
        match statement.value:
            case n.RandomInit(name, arguments):
                if name.text in RANDOM:
                    yield Occurrence(name.span, Referent(name.text, "random start", None))
                yield from self._arguments(arguments, self._own)
            case value:
                yield from self._optional(value, self._own)

    def _state(self, statement: n.State) -> Iterator[Occurrence]:
        for name in statement.names:
            yield from self._declared(name)
        yield from self._type(statement.type, self._own)
        yield from self._optional(statement.value, self._own)

    def _lines(self, body: Iterable[n.PhaseStatement | n.StepStatement]) -> Iterator[Occurrence]:
        for line in body:
            match line:
                case n.Update(target, value):
                    yield from self._name(target, self._own, writes=True)
                    yield from self._expr(value, self._own)
                case n.Local(name, value) | n.Trace(name, value):
                    yield from self._declared(name)
                    yield from self._expr(value, self._own)
                case n.State():
                    yield from self._state(line)
                case n.Repeat(count, steps):
                    yield from self._expr(count, self._own)
                    yield from self._lines(steps)
                case _:
                    assert_never(line)

    def _minimize(self, statement: n.Minimize) -> Iterator[Occurrence]:
        seen = dict(self._own)
        problem = self._program.kind == "problem"
        for variable in statement.variables:
            name, word = variable.name, variable.name.text
            if word in self._own or variable.type is None:
                yield from self._name(name, self._own)
            else:
                within = None if problem else statement.span
                sort = Sort.VARIABLE.value
                seen[word] = Referent(word, sort, name.span, variable, within, type=variable.type)
                yield Occurrence(name.span, seen[word], declares=True)
                if problem:
                    self._late[word] = seen[word]
            yield from self._type(variable.type, self._own)
        yield from self._expr(statement.body, seen)

    def _definition(self, statement: n.Definition | n.BlockDefinition) -> Iterator[Occurrence]:
        yield from self._declared(statement.name)
        inner = dict(self._functions)
        sizes = statement.sizes if isinstance(statement, n.BlockDefinition) else ()
        given = [(size, SIZE, statement) for size in sizes]
        given += [(p.name, Sort.ARGUMENT.value, statement) for p in statement.parameters]
        for name, sort, definer in given:
            inner[name.text] = Referent(name.text, sort, name.span, definer, whole(statement))
            yield Occurrence(name.span, inner[name.text], declares=True)
        for local in statement.locals:
            yield from self._expr(local.value, inner)
            word = local.name.text
            first = word not in inner or inner[word] is self._functions.get(word)
            if first:
                inner[word] = Referent(
                    word, Sort.LOCAL.value, local.name.span, local, whole(statement)
                )
            yield Occurrence(local.name.span, inner[word], declares=first, writes=True)
        yield from self._expr(statement.value, inner)

    # ---- expressions ----------------------------------------------------------------------------

    def _optional(self, expr: n.Expr | None, seen: _Seen) -> Iterator[Occurrence]:
        if expr is not None:
            yield from self._expr(expr, seen)

    def _expr(self, expr: n.Expr, seen: _Seen) -> Iterator[Occurrence]:
        match expr:
            case n.Name():
                yield from self._name(expr, seen)
            case n.Number():
                return
            case n.Unary(_, operand) | n.Adjoint(operand) | n.PhaseSum(operand):
                yield from self._expr(operand, seen)
            case n.Binary(_, left, right):
                yield from self._expr(left, seen)
                yield from self._expr(right, seen)
            case n.Call(n.Name(n.ENTRIES | n.LIST), arguments):
                for argument in arguments:
                    yield from self._expr(argument.value, seen)
            case n.Call(function, arguments):
                yield from self._expr(function, seen)
                yield from self._arguments(arguments, seen)
            case n.Chain(steps):
                yield from self._steps(steps, seen)
            case _:
                assert_never(expr)

    def _arguments(self, arguments: Iterable[n.Argument], seen: _Seen) -> Iterator[Occurrence]:
        for argument in arguments:
            yield from self._expr(argument.value, seen)

    def _name(self, name: n.Name, seen: _Seen, *, writes: bool = False) -> Iterator[Occurrence]:
        referent = seen.get(name.text) or self._library(name.text)
        if referent is not None and name.text != n.IMAGINARY_UNIT:
            yield Occurrence(name.span, referent, writes=writes)

    def _library(self, word: str) -> Referent | None:
        if word in self._prelude:
            return self._prelude[word]
        if word in CONSTANTS:
            return Referent(word, "constant", None)
        if written(word) is not None or word in RESERVED or word in ACTIVATIONS:
            return Referent(word, LIBRARY, None)
        return Referent(word, "layer", None) if word in KINDS else None

    # ---- types ----------------------------------------------------------------------------------

    def _type(self, type_: n.TypeExpr | None, seen: _Seen) -> Iterator[Occurrence]:
        match type_:
            case None:
                return
            case n.SpaceType(kind, dims):
                if kind.text in self._functions:
                    yield Occurrence(kind.span, self._functions[kind.text])
                elif kind.text in SPACES:
                    yield Occurrence(kind.span, Referent(kind.text, "space", None))
                for dim in dims:
                    yield from self._expr(dim, seen)
            case n.LinearType(domain, codomain):
                yield from self._type(domain, seen)
                yield from self._type(codomain, seen)
            case n.ComposedType(steps):
                yield from self._steps(steps, seen)
            case _:
                yield from self._steps((type_,), seen)

    def _steps(self, steps: Iterable[n.StepType], seen: _Seen) -> Iterator[Occurrence]:
        for step in steps:
            match step:
                case n.Name():
                    yield from self._name(step, seen)
                case n.NetworkType(domains, codomain):
                    for space in (*domains, codomain):
                        yield from self._type(space, seen)
                case n.ConvType(channels_in, channels_out, size):
                    for expr in (channels_in, channels_out, size):
                        yield from self._expr(expr, seen)
                case n.LayerType(kind, channels, _, _):
                    yield from self._name(kind, seen)
                    own = kind.text in self._functions
                    sizes = step.sizes if own else step.numbers
                    for expr in (*(channels or ()), *sizes):
                        yield from self._expr(expr, seen)
                case n.RepeatedType(inner, _):
                    yield from self._steps(inner, seen)
                case _:
                    assert_never(step)


def whole(definition: n.Definition | n.BlockDefinition) -> Span:
    """All lines of a definition: its own span is that of its head."""
    return definition.span.to(definition.value.span)


def _value(definer: object) -> n.Expr | None:
    match definer:
        case n.Let(_, value) | n.Local(_, value) | n.Trace(_, value):
            return value
        case _:
            return None
