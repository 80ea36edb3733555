"""Problem and scheme -> page: a program of the language, as a person would have written it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from unroll_dsl.derive.model import Constant, Options, Scheme, State
from unroll_dsl.objectives.model import NormalForm
from unroll_dsl.objectives.problem import problem_of, without_idle
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.pages import ordered, page_text
from unroll_dsl.syntax.printer import expression_text, same_tree
from unroll_dsl.syntax.templates import one_statement, substitute, template
from unroll_dsl.syntax.tidy import name


def page(form: NormalForm, scheme: Scheme, options: Options, title: str) -> str:
    """The text of the page."""
    problem = problem_of(form.typed.program)
    place = template("0").span
    statements = [*_kept(problem), *map(_constant, scheme.constants)]
    statements += [one_statement(text) for p in form.penalties for text in p.functions]
    minimize = next(s for s in problem.statements if isinstance(s, n.Minimize))
    renamed = {v: name(s) for v, s in scheme.minimised.items() if v != s}
    variables = tuple(
        n.Parameter(name(scheme.minimised[p.name.text]), None, place) for p in minimize.variables
    )
    objective = substitute(minimize.body, renamed)
    statements.append(n.Minimize(variables, objective, minimize.comment, place))
    statements += map(_state, _merged(scheme.states, scheme.minimised, options.start))
    lines = tuple(
        n.Update(name(line.target), line.value, line.comment, place)
        if line.update
        else n.Local(name(line.target), line.value, line.comment, place)
        for line in scheme.lines
    )
    phases = options.phases or scheme.phases
    statements.append(n.Phase(n.Number(phases, place), lines, "", place))
    output = (template(options.output),) if options.output is not None else scheme.output
    statements.append(n.Output(output, (None,) * len(output), "", place))
    statements += [
        _renamed(s, renamed) for s in problem.statements if isinstance(s, n.Loss | n.Measure)
    ]
    program = n.Program(
        "algorithm", name(title), tuple(statements), scheme.comment, problem.file, place
    )
    return page_text(ordered(without_idle(program)))


def _kept(problem: n.Program) -> Iterator[n.Statement]:
    for statement in problem.statements:
        match statement:
            case n.Dims() | n.Declaration() | n.Let() | n.Definition():
                yield statement
            case _:
                pass


def _renamed(statement: n.Loss | n.Measure, names: dict[str, n.Name]) -> n.Statement:
    match statement:
        case n.Loss(_, body):
            return dataclasses.replace(statement, body=substitute(body, names))
        case _:
            return statement


def _constant(constant: Constant) -> n.Statement:
    value = "" if constant.value is None else f" = {expression_text(constant.value)}"
    if constant.type is None:
        text = f"let {constant.name}{value}"
    else:
        text = f"fixed {constant.name} : {constant.type}{constant.bounds}{value}"
    return dataclasses.replace(one_statement(text), comment=constant.comment)


def _merged(
    states: tuple[State, ...], minimised: Mapping[str, str], start: str | None
) -> Iterator[State]:
    """States of one type and start in one line; what is extrapolated starts where its state does."""
    waiting: list[State] = []
    for state in states:
        if start is not None and set(state.names) & set(minimised.values()):
            state = dataclasses.replace(state, start=template(start))
        last = waiting[-1] if waiting else None
        alike = last is not None and last.type == state.type and same_tree(last.start, state.start)
        if last is not None and alike and not (last.comment and state.comment):
            names, comment = last.names + state.names, last.comment or state.comment
            waiting[-1] = State(names, last.type, last.start, comment)
        else:
            waiting.append(state)
    yield from waiting


def _state(state: State) -> n.Statement:
    text = f"state {', '.join(state.names)} : {state.type} = {expression_text(state.start)}"
    return dataclasses.replace(one_statement(text), comment=state.comment)
