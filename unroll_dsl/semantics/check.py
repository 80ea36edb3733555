"""Program -> TypedProgram: names resolved, every expression typed, the structure sound.

All that is wrong is reported in one go. What has been reported has the type `Unknown`, which agrees
with everything, so that one mistake is one message.
"""

from __future__ import annotations

import math
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter
from typing import assert_never

from unroll_dsl.diagnostics.model import Diagnostic, first_of
from unroll_dsl.operators.random_init import RANDOM, needs_matrix
from unroll_dsl.semantics import errors
from unroll_dsl.semantics.constants import as_number
from unroll_dsl.semantics.declarations import Declarations, declared_at
from unroll_dsl.semantics.infer import Inference
from unroll_dsl.semantics.lookalikes import check_lookalikes
from unroll_dsl.semantics.measures import MeasureCheck
from unroll_dsl.semantics.model import Sort, Symbol, TypedProgram
from unroll_dsl.semantics.roles import misplaced
from unroll_dsl.semantics.scopes import (
    RESERVED,
    Cause,
    Context,
    Dependences,
    Enough,
    Place,
    Reporter,
    names_in,
    near,
)
from unroll_dsl.source import Span
from unroll_dsl.syntax.nodes import (
    Bounds,
    Declaration,
    Definition,
    Dims,
    Expr,
    Let,
    Local,
    Loss,
    Minimize,
    Name,
    Number,
    Output,
    Phase,
    Program,
    RandomInit,
    Role,
    Sharing,
    State,
    Statement,
    Trace,
    Update,
)
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.types import (
    UNKNOWN,
    Array,
    Field,
    Layer,
    LinearMap,
    Type,
    Unknown,
    fits,
    known_codomain,
    known_domain,
    map_forward,
    spreads,
)
from unroll_dsl.types.algebra import as_structure


def check(program: Program, prelude: Program) -> tuple[TypedProgram | None, tuple[Diagnostic, ...]]:
    """Check a program; None in place of the result if anything is an error.

    `prelude` supplies the definitions that every program may call.
    """
    reporter, typed = Reporter(), None
    with suppress(Enough):
        typed = _Checker(program, prelude, reporter).run()
    diagnostics = first_of(sorted(reporter.diagnostics, key=_position))
    if any(d.is_error for d in diagnostics):
        return None, diagnostics
    return typed, diagnostics


def _position(diagnostic: Diagnostic) -> int:
    labels = diagnostic.labels()
    return labels[0].span.start if labels else -1


