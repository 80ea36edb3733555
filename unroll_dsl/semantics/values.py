"""Constraints, classical values and random starts of declarations; the starts of states."""

from __future__ import annotations

from unroll_dsl.near import near
from unroll_dsl.operators.random_init import RANDOM, needs_matrix
from unroll_dsl.semantics import errors
from unroll_dsl.semantics.checking import Checking
from unroll_dsl.semantics.declarations import declared_at
from unroll_dsl.semantics.errors import NotVisibleHere, PhaseValueOutside
from unroll_dsl.semantics.fitting import fit
from unroll_dsl.semantics.model import Symbol
from unroll_dsl.semantics.roles import misplaced
from unroll_dsl.semantics.scopes import Context, Place
from unroll_dsl.syntax.nodes import (
    Bounds,
    Declaration,
    Expr,
    Name,
    RandomInit,
    Role,
    Sharing,
    State,
)
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.types import UNKNOWN, Array, Field, Layer, LinearMap, Type, spreads


def check_declaration(checking: Checking, declaration: Declaration) -> None:
    """What a declaration says of each of its names besides the type."""
    for name in declaration.names:
        symbol = checking.symbols.get(name.text)
        if symbol is None or symbol.definer is not declaration:
            continue
        type_ = symbol.type or UNKNOWN
        if declaration.bounds is not None:
            _bounds(checking, name, type_, declaration.bounds, declaration.value)
        match declaration.value:
            case None:
                pass
            case _ if isinstance(type_, LinearMap):
                pass  # refused as a whole: roles.py
            case RandomInit() as random:
                _random(checking, random)
                _fans(checking, name, random, type_)
            case value:
                if declaration.role is not Role.INPUT:
                    _classical(checking, declaration, value, symbol, type_)
    first = checking.symbols.get(declaration.names[0].text)
    for problem in misplaced(declaration, (first and first.type) or UNKNOWN):
        checking.reporter.report(problem)


def check_state(checking: Checking, state: State) -> None:
    """The start of each state of a line."""
    check_start(checking, state, checking.context(Place.START))


def check_start(checking: Checking, state: State, context: Context) -> None:
    """The start of each state, which sees what `context` does: that of an inner loop what the phase has computed."""
    for name in state.names:
        symbol = checking.symbols.get(name.text)
        if symbol is None or symbol.definer is not state:
            continue
        if state.value is None:
            if name.text in checking.program.poisoned:  # as in a line `x = 0` below it
                continue
            report = errors.StateWithoutStart(name.span, name.text, state.type.span.text)
            checking.reporter.report(report)
            continue
        found = checking.inference.infer(state.value, context)
        cause = checking.dependences.of(state.value).phase
        if (
            context.place is Place.START
            and cause is not None
            and cause.sort not in ("state", "phase number")
        ):
            place = f"the start of `{name.text}`"
            checking.reporter.report(PhaseValueOutside(cause, place, PhaseValueOutside.Why.START))
        declared = symbol.type or UNKNOWN
        fit(checking, name.text, state.value, found, declared, declared_at(symbol), context)


# ---- constraints --------------------------------------------------------------------------------


def _bounds(
    checking: Checking, name: Name, type_: Type, bounds: Bounds, value: Expr | RandomInit | None
) -> None:
    if isinstance(type_, LinearMap | Layer) or (
        isinstance(type_, Array) and type_.field is Field.COMPLEX
    ):
        why = errors.WrongBounds.Why.UNORDERED
        checking.reporter.report(errors.WrongBounds(bounds.span, str(type_), why))
        return
    for bound in (bounds.lower, bounds.upper):
        if bound is not None and not _is_bound(checking, bound):
            return
    lower, upper = checking.number(bounds.lower), checking.number(bounds.upper)
    strict = bounds.lower_strict or bounds.upper_strict
    text = bounds.span.text.strip()
    if lower is not None and upper is not None and (lower > upper or (lower == upper and strict)):
        why = errors.WrongBounds.Why.EMPTY
        checking.reporter.report(errors.WrongBounds(bounds.span, text, why))
        return
    if value is None or isinstance(value, RandomInit):
        return
    start = checking.number(value)
    if start is not None and not _within(start, lower, upper, bounds):
        shown = f"{start:g}"
        checking.reporter.report(
            errors.BoundViolated(value.span, name.text, shown, text, bounds.span)
        )


