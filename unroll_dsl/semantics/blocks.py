"""The blocks of a program: `phase`, `output`, `minimize`, `loss`."""

from __future__ import annotations

from unroll_dsl.near import near
from unroll_dsl.semantics import errors
from unroll_dsl.semantics.checking import Checking
from unroll_dsl.semantics.model import Sort
from unroll_dsl.semantics.phases import check_phase, lines_of
from unroll_dsl.semantics.scopes import RESERVED, Place, names_in
from unroll_dsl.source import Span
from unroll_dsl.syntax.nodes import (
    Expr,
    Local,
    Loss,
    Minimize,
    Name,
    Output,
    Phase,
    Statement,
    Update,
)
from unroll_dsl.types import UNKNOWN, Type

_WORDS: dict[type[Statement], str] = {
    Phase: "phase",
    Output: "output",
    Loss: "loss",
    Minimize: "minimize",
}
_KNOWN_AFTERWARDS = ("state", Sort.INNER.value, "local value", "trace", "phase number")


def check_blocks(checking: Checking) -> None:
    """Look at each block, and at what is missing."""
    seen: dict[str, Statement] = {}
    # a loss may come before the output whose name it reads
    for statement in sorted(checking.program.statements, key=lambda s: isinstance(s, Loss)):
        word = _WORDS.get(type(statement))
        if word is None:
            continue
        if word in seen:
            first = _head(seen[word])
            checking.reporter.report(errors.BlockTwice(_head(statement), word, first))
            continue
        seen[word] = statement
        match statement:
            case Phase():
                check_phase(checking, statement)
            case Output():
                _output(checking, statement)
            case Minimize():
                _objective(checking, statement)
            case Loss():
                _loss(checking, statement)
            case _:
                pass
    _completeness(checking, seen)


def _completeness(checking: Checking, seen: dict[str, Statement]) -> None:
    program, states = checking.program, checking.states()
    if (
        program.kind == "algorithm"
        and "output" not in seen
        and not program.poisoned & {"output", "return"}
    ):
        names = tuple(state.name for state in states)
        checking.reporter.report(errors.MissingOutput(program.name.span, names))
    phase = seen.get("phase")
    if not isinstance(phase, Phase):
        if states and "phase" not in program.poisoned:
            checking.reporter.report(errors.MissingPhase(states[0].span, states[0].name))
        return
    updated = {line.target.text for line in lines_of(phase) if isinstance(line, Update)}
    updated |= {line.name.text for line in lines_of(phase) if isinstance(line, Local)}  # told there
    for state in states:
        if state.name not in updated | program.poisoned:
            report = errors.StateNeverUpdated(state.span, state.name, phase.span)
            checking.reporter.report(report)


# ---- what is read after the last phase ----------------------------------------------------------


def _output(checking: Checking, output: Output) -> None:
    context = checking.context(Place.OUTPUT)
    for name, value in zip(output.names, output.values, strict=True):
        found = checking.inference.array(value, context, "`output`")
        _no_phase(checking, value, "`output`")
        if name is not None:
            _new(checking, name)
            checking.outputs[name.text] = found or UNKNOWN, name.span


def _objective(checking: Checking, minimize: Minimize) -> None:
    context = checking.context(Place.OBJECTIVE)
    for variable in minimize.variables:
        name = variable.name.text
        if variable.type is not None:
            type_: Type = checking.declarations.space(variable.type) or UNKNOWN
        else:
            type_ = _state_type(checking, variable.name)
        context.local[name] = checking.variables[name] = type_
        context.local_spans[name] = variable.name.span
    checking.scalar(minimize.body, context, "an objective")


def _state_type(checking: Checking, name: Name) -> Type:
    """The type of a variable without one of its own: that of the state of its name."""
    symbol = checking.symbols.get(name.text)
    if symbol is not None and symbol.sort is Sort.STATE:
        return symbol.type or UNKNOWN
    if name.text not in checking.program.poisoned:
        states = [s.name for s in checking.states()]
        close = near(name.text, states) or tuple(states[:3])
        checking.reporter.report(errors.UnknownName(name.span, name.text, close))
    return UNKNOWN


def _loss(checking: Checking, loss: Loss) -> None:
    context = checking.context(Place.LOSS)
    for word, (type_, span) in checking.outputs.items():
        context.local[word] = type_
        context.local_spans[word] = span
    if checking.program.kind == "problem":  # whatever solves it gives these
        context.local.update(checking.variables)
    for target in loss.targets:
        name = target.name.text
        _new(checking, target.name)
        if name in checking.targets:
            first = checking.targets[name][1]
            again = errors.DeclaredTwice(target.name.span, name, first, Sort.TARGET.value)
            checking.reporter.report(again)
        space: Type = UNKNOWN
        if target.type is None:
            why = errors.NotAllowedHere.Why.TARGET
            checking.reporter.report(errors.NotAllowedHere(target.name.span, name, why))
        else:
            space = checking.declarations.space(target.type) or UNKNOWN
        context.local[name] = space
        context.local_spans[name] = target.name.span
        checking.targets[name] = space, target.name.span
    # traces are seen under `sum over phases`, where infer.py looks them up as local names
    for symbol in checking.symbols.values():
        if symbol.sort is Sort.TRACE:
            context.traces[symbol.name] = symbol.type or UNKNOWN
    checking.scalar(loss.body, context, "a loss")
    _no_phase(checking, loss.body, "the loss")


def _new(checking: Checking, name: Name) -> None:
    """Report a name of the last blocks that something else has already."""
    if name.text in RESERVED:
        report = errors.ReservedName(name.span, name.text, RESERVED[name.text])
        checking.reporter.report(report)
    first = checking.symbols.get(name.text)
    found = (first.span, first.sort.value) if first is not None else None
    if found is None and name.text in checking.outputs:
        found = checking.outputs[name.text][1], "output"
    if found is not None:
        checking.reporter.report(errors.DeclaredTwice(name.span, name.text, *found))


def _no_phase(checking: Checking, value: Expr, place: str) -> None:
    """Report what differs from phase to phase and is read where there is none."""
    for name in names_in(value, sums=False):
        cause = checking.dependences.of(name).phase
        if cause is not None and cause.sort not in _KNOWN_AFTERWARDS:
            why = errors.PhaseValueOutside.Why.OUTSIDE
            checking.reporter.report(errors.PhaseValueOutside(cause, place, why))


def _head(statement: Statement) -> Span:
    """The first line of a block, for a label."""
    span = statement.span
    first = span.text.split("\n", 1)[0].rstrip()
    return Span(span.file, span.start, span.start + len(first))