class _Checker:
    def __init__(self, program: Program, prelude: Program, reporter: Reporter) -> None:
        self.program = program
        self.reporter = reporter
        self.declarations = Declarations(program, self.reporter)
        self.symbols = self.declarations.symbols
        self.definitions = {
            s.name.text: s
            for s in (*prelude.statements, *program.statements)
            if isinstance(s, Definition)
        }
        self.let_types: dict[str, Type] = {}
        self.types: dict[Expr, Type] = {}
        self.inference = Inference(
            self.symbols, self.definitions, self.let_types, program.poisoned, self.reporter
        )
        self.calls = Context(Place.LET, self.types, {}).calls
        self.dependences = Dependences(self.symbols)
        self.phases: int | None = None
        self.outputs: dict[str, tuple[Type, Span]] = {}  # those with a name, for the loss
        self.targets: dict[str, tuple[Type, Span]] = {}
        self.variables: dict[str, Type] = {}  # of the objective

    def run(self) -> TypedProgram:
        self._count_phases()
        lets = self._lets()
        dims: list[tuple[str, int | None]] = []
        for statement in self.program.statements:
            match statement:
                case Dims(dimensions):
                    for dimension in dimensions:
                        default = None
                        if dimension.default is not None:
                            size = self.declarations.dim(dimension.default)
                            default = size.value if size is not None else None
                        dims.append((dimension.name.text, default))
                case Declaration():
                    self._declaration(statement)
                case State():
                    self._state(statement)
                case _:
                    pass
        self._blocks()
        MeasureCheck(
            self.program,
            self.symbols,
            self.targets,
            self.inference,
            self.dependences,
            self.reporter,
        ).run(self._context(Place.MEASURE))
        check_lookalikes(self.symbols, self.reporter)
        return TypedProgram(
            self.program,
            self.symbols,
            self.types,
            self.calls,
            self.declarations.spaces,
            lets,
            tuple(dims),
            self.phases,
        )

    def _context(self, place: Place) -> Context:
        return Context(place, self.types, self.calls)

    def _count_phases(self) -> None:
        """How many phases there are, before anything that has a value in each is typed."""
        phase = next((s for s in self.program.statements if isinstance(s, Phase)), None)
        count = self._number(phase.count) if phase is not None else None
        if count is not None and count >= 1:
            self.inference.phases = int(min(count, 1_000_000))

    # ---- lets -----------------------------------------------------------------------------------

    def _lets(self) -> tuple[Let, ...]:
        """Lets in an order in which each comes after those that it reads, typed."""
        lets = {
            name: symbol.definer
            for name, symbol in self.symbols.items()
            if isinstance(symbol.definer, Let)
        }
        reads = {
            name: {n.text: n.span for n in names_in(let.value) if n.text in lets}
            for name, let in lets.items()
        }
        cyclic: set[str] = set()
        while True:
            sorter = TopologicalSorter(
                {n: [r for r in reads[n] if r not in cyclic] for n in lets if n not in cyclic}
            )
            try:
                order = tuple(sorter.static_order())
                break
            except CycleError as cycle:
                path = list(reversed(cycle.args[1]))[:-1]
                first = min(range(len(path)), key=lambda i: list(lets).index(path[i]))
                path = path[first:] + path[:first]
                following = path[1:] + path[:1]
                self.reporter.report(
                    errors.CycleOfLets(
                        tuple((a, reads[a][b]) for a, b in zip(path, following, strict=True))
                    )
                )
                cyclic.update(path)
        context = self._context(Place.LET)
        for name in order:
            self.let_types[name] = self.inference.infer(lets[name].value, context)
            self.dependences.of(lets[name].value)
        for name in cyclic:
            self.let_types[name] = UNKNOWN
        return tuple(lets[name] for name in order)

    # ---- declarations ---------------------------------------------------------------------------

    def _declaration(self, declaration: Declaration) -> None:
        for name in declaration.names:
            symbol = self.symbols.get(name.text)
            if symbol is None or symbol.definer is not declaration:
                continue
            type_ = symbol.type or UNKNOWN
            if declaration.bounds is not None:
                self._bounds(name, type_, declaration.bounds, declaration.value)
            if not (isinstance(type_, LinearMap) and declaration.value is not None):
                self._value(declaration, name, symbol, type_)
        first = self.symbols.get(declaration.names[0].text)
        for problem in misplaced(declaration, (first and first.type) or UNKNOWN):
            self.reporter.report(problem)

    def _bounds(
        self, name: Name, type_: Type, bounds: Bounds, value: Expr | RandomInit | None
    ) -> None:
        if isinstance(type_, LinearMap | Layer) or (
            isinstance(type_, Array) and type_.field is Field.COMPLEX
        ):
            self.reporter.report(
                errors.WrongBounds(
                    bounds.span,
                    f"{type_} cannot be ordered, so it has no bounds",
                    "remove the constraint, or declare it real",
                )
            )
            return
        context = self._context(Place.BOUND)
        for bound in (bounds.lower, bounds.upper):
            if bound is None:
                continue
            found = self.inference.array(bound, context, "a constraint")
            if found is None:
                return
            if found.rank or found.field is Field.COMPLEX:
                self.reporter.report(
                    errors.ScalarExpected(self.inference.operand(bound, found, context), "a bound")
                )
                return
            depends = self.dependences.of(bound)
            cause = depends.phase or depends.learnable or depends.input
            if cause is not None:
                self._not_here(cause, "a constraint", "bounds are made of fixed values")
                return
        lower = self._number(bounds.lower)
        upper = self._number(bounds.upper)
        strict = bounds.lower_strict or bounds.upper_strict
        if (
            lower is not None
            and upper is not None
            and (lower > upper or (lower == upper and strict))
        ):
            self.reporter.report(
                errors.WrongBounds(
                    bounds.span,
                    f"nothing lies in `{bounds.span.text.strip()}`",
                    "the smaller bound comes first: `in (0, 1)`",
                )
            )
            return
        start = self._number(value) if not isinstance(value, RandomInit) else None
        if start is not None and value is not None and not _within(start, lower, upper, bounds):
            self.reporter.report(
                errors.BoundViolated(
                    value.span, name.text, f"{start:g}", bounds.span.text.strip(), bounds.span
                )
            )

    def _number(self, expr: Expr | None) -> float | None:
        return None if expr is None else as_number(expr, self._literal)

    def _literal(self, name: str) -> Expr | None:
        symbol = self.symbols.get(name)
        match symbol.definer if symbol is not None else None:
            case Let(_, value):
                return value
            case Declaration(value=value) if value is not None and not isinstance(
                value, RandomInit
            ):
                return value
            case _:
                return None

    def _not_here(self, cause: Cause, place: str, mend: str) -> None:
        self.reporter.report(
            errors.NotVisibleHere(cause.span, cause.name, cause.sort, place, cause.declared, mend)
        )

    def _value(self, declaration: Declaration, name: Name, symbol: Symbol, type_: Type) -> None:
        value = declaration.value
        if value is None:
            return
        if isinstance(value, RandomInit):
            self._random(value)
            self._fans(name, value, type_)
            return
        if declaration.role is Role.INPUT:
            return
        context = self._context(Place.INITIAL)
        found = self.inference.infer(value, context)
        depends = self.dependences.of(value)
        if depends.input is not None:
            self._not_here(
                depends.input,
                "a classical value",
                "classical values are known before any input: use fixed values, "
                "or compute this in the phase",
            )
        elif depends.phase is not None and declaration.sharing is Sharing.SHARED:
            self.reporter.report(
                errors.PhaseValueOutside(
                    depends.phase.span,
                    depends.phase.name,
                    "differs from phase to phase",
                    f"the classical value of `{name.text}`, which all phases share",
                    depends.phase.declared,
                    f"declare `{name.text}` as `per phase`",
                )
            )
        elif depends.learnable is not None and declaration.role is Role.FIXED:
            self._not_here(depends.learnable, "a fixed value", f"declare `{name.text}` with `let`")
        if isinstance(found, Array) and isinstance(type_, Array) and spreads(found, type_):
            found = Array((), found.field)  # repeated along the first axes, as a number is
        self._fit(name.text, value, found, type_, declared_at(symbol), context)

    def _fit(
        self,
        name: str,
        value: Expr,
        found: Type,
        declared: Type,
        declared_span: Span,
        context: Context,
    ) -> None:
        """Report if a value of type `found` cannot be the value of what is `declared`."""
        if isinstance(found, Unknown) or isinstance(declared, Unknown):
            return
        operand = self.inference.operand(value, found, context)
        if isinstance(declared, Array) and isinstance(found, LinearMap):
            if declared.rank == 2 and self._map_is_matrix(found, declared):
                return
        elif isinstance(declared, Array) and isinstance(found, Array):
            if found.shape not in (declared.shape, ()):
                mend = None
                if found.rank == 2 and found.shape[::-1] == declared.shape:
                    mend = f"transpose it: `({expression_text(value)})'`"
                self.reporter.report(
                    errors.ValueDoesNotFit(name, operand, str(declared), declared_span, mend)
                )
                return
            if fits(found, declared):
                return
            self.reporter.report(errors.ComplexToReal(name, operand, str(declared), declared_span))
            return
        elif isinstance(declared, LinearMap):
            structure, wanted = as_structure(found), declared.structure
            if structure is not None:
                first, last = known_domain(wanted), known_codomain(wanted)
                assert first is not None and last is not None
                reached = map_forward(structure, first)
                if isinstance(reached, Array) and reached.shape == last.shape:
                    return
        self.reporter.report(errors.ValueDoesNotFit(name, operand, str(declared), declared_span))

    def _map_is_matrix(self, found: LinearMap, declared: Array) -> bool:
        """Whether `I`, `2 * I`, `diag(v)` can be the value of a matrix of the declared shape."""
        m, n = declared.shape
        defaults = {
            name: dimension.default
            for statement in self.program.statements
            if isinstance(statement, Dims)
            for dimension in statement.dimensions
            for name in (dimension.name.text,)
        }
        sizes = {
            name: int(default.value)
            for name, default in defaults.items()
            if isinstance(default, Number)
        }
        m, n = m.substitute(sizes), n.substitute(sizes)
        reached = map_forward(found.structure, Array((n,), declared.field))
        return isinstance(reached, Array) and reached.shape == (m,)

    def _random(self, value: RandomInit) -> None:
        word = value.name.text
        if word not in RANDOM:
            self.reporter.report(
                errors.UnknownWord(
                    value.name.span, word, "random start", tuple(RANDOM), near(word, RANDOM)
                )
            )
            return
        for argument in value.arguments:
            if self._number(argument.value) is None:
                self.reporter.report(
                    errors.NumberExpected(
                        argument.span, f"an argument of `{word}`", expression_text(argument.value)
                    )
                )

    def _fans(self, name: Name, value: RandomInit, type_: Type) -> None:
        """A scale that comes from rows and columns wants some."""
        word = value.name.text
        if isinstance(type_, Array) and type_.rank < 2 and needs_matrix(word):
            self.reporter.report(
                errors.CallMismatch(
                    word,
                    errors.Operand(value.span, str(type_)),
                    "a matrix, a tensor of more axes, or a layer, whose sides give the scale",
                    f"`{name.text}`, {type_}",
                    f"give the scale: `~ normal(0, 0.1)`, or a value: `{name.text} ... = 0.1`",
                )
            )

    def _state(self, state: State) -> None:
        for name in state.names:
            symbol = self.symbols.get(name.text)
            if symbol is None or symbol.definer is not state:
                continue
            type_ = symbol.type or UNKNOWN
            if state.value is None:
                self.reporter.report(
                    errors.StateWithoutStart(name.span, name.text, state.type.span.text)
                )
                continue
            context = self._context(Place.START)
            found = self.inference.infer(state.value, context)
            depends = self.dependences.of(state.value)
            if depends.phase is not None and depends.phase.sort not in ("state", "phase number"):
                self.reporter.report(
                    errors.PhaseValueOutside(
                        depends.phase.span,
                        depends.phase.name,
                        "differs from phase to phase",
                        f"the start of `{name.text}`",
                        depends.phase.declared,
                        "share it over the phases, or write the start in another way",
                    )
                )
            self._fit(name.text, state.value, found, type_, declared_at(symbol), context)

    # ---- blocks ---------------------------------------------------------------------------------

    def _blocks(self) -> None:
        seen: dict[str, Statement] = {}
        # a loss may come before the output whose name it reads
        for statement in sorted(self.program.statements, key=lambda s: isinstance(s, Loss)):
            word = {Phase: "phase", Output: "output", Loss: "loss", Minimize: "minimize"}.get(
                type(statement)
            )
            if word is None:
                continue
            if word in seen:
                self.reporter.report(errors.BlockTwice(_head(statement), word, _head(seen[word])))
                continue
            seen[word] = statement
            match statement:
                case Phase():
                    self._phase(statement)
                case Output():
                    self._output(statement)
                case Minimize():
                    self._objective(statement)
                case Loss():
                    self._loss(statement)
                case _:
                    pass
        self._completeness(seen)

    def _completeness(self, seen: dict[str, Statement]) -> None:
        states = [s for s in self.symbols.values() if s.sort is Sort.STATE]
        if self.program.kind == "algorithm" and "output" not in seen:
            self.reporter.report(
                errors.MissingOutput(self.program.name.span, tuple(s.name for s in states))
            )
        phase = seen.get("phase")
        if not isinstance(phase, Phase):
            if states:
                self.reporter.report(errors.MissingPhase(states[0].span, states[0].name))
            return
        updated = {line.target.text for line in phase.body if isinstance(line, Update)}
        for state in states:
            if state.name not in updated | self.program.poisoned:
                self.reporter.report(errors.StateNeverUpdated(state.span, state.name, phase.span))

    def _phase(self, phase: Phase) -> None:
        if phase.count is not None:
            count = self._number(phase.count)
            if count is None or count < 1 or count != math.floor(count):
                self.reporter.report(
                    errors.PhaseCountInvalid(phase.count.span, expression_text(phase.count))
                )
            else:
                self.phases = int(count)
        if self.phases is None:
            self.phases = 10
        context = self._context(Place.PHASE)
        for line in phase.body:
            found = self.inference.infer(line.value, context)
            match line:
                case Update(target):
                    self._update(target, line, found, context)
                case Local(name):
                    symbol = self.symbols.get(name.text)
                    if symbol is None or symbol.definer is line:
                        context.local[name.text] = found
                        context.local_spans[name.text] = name.span
                case Trace(name):
                    if not isinstance(found, Array | Unknown):
                        self.reporter.report(
                            errors.MapAsValue(
                                self.inference.operand(line.value, found, context), "a trace"
                            )
                        )
                        found = UNKNOWN
                    symbol = self.symbols.get(name.text)
                    if symbol is not None and symbol.definer is line:
                        self.symbols[name.text] = Symbol(
                            name.text, symbol.sort, symbol.span, line, found
                        )
                case _:
                    assert_never(line)

    def _update(self, target: Name, line: Update, found: Type, context: Context) -> None:
        symbol = self.symbols.get(target.text)
        if symbol is None or symbol.sort is not Sort.STATE:
            if symbol is None:  # what reads it is right as soon as it is declared
                context.local.setdefault(target.text, found)
                context.local_spans.setdefault(target.text, target.span)
            if target.text in self.program.poisoned and symbol is None:
                return
            states = [s.name for s in self.symbols.values() if s.sort is Sort.STATE]
            self.reporter.report(
                errors.UpdateOfNonState(
                    target.span,
                    target.text,
                    symbol.sort.value if symbol is not None else None,
                    symbol.span if symbol is not None else None,
                    near(target.text, states) if symbol is None else (),
                )
            )
            return
        declared = symbol.type or UNKNOWN
        self._fit(target.text, line.value, found, declared, declared_at(symbol), context)

    def _output(self, output: Output) -> None:
        context = self._context(Place.OUTPUT)
        for name, value in zip(output.names, output.values, strict=True):
            found = self.inference.array(value, context, "`output`")
            self._no_phase(value, "`output`")
            if name is not None:
                self._new(name)
                self.outputs[name.text] = found or UNKNOWN, name.span

    def _new(self, name: Name) -> None:
        """Report a name of the last blocks that something else has already."""
        if name.text in RESERVED:
            meaning = RESERVED[name.text]
            self.reporter.report(errors.ReservedName(name.span, name.text, meaning))
        first = self.symbols.get(name.text)
        found = (first.span, first.sort.value) if first is not None else None
        if found is None and name.text in self.outputs:
            found = self.outputs[name.text][1], "output"
        if found is not None:
            self.reporter.report(errors.DeclaredTwice(name.span, name.text, *found))

    def _no_phase(self, value: Expr, place: str) -> None:
        for name in names_in(value, sums=False):
            cause = self.dependences.of(name).phase
            if cause is None or cause.sort in ("state", "local value", "trace", "phase number"):
                continue
            self.reporter.report(
                errors.PhaseValueOutside(
                    cause.span,
                    cause.name,
                    "has a value per phase",
                    place,
                    cause.declared,
                    "share it over the phases (remove `per phase`), or apply it within the phase",
                )
            )

    def _objective(self, minimize: Minimize) -> None:
        context = self._context(Place.OBJECTIVE)
        for variable in minimize.variables:
            symbol = self.symbols.get(variable.name.text)
            if variable.type is not None:
                space = self.declarations.space(variable.type)
                context.local[variable.name.text] = space or UNKNOWN
            elif symbol is not None and symbol.sort is Sort.STATE:
                context.local[variable.name.text] = symbol.type or UNKNOWN
            else:
                states = [s.name for s in self.symbols.values() if s.sort is Sort.STATE]
                if variable.name.text not in self.program.poisoned:
                    self.reporter.report(
                        errors.UnknownName(
                            variable.name.span,
                            variable.name.text,
                            near(variable.name.text, states) or tuple(states[:3]),
                        )
                    )
                context.local[variable.name.text] = UNKNOWN
            context.local_spans[variable.name.text] = variable.name.span
            self.variables[variable.name.text] = context.local[variable.name.text]
        self._scalar(minimize.body, context, "an objective")

    def _loss(self, loss: Loss) -> None:
        context = self._context(Place.LOSS)
        for word, (type_, span) in self.outputs.items():
            context.local[word] = type_
            context.local_spans[word] = span
        if self.program.kind == "problem":  # whatever solves it gives these
            context.local.update(self.variables)
        for target in loss.targets:
            name = target.name.text
            self._new(target.name)
            if target.type is None:
                self.reporter.report(
                    errors.NotAllowedHere(
                        target.name.span,
                        f"target `{name}` has no type",
                        "which space does it lie in?",
                        f"write `loss ({name} : vector[n]):`",
                    )
                )
            space = self.declarations.space(target.type) if target.type is not None else None
            context.local[name] = space or UNKNOWN
            context.local_spans[name] = target.name.span
            self.targets[name] = space or UNKNOWN, target.name.span
        # traces are seen under `sum over phases`, where infer.py looks them up as local names
        for symbol in self.symbols.values():
            if symbol.sort is Sort.TRACE:
                context.traces[symbol.name] = symbol.type or UNKNOWN
        self._scalar(loss.body, context, "a loss")
        self._no_phase(loss.body, "the loss")

    def _scalar(self, body: Expr, context: Context, what: str) -> None:
        found = self.inference.array(body, context, what)
        if found is not None and (found.rank or found.field is not Field.REAL):
            operand = self.inference.operand(body, found, context)
            self.reporter.report(errors.ScalarExpected(operand, what))


def _within(value: float, lower: float | None, upper: float | None, bounds: Bounds) -> bool:
    above = lower is None or value > lower or (value == lower and not bounds.lower_strict)
    below = upper is None or value < upper or (value == upper and not bounds.upper_strict)
    return above and below


def _head(statement: Statement) -> Span:
    """The first line of a block, for a label."""
    span = statement.span
    first = span.text.split("\n", 1)[0].rstrip()
    return Span(span.file, span.start, span.start + len(first))
