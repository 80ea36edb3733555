"""`measure` lines: how the data of inputs are made, and what only that needs.

A line sees sizes, fixed values, learnables that all phases share, lets made of these, the targets of the loss,
inputs measured above it and `noise`. What a network computes does not exist yet where data are made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from unroll_dsl.near import near
from unroll_dsl.semantics import errors, mends
from unroll_dsl.semantics.checking import Checking
from unroll_dsl.semantics.declarations import declared_at
from unroll_dsl.semantics.model import Sort, Symbol
from unroll_dsl.semantics.scopes import NOISE, Context, Place, names_in
from unroll_dsl.source import Span
from unroll_dsl.syntax.nodes import Declaration, Expr, Let, Loss, Measure, Name, Program, RandomInit
from unroll_dsl.types import UNKNOWN, Array, fits

_Mend = errors.NotVisibleHere.Mend
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


def check_measures(checking: Checking) -> None:
    """Type every `measure` line of a program, and report what is wrong with it."""
    _Lines(checking).run()


@dataclass(frozen=True, slots=True)
class _Lines:
    """The check of the `measure` lines of a program."""

    checking: Checking

    def run(self) -> None:
        """Type every line."""
        lines = measures(self.checking.program)
        self._noise(lines)
        first: dict[str, Span] = {}
        for line in lines:
            target = line.name.text
            is_input = self._left(line)
            if is_input and target in first:
                report = errors.MeasuredTwice(line.name.span, target, first[target])
                self.checking.reporter.report(report)
            elif not self.checking.targets:
                self._no_targets(line, is_first=not first)
            else:
                self._right(line, first)
            if is_input:
                first.setdefault(target, line.name.span)

    def _left(self, line: Measure) -> bool:
        name = line.name
        symbol = self.checking.symbols.get(name.text)
        if symbol is not None and symbol.sort is Sort.INPUT:
            return True
        if symbol is None and name.text in self.checking.program.poisoned:
            return False
        sort, declared = (symbol.sort.value, symbol.span) if symbol is not None else (None, None)
        if name.text in self.checking.targets:
            sort, declared = Sort.TARGET.value, self.checking.targets[name.text][1]
        inputs = tuple(s.name for s in self.checking.symbols.values() if s.sort is Sort.INPUT)
        close = near(name.text, inputs) if sort is None else ()
        self.checking.reporter.report(
            errors.MeasuredNotInput(name.span, name.text, sort, declared, close, inputs)
        )
        return False

    def _no_targets(self, line: Measure, *, is_first: bool) -> None:
        if (
            not is_first or self.checking.program.poisoned
        ):  # a loss that did not parse may have had some
            return
        losses = (s.span for s in self.checking.program.statements if isinstance(s, Loss))
        self.checking.reporter.report(
            errors.MeasuredOfNothing(line.name.span, line.name.text, (), next(losses, None))
        )

    def _right(self, line: Measure, above: Mapping[str, Span]) -> None:
        symbol = self.checking.symbols.get(line.name.text)
        is_input = symbol is not None and symbol.sort is Sort.INPUT
        declared = (symbol.type if symbol is not None and is_input else None) or UNKNOWN
        place = declared_at(symbol) if symbol is not None else line.name.span
        seen = self.checking.context(Place.MEASURE)
        for word, (type_, span) in self.checking.targets.items():
            seen.local[word], seen.local_spans[word] = type_, span
        seen.local[NOISE], seen.local_spans[NOISE] = declared, place
        varies, known = False, len(self.checking.reporter.diagnostics)
        for name in names_in(line.value):
            inputs = self._inputs(name.text) if name.text not in seen.local else ()
            varies = varies or name.text in seen.local or any(x in above for x in inputs)
            if name.text not in seen.local:
                self._name(name, line, above, seen)
        found = self.checking.inference.array(line.value, seen, "a `measure` line")
        is_reported = len(self.checking.reporter.diagnostics) > known
        if found is None or not isinstance(declared, Array) or is_reported:
            return
        if not varies:
            report = errors.MeasuredOfNothing(
                line.value.span, line.name.text, tuple(self.checking.targets), None
            )
            self.checking.reporter.report(report)
            return
        self._fit(line, found, declared, place, seen)

    def _noise(self, lines: Iterable[Measure]) -> None:
        """Report a declaration that `noise` could be taken for, where it is first read."""
        read = (name for line in lines for name in names_in(line.value) if name.text == NOISE)
        first, symbol = next(read, None), self.checking.symbols.get(NOISE)
        if first is None:
            return
        if NOISE in self.checking.targets:
            sort, declared = Sort.TARGET, self.checking.targets[NOISE][1]
        elif symbol is not None:
            sort, declared = symbol.sort, symbol.span
        else:
            return
        self.checking.reporter.report(errors.NoiseDeclared(first.span, sort.value, declared))

    def _name(self, name: Name, line: Measure, above: Mapping[str, Span], context: Context) -> None:
        """Report a name that is not known yet where data are made."""
        symbol = self.checking.symbols.get(name.text)
        if symbol is None:
            return
        if symbol.sort is Sort.INPUT:
            if name.text not in above:
                self._unmeasured(name, symbol, line)
            return
        if symbol.sort in _AFTERWARDS:
            context.local[name.text] = UNKNOWN
            self._not_here(
                name, symbol, _Mend.COMPUTED, errors.one_of(tuple(self.checking.targets))
            )
            return
        depends = self.checking.dependences.of(name)
        unmeasured = [x for x in self._inputs(name.text) if x not in above]
        if unmeasured:
            self._not_here(name, symbol, _Mend.OF_INPUT, unmeasured[0])
        elif depends.learnable is not None and not self._is_learned_array(name.text):
            is_learnt = symbol.sort is Sort.LEARNABLE
            self._not_here(name, symbol, _Mend.LEARNT if is_learnt else _Mend.OF_LEARNT)
        elif depends.phase is not None:
            why = errors.PhaseValueOutside.Why.DATA
            report = errors.PhaseValueOutside(_read(name, symbol), Place.MEASURE.value, why)
            self.checking.reporter.report(report)

    def _is_learned_array(self, name: str) -> bool:
        """Whether all learnables that a name stands for or is made of are arrays, one for all phases: a sampling
        that the network learns too."""
        symbols, read = self.checking.symbols, self._made_of(name)
        learned = [symbols[x] for x in read if x in symbols and symbols[x].sort is Sort.LEARNABLE]
        return all(isinstance(x.type, Array) and not x.per_phase for x in learned)

    def _inputs(self, name: str) -> tuple[str, ...]:
        """The inputs that a name stands for or is made of."""
        symbols, read = self.checking.symbols, self._made_of(name)
        return tuple(x for x in read if x in symbols and symbols[x].sort is Sort.INPUT)

    def _made_of(self, name: str) -> tuple[str, ...]:
        """A name, then in order all that it is made of."""
        symbol = self.checking.symbols.get(name)
        value = () if symbol is None or symbol.value is None else (symbol.value,)
        return (name, *sorted(needed_by(self.checking.program, value)))

    def _unmeasured(self, name: Name, symbol: Symbol, line: Measure) -> None:
        lines = (other.name for other in measures(self.checking.program) if other is not line)
        below = next((other.span for other in lines if other.text == name.text), None)
        self.checking.reporter.report(
            errors.UnmeasuredInput(
                name.span,
                name.text,
                line.name.text,
                symbol.span,
                below,
                tuple(self.checking.targets),
            )
        )

    def _not_here(
        self, name: Name, symbol: Symbol, mend: errors.NotVisibleHere.Mend, of: str = ""
    ) -> None:
        place = Place.MEASURE.value
        self.checking.reporter.report(errors.NotVisibleHere(_read(name, symbol), place, mend, of))

    def _fit(
        self, line: Measure, found: Array, declared: Array, place: Span, context: Context
    ) -> None:
        """The data of a sample have the shape of the input; a number is not spread over it."""
        operand = self.checking.inference.operand(line.value, found, context)
        if found.shape != declared.shape:
            mend = mends.of_turned(line.value, found, declared)
            if not found.rank:
                mend = "a number is not spread over an input: give all entries"
            self.checking.reporter.report(
                errors.ValueDoesNotFit(line.name.text, operand, str(declared), place, mend)
            )
        elif not fits(found, declared):
            self.checking.reporter.report(
                errors.ComplexToReal(line.name.text, operand, str(declared), place)
            )


def _read(name: Name, symbol: Symbol) -> errors.Mention:
    return errors.Mention(name.text, name.span, symbol.sort.value, symbol.span)
