"""A problem -> its family: every method that serves, and every relaxation of what it gives."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator

from unroll_dsl.derive import derive
from unroll_dsl.derive.errors import MethodRefused
from unroll_dsl.derive.method import Method
from unroll_dsl.derive.run import methods
from unroll_dsl.derive.statements import with_statements
from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.diagnostics.raised import InternalError, UnrollError
from unroll_dsl.driver import check_source
from unroll_dsl.family.choices import own_constants, published, single
from unroll_dsl.family.model import Choice, Learnt, Member, NoMember, Row, UntrainedStart
from unroll_dsl.ir.build import build
from unroll_dsl.objectives import read
from unroll_dsl.passes.analysis.cost import cost
from unroll_dsl.passes.analysis.liveness import liveness
from unroll_dsl.relax import Relaxed, relax
from unroll_dsl.semantics import TypedProgram
from unroll_dsl.source import SourceFile, Span
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.printer import statement_text

# A curve on knots that says so is the classical one there, and linear in between.
_ON_KNOTS = frozenset({"shrinkage"})
_NONE_OWN = "the method declares no constants of its own"


def members(
    typed: TypedProgram,
    *,
    only: Collection[str] | None = None,
    statements: tuple[str, ...] = (),
) -> tuple[Row, ...]:
    """Every method, then what each relaxation makes of its algorithm, then networks of papers.

    Parameters
    ----------
    typed
        A checked problem, or an algorithm with `minimize`.
    only
        Names of methods; all by default.
    statements
        Put into the problem, in place of those of the same names.

    Returns
    -------
    tuple of Member or NoMember
        A method's algorithm first, then its relaxations in the order of `relaxation_names()`, then the recipes
        of shipped networks. A method that does not serve has one row alone.

    Raises
    ------
    UnrollError
        U0601, U0602, U0603 where the objective has no normal form; what is wrong with a statement.
    KeyError
        There is no such method.
    """
    problem = with_statements(typed, statements)
    read(problem)  # what has no normal form is told once, not by every method
    chosen = methods() if only is None else {name: methods()[name] for name in only}
    return tuple(row for method in chosen.values() for row in _of_method(problem, method))


def _of_method(problem: TypedProgram, method: Method) -> Iterator[Row]:
    plain = Choice("", method)
    seen: dict[tuple[str, ...], str] = {}
    first = _tried(problem, plain, seen)
    yield first
    if isinstance(first, NoMember):
        return
    page = _typed(f"{problem.program.name.text}_{plain.title}", first.text)
    own = own_constants(problem.program, page.program)
    for choice in single(method, own):
        if choice.name == "learn" and not own:
            yield NoMember(choice, _NONE_OWN, page.program.name.span)
        else:
            yield _relaxed(page, choice, problem, seen)
    for choice in published(method, problem.program):
        yield _tried(problem, choice, seen)


def _tried(problem: TypedProgram, choice: Choice, seen: dict[tuple[str, ...], str]) -> Row:
    """What comes of a choice from the problem on."""
    title = f"{problem.program.name.text}_{choice.title}"
    try:
        options = dataclasses.replace(choice.options, name=title)
        derivation = derive(problem, choice.method.name, options)
        page = _typed(title, derivation.text)
    except UnrollError as error:
        return _refused(choice, error, problem)
    if not choice.relaxations:
        return _member(choice, page, derivation.text, (), seen)
    return _relaxed(page, choice, problem, seen)


def _relaxed(
    page: TypedProgram, choice: Choice, problem: TypedProgram, seen: dict[tuple[str, ...], str]
) -> Row:
    """What comes of the relaxations of a choice from the page on."""
    title = f"{problem.program.name.text}_{choice.title}"
    try:
        steps = relax(page, choice.relaxations, title)
    except UnrollError as error:
        return _refused(choice, error, problem)
    return _member(choice, steps[-1].typed, steps[-1].text, steps, seen)


def _refused(choice: Choice, error: UnrollError, problem: TypedProgram) -> NoMember:
    first = next((d for d in error.diagnostics if d.is_error), error.diagnostics[0])
    reason = getattr(first, "reason", None) or first.message()
    instead = first.instead if isinstance(first, MethodRefused) else ()
    return NoMember(choice, reason, _place(first, problem), instead)


def _place(diagnostic: Diagnostic, problem: TypedProgram) -> Span:
    labels = diagnostic.labels()
    return labels[0].span if labels else problem.program.name.span


def _typed(title: str, text: str) -> TypedProgram:
    """A derived page, which was checked as it was written."""
    checked = check_source(SourceFile(f"{title}.unroll", text))
    if checked.typed is None:
        raise InternalError(f"a derived page is wrong: {checked.diagnostics[0].message()}")
    return checked.typed


def _member(
    choice: Choice,
    page: TypedProgram,
    text: str,
    steps: tuple[Relaxed, ...],
    seen: dict[tuple[str, ...], str],
) -> Member:
    graph = build(page)
    found = cost(graph, {name: size for name, size in graph.dims if size is not None})
    live = liveness(graph, training=graph.loss is not None).parameters
    learnt = (p for p in graph.parameters if p.trainable and p.name in live)
    states = [w.text for s in page.program.statements if isinstance(s, n.State) for w in s.names]
    phases = (s for s in page.program.statements if isinstance(s, n.Phase))
    notes = tuple(note for step in steps for note in step.notes)  # of what starts otherwise
    same = seen.setdefault(_statements(page.program), choice.name)
    return Member(
        choice,
        page.program.name.text,
        tuple((word, str(page.symbols[word].type)) for word in states),
        tuple(Learnt(p.name, str(p.type), p.per_phase) for p in learnt),
        found.per_phase,
        found.shared,
        sum(len(phase.body) for phase in phases),
        graph.phases,
        _start(steps),
        notes,
        same if same != choice.name else None,
        text,
    )


def _start(steps: tuple[Relaxed, ...]) -> UntrainedStart:
    said = [note for step in steps if step.relaxation.name not in _ON_KNOTS for note in step.notes]
    if said or not all(step.relaxation.classical for step in steps):
        return UntrainedStart.ELSEWHERE
    near = any(step.notes for step in steps if step.relaxation.name in _ON_KNOTS)
    return UntrainedStart.NEAR if near else UntrainedStart.EXACT


def _statements(program: n.Program) -> tuple[str, ...]:
    return tuple(statement_text(s) for s in program.statements)
