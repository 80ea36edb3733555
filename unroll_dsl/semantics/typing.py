"""What typing an expression carries along, wherever in these modules it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Self, assert_never

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.semantics import errors
from unroll_dsl.semantics.errors import Operand
from unroll_dsl.semantics.model import BlockInstance, FunctionInstance, Symbol
from unroll_dsl.semantics.named_blocks import NamedBlocks
from unroll_dsl.semantics.scopes import Context, Reporter
from unroll_dsl.syntax.nodes import Definition, Expr, Name
from unroll_dsl.types import Array, Block, Layer, LinearMap, Type, Unknown


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with the body of a block for some arguments; None where it has been reported."""

    report: Diagnostic | None


class Typing(ABC):
    """The names of a program with their types, where mistakes are reported, and `infer`.

    The rules for names (visibility.py), operators (algebra.py), forms (forms.py) and calls (calls.py)
    take it; `Inference` (infer.py) sends each expression to one of them.
    """

    def __init__(
        self,
        symbols: Mapping[str, Symbol],
        definitions: Mapping[str, Definition],
        let_types: Mapping[str, Type],
        poisoned: frozenset[str],
        reporter: Reporter,
        blocks: NamedBlocks,
    ) -> None:
        self.blocks = blocks
        self.block_instances: dict[tuple[Block, tuple[Array, ...]], BlockInstance | Problem] = {}
        self.block_ranks: dict[Block, tuple[int, ...]] = {}  # of the arrays that each is given
        self.symbols = symbols
        self.definitions = definitions
        self.let_types = let_types
        self.poisoned = poisoned
        self.reporter = reporter
        self.phases = 10  # how many there are, where the program does not say
        self.instances: dict[tuple[Definition, tuple[Type, ...]], FunctionInstance] = {}
        self.numbers: dict[Expr, float] = {}  # of arithmetic of nothing but numbers
        # how many maps a map is made of, one within the other; by the identity of a type that is kept here
        self.levels: dict[int, tuple[LinearMap, int]] = {}

    def apart(self, reporter: Reporter) -> Self:
        """The same names, types and instances, with mistakes reported to `reporter`."""
        other = copy(self)
        other.reporter = reporter
        return other

    @abstractmethod
    def infer(self, expr: Expr, context: Context) -> Type:
        """The type of `expr`; `Unknown` where something in it was reported."""

    def array(self, expr: Expr, context: Context, place: str) -> Array | None:
        """The type of an expression that has to be an array; None if it is not, reported."""
        type_ = self.infer(expr, context)
        match type_:
            case Array():
                return type_
            case Unknown():
                return None
            case LinearMap() | Layer():
                self.reporter.report(errors.MapAsValue(self.operand(expr, type_, context), place))
                return None
            case _:
                assert_never(type_)

    def operand(self, expr: Expr, type_: Type, context: Context) -> Operand:
        """`expr` for a message, with the line from which a name has its type."""
        if isinstance(expr, Name):
            if expr.text in context.local_spans:
                cause = context.local_spans[expr.text]
                return Operand(expr.span, str(type_), cause, f"`{expr.text}` is {type_}")
            symbol = self.symbols.get(expr.text)
            if symbol is not None:
                return Operand(expr.span, str(type_), symbol.span, f"`{expr.text}` is {type_}")
        return Operand(expr.span, str(type_))
