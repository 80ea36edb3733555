"""`measure` lines: how the data of inputs are made, and what only that needs.

A line sees sizes, fixed values, lets made of these, the targets of the loss, inputs measured above it and
`noise`. What a network learns or computes does not exist yet where data are made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from unroll_dsl.semantics import errors
from unroll_dsl.semantics.declarations import declared_at
from unroll_dsl.semantics.infer import Inference
from unroll_dsl.semantics.model import Sort, Symbol
from unroll_dsl.semantics.scopes import (
    Context,
    Dependences,
    Place,
    Reporter,
    names_in,
    near,
)
from unroll_dsl.source import Span
from unroll_dsl.syntax.nodes import Declaration, Expr, Let, Loss, Measure, Name, Program, RandomInit
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.types import UNKNOWN, Array, Type, fits

NOISE = "noise"

_AFTERWARDS = (Sort.STATE, Sort.LOCAL, Sort.TRACE)


def measures(program: Program) -> tuple[Measure, ...]:
    """The `measure` lines of a program, from top to bottom."""
    return tuple(s for s in program.statements if isinstance(s, Measure))


def read_by_measures(program: Program) -> frozenset[str]:
    """Every name that the `measure` lines need: in their formulas, or in the lets, values and bounds of
    what these read."""
    return needed_by(program, (line.value for line in measures(program)))


def needed_by(program: Program, formulas: Iterable[Expr]) -> frozenset[str]:
    """Every name that formulas need, through lets, classical values and bounds."""
    read: dict[str, tuple[Expr, ...]] = {}
    for statement in program.statements:
        match statement:
            case Let(name, value):
                read[name.text] = (value,)
            case Declaration(names=names):
                read |= {name.text: tuple(_formulas(statement)) for name in names}
            case _:
                pass
    found: set[str] = set()
    waiting = list(formulas)
    while waiting:
        for name in names_in(waiting.pop()):
            if name.text not in found:
                found.add(name.text)
                waiting += read.get(name.text, ())
    return frozenset(found)


def _formulas(declaration: Declaration) -> Iterator[Expr]:
    if declaration.value is not None and not isinstance(declaration.value, RandomInit):
        yield declaration.value
    if declaration.bounds is not None:
        yield from filter(None, (declaration.bounds.lower, declaration.bounds.upper))


@dataclass(frozen=True, slots=True)
class MeasureCheck:
    """What the check of `measure` lines is given by that of the program; `run` reports.

    `targets` are those of the loss, with their places.
    """

    program: Program
    symbols: Mapping[str, Symbol]
    targets: Mapping[str, tuple[Type, Span]]
    inference: Inference
    dependences: Dependences
    reporter: Reporter

    def run(self, context: Context) -> None:
        """Type every line; `context` is an empty one whose `types` and `calls` are filled."""
        lines = measures(self.program)
        first: dict[str, Span] = {}
        for line in lines:
            target = line.name.text
            is_input = self._left(line)
            if is_input and target in first:
                report = errors.MeasuredTwice(line.name.span, target, first[target])
                self.reporter.report(report)
            elif not self.targets:
                self._no_targets(line, is_first=not first)
            else:
                self._right(line, first, context)
            if is_input:
                first.setdefault(target, line.name.span)

    def _left(self, line: Measure) -> bool:
        name = line.name
        symbol = self.symbols.get(name.text)
        if symbol is not None and symbol.sort is Sort.INPUT:
            return True
        if symbol is None and name.text in self.program.poisoned:
            return False
        sort, declared = (symbol.sort.value, symbol.span) if symbol is not None else (None, None)
        if name.text in self.targets:
            sort, declared = Sort.TARGET.value, self.targets[name.text][1]
        inputs = tuple(s.name for s in self.symbols.values() if s.sort is Sort.INPUT)
        close = near(name.text, inputs) if sort is None else ()
        self.reporter.report(
            errors.MeasuredNotInput(name.span, name.text, sort, declared, close, inputs)
        )
        return False

    def _no_targets(self, line: Measure, *, is_first: bool) -> None:
        if not is_first or self.program.poisoned:  # a loss that did not parse may have had some
            return
        losses = (s.span for s in self.program.statements if isinstance(s, Loss))
        self.reporter.report(
            errors.MeasuredOfNothing(line.name.span, line.name.text, (), next(losses, None))
        )

    def _right(self, line: Measure, above: Mapping[str, Span], context: Context) -> None:
        symbol = self.symbols.get(line.name.text)
        is_input = symbol is not None and symbol.sort is Sort.INPUT
        declared = (symbol.type if symbol is not None and is_input else None) or UNKNOWN
        place = declared_at(symbol) if symbol is not None else line.name.span
        seen = Context(Place.MEASURE, context.types, context.calls)
        for word, (type_, span) in self.targets.items():
            seen.local[word], seen.local_spans[word] = type_, span
        self._noise(line)
        seen.local[NOISE], seen.local_spans[NOISE] = declared, place
        varies = False
        for name in names_in(line.value):
            varies = varies or name.text in seen.local or name.text in above
            if name.text not in seen.local:
                self._name(name, line, above, seen)
        found = self.inference.array(line.value, seen, "a `measure` line")
        if found is None or not isinstance(declared, Array):
            return
        if not varies:
            report = errors.MeasuredOfNothing(
                line.value.span, line.name.text, tuple(self.targets), None
            )
            self.reporter.report(report)
            return
        self._fit(line, found, declared, place, seen)

    def _noise(self, line: Measure) -> None:
        for name in names_in(line.value):
            if name.text != NOISE:
                continue
            if NOISE in self.targets:
                span = self.targets[NOISE][1]
                self.reporter.report(errors.NoiseDeclared(name.span, Sort.TARGET.value, span))
            elif NOISE in self.symbols:
                symbol = self.symbols[NOISE]
                self.reporter.report(
                    errors.NoiseDeclared(name.span, symbol.sort.value, symbol.span)
                )

    def _name(self, name: Name, line: Measure, above: Mapping[str, Span], context: Context) -> None:
        """Report a name that is not known yet where data are made."""
        symbol = self.symbols.get(name.text)
        if symbol is None:
            return
        if symbol.sort is Sort.INPUT:
            if name.text not in above:
                self._unmeasured(name, symbol, line)
            return
        made_of = f"data are made of the loss's targets: {errors.one_of(tuple(self.targets))}"
        if symbol.sort in _AFTERWARDS:
            context.local[name.text] = UNKNOWN
            self._not_here(name, symbol, f"it is what the network computes; {made_of}")
            return
        depends = self.dependences.of(name)
        if depends.input is not None:
            self._not_here(name, symbol, "it is made of an input: write its formula into this line")
        elif depends.learnable is not None:
            what = "it is learnt" if symbol.sort is Sort.LEARNABLE else "it is made of a learnable"
            self._not_here(name, symbol, f"{what}; data are made of fixed values and targets")
        elif depends.phase is not None:
            report = errors.PhaseValueOutside(
                name.span,
                name.text,
                "has a value per phase",
                Place.MEASURE.value,
                symbol.span,
                "data are made once, before any phase: use what all phases share",
            )
            self.reporter.report(report)

    def _unmeasured(self, name: Name, symbol: Symbol, line: Measure) -> None:
        lines = (other.name for other in measures(self.program) if other is not line)
        below = next((other.span for other in lines if other.text == name.text), None)
        self.reporter.report(
            errors.UnmeasuredInput(
                name.span, name.text, line.name.text, symbol.span, below, tuple(self.targets)
            )
        )

    def _not_here(self, name: Name, symbol: Symbol, mend: str) -> None:
        report = errors.NotVisibleHere(
            name.span, name.text, symbol.sort.value, Place.MEASURE.value, symbol.span, mend
        )
        self.reporter.report(report)

    def _fit(
        self, line: Measure, found: Array, declared: Array, place: Span, context: Context
    ) -> None:
        """The data of a sample have the shape of the input; a number is not spread over it."""
        operand = self.inference.operand(line.value, found, context)
        if found.shape != declared.shape:
            mend = None
            if found.rank == 2 and found.shape[::-1] == declared.shape:
                mend = f"transpose it: `({expression_text(line.value)})'`"
            elif not found.rank:
                mend = "a number is not spread over an input: give all entries"
            self.reporter.report(
                errors.ValueDoesNotFit(line.name.text, operand, str(declared), place, mend)
            )
        elif not fits(found, declared):
            self.reporter.report(
                errors.ComplexToReal(line.name.text, operand, str(declared), place)
            )
