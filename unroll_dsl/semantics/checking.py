"""What the check of a program carries along: its names, the types found so far, where mistakes are reported."""

from __future__ import annotations

from functools import partial

from unroll_dsl.semantics import errors
from unroll_dsl.semantics.block_calls import behind
from unroll_dsl.semantics.constants import as_number
from unroll_dsl.semantics.declarations import Declarations
from unroll_dsl.semantics.infer import Inference
from unroll_dsl.semantics.model import Resolved, Sort, Symbol, TypedProgram
from unroll_dsl.semantics.named_blocks import NamedBlocks
from unroll_dsl.semantics.scopes import Context, Dependences, Place, Reporter
from unroll_dsl.semantics.steps import count_steps
from unroll_dsl.source import Span
from unroll_dsl.syntax.nodes import (
    Call,
    Definition,
    Expr,
    Let,
    Phase,
    Program,
    Repeat,
)
from unroll_dsl.types import Field, Type


class Checking:
    """The check of one program; lets.py, values.py, blocks.py and measures.py each look at a part of it.

    Attributes
    ----------
    types, calls
        What is known of the expressions looked at so far, whatever else is wrong.
    outputs, targets
        Names of the outputs, and of the loss's targets, with types and places.
    variables
        Those of the objective.
    phases
        How many there are; None before the phase has been looked at.
    """

    def __init__(self, program: Program, prelude: Program, reporter: Reporter) -> None:
        self.program = program
        self.reporter = reporter
        self.types: dict[Expr, Type] = {}
        self.calls: dict[Call, Resolved] = {}
        self.blocks = NamedBlocks(program, reporter)
        self.declarations = Declarations(program, reporter, self.blocks)
        self.symbols = self.declarations.symbols
        definitions = {
            s.name.text: s
            for s in (*prelude.statements, *program.statements)
            if isinstance(s, Definition)
        }
        self.let_types: dict[str, Type] = {}
        self.inference = Inference(
            self.symbols, definitions, self.let_types, program.poisoned, reporter, self.blocks
        )
        self.blocks.behind = partial(behind, self.inference)
        self.dependences = Dependences(self.symbols)
        self.lets: tuple[Let, ...] = ()
        self.dims: list[tuple[str, int | None]] = []
        self.phases: int | None = None
        self.steps: dict[Repeat, int] = {}
        self.outputs: dict[str, tuple[Type, Span]] = {}
        self.targets: dict[str, tuple[Type, Span]] = {}
        self.variables: dict[str, Type] = {}

    def begin(self) -> None:
        """Collect the names, and count the phases before anything that has a value in each is typed."""
        self.declarations.collect()
        self.blocks.read_all()
        phase = next((s for s in self.program.statements if isinstance(s, Phase)), None)
        count = self.number(phase.count) if phase is not None else None
        if count is not None and count >= 1:
            self.inference.phases = int(min(count, 1_000_000))
        self.steps = count_steps(self.symbols, phase, self.reporter)

    def typed(self) -> TypedProgram:
        """What is known by now."""
        return TypedProgram(
            self.program,
            self.symbols,
            self.types,
            self.calls,
            self.declarations.spaces,
            self.lets,
            tuple(self.dims),
            self.phases,
            self.steps,
            self.blocks.templates(),
        )

    def context(self, place: Place) -> Context:
        """What an expression in that place sees besides the names of the program: nothing yet."""
        return Context(place, self.types, self.calls)

    def states(self) -> list[Symbol]:
        """The states, in the order of their declarations."""
        return [s for s in self.symbols.values() if s.sort is Sort.STATE]

    def number(self, expr: Expr | None) -> float | None:
        """The number that an expression is, through lets and classical values; None if it is not one."""
        return None if expr is None else as_number(expr, self._literal)

    def _literal(self, name: str) -> Expr | None:
        symbol = self.symbols.get(name)
        return None if symbol is None else symbol.value

    def scalar(self, body: Expr, context: Context, what: str) -> None:
        """Type what has to be one real number."""
        found = self.inference.array(body, context, what)
        if found is not None and (found.rank or found.field is not Field.REAL):
            operand = self.inference.operand(body, found, context)
            self.reporter.report(errors.ScalarExpected(operand, what))
