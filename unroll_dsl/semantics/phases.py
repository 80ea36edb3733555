"""The lines of a phase, and of the inner loops in it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import assert_never

from unroll_dsl.near import near
from unroll_dsl.semantics import errors
from unroll_dsl.semantics.checking import Checking
from unroll_dsl.semantics.declarations import declared_at
from unroll_dsl.semantics.fitting import fit
from unroll_dsl.semantics.model import Sort, Symbol
from unroll_dsl.semantics.scopes import Context, Place
from unroll_dsl.semantics.values import check_start
from unroll_dsl.syntax.nodes import (
    Local,
    Phase,
    PhaseStatement,
    Repeat,
    State,
    StepStatement,
    Trace,
    Update,
)
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.types import UNKNOWN, Array, Type, Unknown


def lines_of(phase: Phase) -> Iterator[PhaseStatement | StepStatement]:
    """The lines of a phase, those of its inner loops too."""
    for line in phase.body:
        yield line
        if isinstance(line, Repeat):
            yield from line.body


def check_phase(checking: Checking, phase: Phase) -> None:
    """Look at the number of phases and at each line."""
    checking.phases = 10
    if phase.count is not None:
        count = checking.number(phase.count)
        if count is None or count < 1 or count != math.floor(count):
            text = expression_text(phase.count)
            checking.reporter.report(errors.PhaseCountInvalid(phase.count.span, text))
        else:
            checking.phases = int(count)
    context = checking.context(Place.PHASE)
    targets = {line.target.text for line in lines_of(phase) if isinstance(line, Update)}
    checking.inference.poisoned |= targets - set(checking.symbols)  # told where it is updated
    for line in phase.body:
        if isinstance(line, Repeat):
            _repeat(checking, line, context)
        else:
            _line(checking, line, context)


def _line(checking: Checking, line: Update | Local | Trace, context: Context) -> None:
    found = checking.inference.infer(line.value, context)
    match line:
        case Update():
            _update(checking, line, found, context)
        case Local(name):
            symbol = checking.symbols.get(name.text)
            if symbol is None or symbol.definer is line:
                context.local[name.text] = found
                context.local_spans[name.text] = name.span
        case Trace():
            _trace(checking, line, found, context)
        case _:
            assert_never(line)


def _repeat(checking: Checking, repeat: Repeat, context: Context) -> None:
    """An inner loop: what its lines name is seen in a step, its states after it too."""
    for line in repeat.body:
        if isinstance(line, State):
            check_start(checking, line, context)
            for name in line.names:
                symbol = checking.symbols.get(name.text)
                if symbol is not None and symbol.definer is line:
                    context.local[name.text] = symbol.type or UNKNOWN
                    context.local_spans[name.text] = name.span
    outside = {*context.local}
    context.in_step = True
    for line in repeat.body:
        if not isinstance(line, State):
            _line(checking, line, context)
    context.in_step = False
    for word in {*context.local} - outside:
        del context.local[word], context.local_spans[word]
    updated = {line.target.text for line in repeat.body if isinstance(line, Update)}
    for line in repeat.body:
        for name in line.names if isinstance(line, State) else ():
            if name.text not in updated | checking.program.poisoned:
                report = errors.StateNeverUpdated(name.span, name.text, repeat.span)
                checking.reporter.report(report)


def _update(checking: Checking, line: Update, found: Type, context: Context) -> None:
    target = line.target
    symbol = checking.symbols.get(target.text)
    if symbol is not None and _is_state_here(symbol, context):
        declared = symbol.type or UNKNOWN
        fit(checking, target.text, line.value, found, declared, declared_at(symbol), context)
        return
    if symbol is None:  # what reads it is right as soon as it is declared
        context.local.setdefault(target.text, found)
        context.local_spans.setdefault(target.text, target.span)
        if target.text in checking.program.poisoned:
            return
    close = near(target.text, [s.name for s in checking.states()]) if symbol is None else ()
    sort, place = (symbol.sort.value, symbol.span) if symbol is not None else (None, None)
    checking.reporter.report(errors.UpdateOfNonState(target.span, target.text, sort, place, close))


def _trace(checking: Checking, line: Trace, found: Type, context: Context) -> None:
    name = line.name
    if not isinstance(found, Array | Unknown):
        operand = checking.inference.operand(line.value, found, context)
        checking.reporter.report(errors.MapAsValue(operand, "a trace"))
        found = UNKNOWN
    symbol = checking.symbols.get(name.text)
    if symbol is not None and symbol.definer is line:
        checking.symbols[name.text] = Symbol(name.text, symbol.sort, symbol.span, line, found)


def _is_state_here(symbol: Symbol, context: Context) -> bool:
    """Whether a name can be updated: a state, or in its own loop a state of that."""
    inner = symbol.sort is Sort.INNER and context.in_step and symbol.name in context.local
    return symbol.sort is Sort.STATE or inner
