"""`measure` lines as a program of their own.

    measure y  = A @ x_star + sigma * noise         algorithm NAME_measurement
    measure x0 = A' @ y                       =>    input x_star, noise_y
                                                    let y  = A @ x_star + sigma * noise_y
                                                    let x0 = A' @ y
                                                    output y, x0

Targets of the loss come in, in the order of the loss, then noise; inputs of the network go out. Of the other
statements those remain that the lines need.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import assert_never

from unroll_dsl.semantics.measures import measures, needed_by
from unroll_dsl.semantics.scopes import NOISE, names_in
from unroll_dsl.syntax.nodes import (
    Adjoint,
    Argument,
    Binary,
    BlockDefinition,
    Call,
    Chain,
    Declaration,
    Definition,
    Dims,
    Expr,
    Let,
    Loss,
    Measure,
    Name,
    Number,
    Output,
    PhaseSum,
    Program,
    Role,
    Sharing,
    SpaceType,
    Statement,
    Unary,
)


def noisy_lines(program: Program) -> tuple[Measure, ...]:
    """The `measure` lines that read `noise`, from top to bottom."""
    lines = measures(program)
    return tuple(x for x in lines if any(name.text == NOISE for name in names_in(x.value)))


def data_program(program: Program) -> Program:
    """The program that makes the inputs; `program` has been checked and has `measure` lines."""
    lines, noisy = measures(program), noisy_lines(program)
    needed = needed_by(program, (line.value for line in lines))
    made = {line.name.text: line for line in lines}
    spaces = {
        name.text: statement
        for statement in program.statements
        if isinstance(statement, Declaration)
        for name in statement.names
    }
    taken = needed | {*made, *spaces}
    noises = {line.name.text: _fresh(f"{NOISE}_{line.name.text}", taken) for line in noisy}
    statements: list[Statement] = []
    for statement in program.statements:
        statements += _kept(statement, needed, frozenset(made))
    for line in noisy:
        type_ = spaces[line.name.text].type
        assert isinstance(type_, SpaceType)
        name = Name(noises[line.name.text], line.name.span)
        statements.append(_input(name, type_, "white noise"))
    for line in lines:
        value = _renamed(line.value, noises.get(line.name.text, NOISE))
        statements.append(Let(line.name, value, line.comment, line.span))
    names = tuple(Name(line.name.text, line.name.span) for line in lines)
    statements.append(Output(names, (None,) * len(names), "", lines[-1].span))
    title = f"The data of {program.name.text}, made of the targets of its loss."
    name = Name(f"{program.name.text}_measurement", program.name.span)
    return dataclasses.replace(
        program, kind="algorithm", name=name, comment=title, statements=tuple(statements)
    )


def _kept(
    statement: Statement, needed: frozenset[str], made: frozenset[str]
) -> Iterator[Statement]:
    """What remains of a statement of the network where data are made."""
    match statement:
        case Dims() | Definition() | BlockDefinition():
            yield statement
        case Let(name):
            if name.text in needed:
                yield statement
        case Declaration(role, names):
            kept = tuple(name for name in names if name.text in needed - made)
            if kept and role is not Role.INPUT:
                yield dataclasses.replace(statement, names=kept)
        case Loss(targets):
            for target in targets:
                if target.name.text in needed and target.type is not None:
                    yield _input(target.name, target.type, "")
        case _:
            pass


def _input(name: Name, type_: SpaceType, comment: str) -> Declaration:
    return Declaration(Role.INPUT, (name,), type_, None, Sharing.SHARED, None, comment, name.span)


def _fresh(name: str, taken: frozenset[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _renamed(expr: Expr, noise: str) -> Expr:
    """A formula with `noise` under another name; every other node is kept."""
    match expr:
        case Name(text, span):
            return Name(noise, span) if text == NOISE else expr
        case Unary(_, operand) | Adjoint(operand):
            return dataclasses.replace(expr, operand=_renamed(operand, noise))
        case Binary(_, left, right):
            return dataclasses.replace(
                expr, left=_renamed(left, noise), right=_renamed(right, noise)
            )
        case Call(function, arguments):
            renamed: tuple[Argument, ...] = tuple(
                dataclasses.replace(a, value=_renamed(a.value, noise)) for a in arguments
            )
            return dataclasses.replace(expr, function=_renamed(function, noise), arguments=renamed)
        case PhaseSum(body):
            return dataclasses.replace(expr, body=_renamed(body, noise))
        case Number() | Chain():
            return expr
        case _:
            assert_never(expr)
