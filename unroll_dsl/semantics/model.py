"""A program whose names are resolved and whose every expression has a type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from unroll_dsl.operators.model import Function, LinearOperator, Static
from unroll_dsl.source import Span
from unroll_dsl.syntax.nodes import (
    BlockDefinition,
    Call,
    Declaration,
    Definition,
    Dimension,
    Expr,
    Let,
    Local,
    Parameter,
    Program,
    RandomInit,
    Repeat,
    SpaceType,
    State,
    Trace,
)
from unroll_dsl.types import Array, Block, Dim, Type
from unroll_dsl.types.blocks import Template

Definer = (
    Dimension | Declaration | Let | State | Local | Trace | Parameter | Definition | BlockDefinition
)


class Sort(Enum):
    """What a name stands for, in the words of the messages."""

    DIMENSION = "dimension"
    INPUT = "input"
    FIXED = "fixed value"
    LEARNABLE = "learnable"
    LET = "let"
    STATE = "state"
    INNER = "state of `repeat`"
    LOCAL = "local value"
    TRACE = "trace"
    TARGET = "loss target"
    VARIABLE = "variable of the objective"
    DEFINITION = "function"
    BLOCK = "block"
    ARGUMENT = "parameter"


@dataclass(frozen=True, slots=True, eq=False)
class Symbol:
    """A declared name. `span` is the name where it is declared."""

    name: str
    sort: Sort
    span: Span
    definer: Definer
    type: Type | None = None  # None: a let or a local, whose type is inferred; a function
    per_phase: bool = False
    per_step: bool = False  # the first axis of the type counts the steps of an inner loop

    @property
    def value(self) -> Expr | None:
        """What the name stands for, or what it starts at, where that is written."""
        match self.definer:
            case Let(_, value):
                return value
            case Declaration(value=value) if not isinstance(value, RandomInit):
                return value
            case _:
                return None


# ---- what a call turned out to be ---------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class FunctionCall:
    """A function record; `arrays` in the record's order, statics by name."""

    record: Function
    arrays: tuple[Expr, ...]
    statics: tuple[tuple[str, Static], ...]


@dataclass(frozen=True, slots=True, eq=False)
class OperatorCall:
    """A linear operator record with its data operands."""

    record: LinearOperator
    operands: tuple[Expr, ...]
    statics: tuple[tuple[str, Static], ...]


@dataclass(frozen=True, slots=True, eq=False)
class FunctionInstance:
    """A `def` at given argument types; `types` and `calls` are those of its body, `results` the types of
    what it returns, `invoked` how many functions one call of it calls in all, itself included."""

    definition: Definition
    arguments: tuple[Type, ...]
    types: Mapping[Expr, Type]
    calls: Mapping[Call, Resolved]
    results: tuple[Type, ...]
    invoked: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class BlockInstance:
    """A block of the page at given sizes and argument types. `places`: where its layers are written, by
    the names that they have; `template`: these in its own sizes."""

    definition: BlockDefinition
    template: Template
    block: Block
    arguments: tuple[Array, ...]
    places: Mapping[Expr, str]
    types: Mapping[Expr, Type]
    calls: Mapping[Call, Resolved]
    result: Array


@dataclass(frozen=True, slots=True, eq=False)
class InstanceCall:
    instance: FunctionInstance
    arrays: tuple[Expr, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ValueCall:
    """The value at a place, from 0, of what a call of a `def` returns."""

    call: Call
    place: int


@dataclass(frozen=True, slots=True, eq=False)
class PrevCall:
    state: str


@dataclass(frozen=True, slots=True, eq=False)
class SolveCall:
    """`tolerance` and `iterations` are None where the program leaves them open."""

    matrix: Expr
    rhs: Expr
    tolerance: float | None = None
    iterations: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class DiagCall:
    diagonal: Expr


@dataclass(frozen=True, slots=True, eq=False)
class SizeCall:
    dim: Dim


@dataclass(frozen=True, slots=True, eq=False)
class LayerCall:
    """`blocks`: what the blocks of the layer are at these arguments, those within them first."""

    layer: Expr
    arguments: tuple[Expr, ...]
    blocks: tuple[BlockInstance, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class SplitCall:
    layer: Expr


Resolved = (
    FunctionCall
    | OperatorCall
    | InstanceCall
    | ValueCall
    | PrevCall
    | SolveCall
    | DiagCall
    | SizeCall
    | LayerCall
    | SplitCall
)


@dataclass(frozen=True, slots=True, eq=False)
class TypedProgram:
    """The result of checking. Expressions are places, so each occurrence has its own type."""

    program: Program
    symbols: Mapping[str, Symbol]
    types: Mapping[Expr, Type]
    calls: Mapping[Call, Resolved]
    spaces: Mapping[SpaceType, Array]  # types of loss targets and of variables of the objective
    lets: tuple[Let, ...]  # each after those that it reads
    dims: tuple[tuple[str, int | None], ...]
    phases: int | None
    steps: Mapping[Repeat, int]  # of each inner loop
    templates: tuple[Template, ...] = ()  # the blocks of the page