def _is_bound(checking: Checking, bound: Expr) -> bool:
    """Whether an expression can be a bound: one real number, the same whatever is learnt or given."""
    context = checking.context(Place.BOUND)
    found = checking.inference.array(bound, context, "a constraint")
    if found is None:
        return False
    if found.rank or found.field is Field.COMPLEX:
        operand = checking.inference.operand(bound, found, context)
        checking.reporter.report(errors.ScalarExpected(operand, "a bound"))
        return False
    depends = checking.dependences.of(bound)
    cause = depends.phase or depends.learnable or depends.input
    if cause is not None:
        mend = NotVisibleHere.Mend.BOUND
        checking.reporter.report(NotVisibleHere(cause, Place.BOUND.value, mend))
    return cause is None


def _within(value: float, lower: float | None, upper: float | None, bounds: Bounds) -> bool:
    above = lower is None or value > lower or (value == lower and not bounds.lower_strict)
    below = upper is None or value < upper or (value == upper and not bounds.upper_strict)
    return above and below


# ---- values -------------------------------------------------------------------------------------


def _classical(
    checking: Checking, declaration: Declaration, value: Expr, symbol: Symbol, type_: Type
) -> None:
    context = checking.context(Place.INITIAL)
    found = checking.inference.infer(value, context)
    depends = checking.dependences.of(value)
    name, report = symbol.name, checking.reporter.report
    if depends.input is not None:
        mend = NotVisibleHere.Mend.CLASSICAL
        report(NotVisibleHere(depends.input, Place.INITIAL.value, mend))
    elif depends.phase is not None and declaration.sharing is Sharing.SHARED:
        place = f"the classical value of `{name}`, which all phases share"
        report(PhaseValueOutside(depends.phase, place, PhaseValueOutside.Why.SHARED, name))
    elif depends.learnable is not None and declaration.role is Role.FIXED:
        mend = NotVisibleHere.Mend.FIXED
        report(NotVisibleHere(depends.learnable, "a fixed value", mend, name))
    if isinstance(found, Array) and isinstance(type_, Array) and spreads(found, type_):
        found = Array((), found.field)  # repeated along the first axes, as a number is
    fit(checking, name, value, found, type_, declared_at(symbol), context)


def _random(checking: Checking, value: RandomInit) -> None:
    word = value.name.text
    if word not in RANDOM:
        known, close = tuple(RANDOM), near(word, RANDOM)
        checking.reporter.report(
            errors.UnknownWord(value.name.span, word, "random start", known, close)
        )
        return
    for argument in value.arguments:
        if checking.number(argument.value) is None:
            what, text = f"an argument of `{word}`", expression_text(argument.value)
            checking.reporter.report(errors.NumberExpected(argument.span, what, text))


def _fans(checking: Checking, name: Name, value: RandomInit, type_: Type) -> None:
    """A scale that comes from rows and columns wants some."""
    word = value.name.text
    if isinstance(type_, Array) and needs_matrix(word) and checking.symbols[name.text].per_step:
        why = errors.NotAllowedHere.Why.STEP_FANS
        checking.reporter.report(errors.NotAllowedHere(value.span, name.text, why, word))
    elif isinstance(type_, Array) and type_.rank < 2 and needs_matrix(word):
        checking.reporter.report(
            errors.CallMismatch.without_sides(word, name.text, str(type_), value.span)
        )
    elif isinstance(type_, Array) and type_.field is Field.COMPLEX and word == "orthogonal":
        checking.reporter.report(
            errors.CallMismatch.complex_start(word, name.text, str(type_), value.span)
        )
