"""Declared names and their types: what the lines above the phase say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import assert_never

from unroll_dsl.near import near
from unroll_dsl.semantics import errors
from unroll_dsl.semantics.chains import Chains
from unroll_dsl.semantics.layers import ACTIVATIONS
from unroll_dsl.semantics.model import Definer, Sort, Symbol
from unroll_dsl.semantics.named_blocks import NamedBlocks
from unroll_dsl.semantics.scopes import RESERVED, Reporter
from unroll_dsl.semantics.sizes import read_size
from unroll_dsl.source import Span
from unroll_dsl.syntax.expressions import expression_text
from unroll_dsl.syntax.foreign import is_network, kind_instead
from unroll_dsl.syntax.nodes import (
    BlockDefinition,
    ComposedType,
    ConvType,
    Declaration,
    Definition,
    Dimension,
    Dims,
    Expr,
    LayerType,
    Let,
    LinearType,
    Local,
    Loss,
    Measure,
    Minimize,
    Name,
    NetworkType,
    Output,
    Phase,
    PhaseStatement,
    Program,
    Repeat,
    RepeatedType,
    Role,
    Sharing,
    SpaceType,
    State,
    Trace,
    TypeExpr,
    Update,
)
from unroll_dsl.types import (
    UNKNOWN,
    Array,
    Declared,
    Dim,
    Field,
    Form,
    LinearMap,
    Type,
)
from unroll_dsl.types.steps import KINDS

_NETWORK = (
    "say its layers, `conv[1 -> 32, 3] >> relu >> conv[32 -> 1, 3]`, or bind it: "
    "`network image[1, h, w] -> image[1, h, w]`"
)
_KINDS: dict[str, tuple[Form, int | None]] = {
    "scalar": (Form.PLAIN, 0),
    "vector": (Form.PLAIN, 1),
    "matrix": (Form.PLAIN, 2),
    "tensor": (Form.PLAIN, None),
    "image": (Form.IMAGE, 3),
    "mask": (Form.MASK, 2),
}
_ROLES = {Role.INPUT: Sort.INPUT, Role.FIXED: Sort.FIXED, Role.LEARNABLE: Sort.LEARNABLE}


def _in_phase(body: tuple[PhaseStatement, ...]) -> Iterator[tuple[Sort, Name, Definer]]:
    for line in body:
        match line:
            case Local(name):
                yield Sort.LOCAL, name, line
            case Trace(name):
                yield Sort.TRACE, name, line
            case Repeat(_, steps):
                for step in steps:
                    if isinstance(step, Local):
                        yield Sort.LOCAL, step.name, step
                    elif isinstance(step, State):
                        yield from ((Sort.INNER, name, step) for name in step.names)
            case Update():
                pass
            case _:
                assert_never(line)


class Declarations:
    """Collects the names of a program; reports double and reserved ones."""

    def __init__(self, program: Program, reporter: Reporter, blocks: NamedBlocks) -> None:
        self.program = program
        self.reporter = reporter
        self.blocks = blocks.names
        self.chains = Chains(
            self.dim, self.space, blocks.names, blocks.used, program.poisoned, reporter
        )
        self.symbols: dict[str, Symbol] = {}
        self._sizes: Mapping[str, Symbol] | None = None
        self.spaces: dict[SpaceType, Array] = {}

    def collect(self) -> None:
        """Every name of the program, with the type that it is declared with."""
        for sort, name, definer in self._declared():
            self._declare(sort, name, definer)
        for word, symbol in list(self.symbols.items()):
            definer = symbol.definer
            if isinstance(definer, Declaration | State):
                per_phase = (
                    isinstance(definer, Declaration) and definer.sharing is Sharing.PER_PHASE
                )
                self.symbols[word] = Symbol(
                    word, symbol.sort, symbol.span, definer, self.type_of(definer.type), per_phase
                )

    def _declared(self) -> Iterator[tuple[Sort, Name, Definer]]:
        for statement in self.program.statements:
            match statement:
                case Dims(dimensions):
                    for dimension in dimensions:
                        yield Sort.DIMENSION, dimension.name, dimension
                case Declaration(role, names):
                    for name in names:
                        yield _ROLES[role], name, statement
                case Let(name):
                    yield Sort.LET, name, statement
                case State(names):
                    for name in names:
                        yield Sort.STATE, name, statement
                case Definition(name):
                    yield Sort.DEFINITION, name, statement
                case BlockDefinition(name):
                    yield Sort.BLOCK, name, statement
                case Phase(_, body):
                    yield from _in_phase(body)
                case Output() | Minimize() | Loss() | Measure():
                    pass
                case _:
                    assert_never(statement)

    def _declare(self, sort: Sort, name: Name, definer: Definer) -> None:
        meaning = RESERVED.get(name.text)
        if sort is Sort.BLOCK and name.text in (*KINDS, *ACTIVATIONS):
            meaning = "a layer of the language"
        if meaning is not None:
            self.reporter.report(errors.ReservedName(name.span, name.text, meaning))
            return
        first = self.symbols.get(name.text)
        if first is None:
            self.symbols[name.text] = Symbol(name.text, sort, name.span, definer)
        elif sort is Sort.LOCAL and first.sort is Sort.STATE:
            self.reporter.report(errors.StateAssigned(name.span, name.text, first.span))
        else:
            self.reporter.report(
                errors.DeclaredTwice(name.span, name.text, first.span, first.sort.value)
            )

    # ---- types ----------------------------------------------------------------------------------

    def _dimensions(self) -> Mapping[str, Symbol]:
        """The sizes among the names: looked for once, not for every declaration."""
        if self._sizes is None:
            self._sizes = {n: s for n, s in self.symbols.items() if s.sort is Sort.DIMENSION}
        return self._sizes

    def size(self, dimension: Dimension) -> tuple[str, int | None]:
        """A name from `dims`, and the size that it has where the program is given no other."""
        default = None if dimension.default is None else self.dim(dimension.default)
        if default is not None and default.value is None:
            assert dimension.default is not None
            text = expression_text(dimension.default)
            self.reporter.report(
                errors.DefaultOfSizes(dimension.default.span, dimension.name.text, text)
            )
        return dimension.name.text, default.value if default is not None else None

    def dim(self, expr: Expr) -> Dim | None:
        """The size that an expression spells; None if it is none, reported."""
        program = self.program
        return read_size(expr, self._dimensions(), self.symbols, program.poisoned, self.reporter)

    def space(self, type_: SpaceType) -> Array | None:
        kind = type_.kind.text
        if kind in self.program.poisoned and kind not in _KINDS:
            return None
        if kind not in _KINDS:
            self.reporter.report(
                errors.UnknownWord(
                    type_.kind.span,
                    kind,
                    "kind of space",
                    tuple(_KINDS),
                    () if is_network(kind) else kind_instead(kind) or near(kind, _KINDS),
                    _NETWORK if is_network(kind) else None,
                )
            )
            return None
        form, rank = _KINDS[kind]
        found = len(type_.dims)
        if rank is None and found == 0:
            self.reporter.report(
                errors.WrongDimensionCount(type_.span, kind, "at least 1 size", found)
            )
            return None
        if rank is not None and found != rank:
            expected = "no sizes" if rank == 0 else "1 size" if rank == 1 else f"{rank} sizes"
            self.reporter.report(errors.WrongDimensionCount(type_.span, kind, expected, found))
            return None
        dims = [self.dim(dim) for dim in type_.dims]
        if any(dim is None for dim in dims):
            return None
        field = Field.COMPLEX if type_.is_complex else Field.REAL
        self.spaces[type_] = Array(tuple(dim for dim in dims if dim is not None), field, form)
        return self.spaces[type_]

    def type_of(self, type_: TypeExpr) -> Type:
        match type_:
            case SpaceType(kind, dims) if kind.text in self.blocks:
                use = LayerType(kind, None, dims, (), (), type_.span)
                return self.chains.layer((use,)) or UNKNOWN
            case SpaceType():
                return self.space(type_) or UNKNOWN
            case LinearType(domain, codomain):
                first, second = self.space(domain), self.space(codomain)
                return LinearMap(Declared(first, second)) if first and second else UNKNOWN
            case NetworkType() | ConvType() | LayerType() | RepeatedType():
                return self.chains.layer((type_,)) or UNKNOWN
            case ComposedType(steps):
                return self.chains.layer(steps) or UNKNOWN
            case _:
                assert_never(type_)


def declared_at(symbol: Symbol) -> Span:
    """Where the type of a declared name is written."""
    match symbol.definer:
        case Declaration() | State():
            return symbol.definer.type.span
        case _:
            return symbol.span
