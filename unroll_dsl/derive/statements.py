"""Statements of a user put into a problem, in place of those of the same names, before a method sees it."""

from __future__ import annotations

import dataclasses

from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.driver import check_source
from unroll_dsl.objectives.problem import declared_names
from unroll_dsl.semantics import TypedProgram
from unroll_dsl.source import SourceFile
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.pages import page_text
from unroll_dsl.syntax.parser import parse


def with_statements(typed: TypedProgram, texts: tuple[str, ...]) -> TypedProgram:
    """The program with `let D = grad(padding=circular)`, `fixed Q : ...`, `def g(v) = ...` put in.

    Raises
    ------
    UnrollError
        What is wrong with a statement, or with the program that has it.
    """
    if not texts:
        return typed
    program = typed.program
    for text in texts:
        program = _with(program, text)
    name = f"{program.name.text}.unroll"
    checked = check_source(SourceFile(name, page_text(program)))
    if checked.typed is None or checked.has_errors:
        raise UnrollError(checked.diagnostics)
    return checked.typed


def _with(program: n.Program, text: str) -> n.Program:
    result = parse(SourceFile("<option>", f"{program.kind} option\n{text}\n"))
    if result.program is None or result.diagnostics:
        raise UnrollError(result.diagnostics)
    statements = list(program.statements)
    for new in result.program.statements:
        names = set(declared_names(new))
        places = [i for i, s in enumerate(statements) if _replaces(new, names, s)]
        if not places:
            place = next((i for i, s in enumerate(statements) if isinstance(s, n.Minimize)), 0)
            last = isinstance(new, n.Loss | n.Measure)
            statements.insert(len(statements) if last else place, new)
            continue
        old = statements[places[0]]
        comment = new.comment or (old.comment if type(old) is type(new) else "")
        statements[places[0]] = dataclasses.replace(new, comment=comment)
        for i in reversed(places[1:]):
            del statements[i]
    return dataclasses.replace(program, statements=tuple(statements))


def _replaces(new: n.Statement, names: set[str], old: n.Statement) -> bool:
    """Whether a statement stands in the place of the new one: of its name, or the one of its kind."""
    match new:
        case n.Minimize() | n.Loss():
            return type(new) is type(old)
        case n.Measure(word):
            return isinstance(old, n.Measure) and old.name.text == word.text
    return bool(names & set(declared_names(old))) and not isinstance(old, n.Loss)
