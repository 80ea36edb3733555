"""Program -> Program: what remains of a page without its iteration, that is its problem."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from unroll_dsl.semantics.scopes import names_in
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.templates import substitute, template

_ITERATION = (n.State, n.Phase, n.Output)


def problem_of(program: n.Program) -> n.Program:
    """The page without states, phases, outputs and what only these need; a loss that reads a state under
    the name of a variable stays."""
    if program.kind == "problem":
        return program
    kept = tuple(s for s in program.statements if not isinstance(s, _ITERATION))
    return without_idle(dataclasses.replace(program, kind="problem", statements=kept))


def without_idle(program: n.Program) -> n.Program:
    """The page without constants, lets and functions that nothing reads any more; inputs stay."""
    while True:
        read = {
            word.text
            for statement in program.statements
            for expr in expressions(statement)
            for word in names_in(expr)
        }
        kept = tuple(s for s in (_needed(s, read) for s in program.statements) if s is not None)
        if len(kept) == len(program.statements) and all(
            a is b for a, b in zip(kept, program.statements)
        ):
            return program
        program = dataclasses.replace(program, statements=kept)


def _needed(statement: n.Statement, read: set[str]) -> n.Statement | None:
    match statement:
        case n.Let(word) | n.Definition(word):
            return statement if word.text in read else None
        case n.Declaration(n.Role.FIXED | n.Role.LEARNABLE, names):
            kept = tuple(word for word in names if word.text in read)
            if len(kept) == len(names):
                return statement
            return dataclasses.replace(statement, names=kept) if kept else None
        case n.Dims(dimensions):
            sizes = tuple(d for d in dimensions if d.name.text in read)
            if len(sizes) == len(dimensions):
                return statement
            return dataclasses.replace(statement, dimensions=sizes) if sizes else None
        case _:
            return statement


def expressions(statement: n.Statement | n.PhaseStatement | n.StepStatement) -> Iterator[n.Expr]:
    """All formulas of a statement, sizes included; of a function what is not its own."""
    match statement:
        case n.Dims(dimensions):
            yield from (d.default for d in dimensions if d.default is not None)
        case n.Declaration(_, _, type_, bounds, _, value):
            yield from _of_type(type_)
            if bounds is not None:
                yield from (e for e in (bounds.lower, bounds.upper) if e is not None)
            if isinstance(value, n.RandomInit):
                yield from (a.value for a in value.arguments)
            elif value is not None:
                yield value
        case n.Let(_, value) | n.Measure(_, value) | n.Update(_, value) | n.Local(_, value):
            yield value
        case n.Trace(_, value):
            yield value
        case n.State(_, type_, value):
            yield from type_.dims
            if value is not None:
                yield value
        case n.Phase(count, body) | n.Repeat(count, body):
            if count is not None:
                yield count
            for line in body:
                yield from expressions(line)
        case n.Output(values):
            yield from values
        case n.Minimize(variables, body):
            for parameter in variables:
                if parameter.type is not None:
                    yield from parameter.type.dims
            yield body
        case n.Loss(targets, body):
            for target in targets:
                if target.type is not None:
                    yield from target.type.dims
            yield body
        case n.Definition(_, parameters, lines, value):
            own = {p.name.text for p in parameters} | {line.name.text for line in lines}
            free = {word: template("0") for word in own}
            yield from (substitute(line.value, free) for line in lines)
            yield substitute(value, free)


def declared_names(statement: n.Statement) -> Iterator[str]:
    """The names that a statement declares for all of the page."""
    match statement:
        case n.Dims(dimensions):
            yield from (d.name.text for d in dimensions)
        case n.Declaration(_, names) | n.State(names):
            yield from (word.text for word in names)
        case n.Let(word) | n.Definition(word):
            yield word.text
        case n.Loss(targets):
            yield from (p.name.text for p in targets)
        case n.Phase(_, body):
            yield from (s.name.text for s in body if isinstance(s, n.Local | n.Trace))
            for loop in body:
                if isinstance(loop, n.Repeat):
                    yield from (s.name.text for s in loop.body if isinstance(s, n.Local))
                    yield from (
                        w.text for s in loop.body if isinstance(s, n.State) for w in s.names
                    )
        case n.Output(_, names):
            yield from (word.text for word in names if word is not None)
        case _:
            pass


def _of_type(type_: n.TypeExpr) -> Iterator[n.Expr]:
    match type_:
        case n.SpaceType(_, dims):
            yield from dims
        case n.LinearType(domain, codomain):
            yield from (*domain.dims, *codomain.dims)
        case n.NetworkType(domains, codomain):
            yield from (dim for space in (*domains, codomain) for dim in space.dims)
        case n.ConvType(channels_in, channels_out, size):
            yield from (channels_in, channels_out, size)
        case n.LayerType(_, channels, numbers):
            yield from (*(channels or ()), *numbers)
        case n.ComposedType(steps) | n.RepeatedType(steps):
            for step in steps:
                if not isinstance(step, n.Name):
                    yield from _of_type(step)
