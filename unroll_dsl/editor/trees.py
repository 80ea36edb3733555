"""Expressions of a tree, with what they stand in."""

from __future__ import annotations

from collections.abc import Iterator

from unroll_dsl.syntax import nodes as n

Placed = tuple[n.Expr, n.Expr | None]


def expressions_of(program: n.Program) -> Iterator[Placed]:
    """Every expression of the statements of a program, each with the one that it is a part of."""
    for statement in program.statements:
        for formula in _formulas(statement):
            yield from within(formula, None)


def within(expr: n.Expr, parent: n.Expr | None) -> Iterator[Placed]:
    """An expression and all in it."""
    yield expr, parent
    match expr:
        case n.Unary(_, operand) | n.Adjoint(operand) | n.PhaseSum(operand):
            yield from within(operand, expr)
        case n.Binary(_, left, right):
            yield from within(left, expr)
            yield from within(right, expr)
        case n.Call(function, arguments):
            yield from within(function, expr)
            for argument in arguments:
                yield from within(argument.value, expr)


def inner(expr: n.Expr) -> n.Expr:
    """The operand of an adjoint, else the expression."""
    return expr.operand if isinstance(expr, n.Adjoint) else expr


def _formulas(statement: n.Statement | n.PhaseStatement | n.StepStatement) -> Iterator[n.Expr]:
    match statement:
        case n.Dims(dimensions):
            yield from (d.default for d in dimensions if d.default is not None)
        case n.Declaration(bounds=bounds, value=value):
            if bounds is not None:
                yield from (b for b in (bounds.lower, bounds.upper) if b is not None)
            if value is not None and not isinstance(value, n.RandomInit):
                yield value
        case n.State(_, _, value):
            if value is not None:
                yield value
        case n.Let(_, value) | n.Measure(_, value):
            yield value
        case n.Update(_, value) | n.Local(_, value) | n.Trace(_, value):
            yield value
        case n.Phase(_, body) | n.Repeat(_, body):
            for line in body:
                yield from _formulas(line)
        case n.Output(values):
            yield from values
        case n.Minimize(body=value) | n.Loss(body=value):
            yield value
        case n.Definition() | n.BlockDefinition():
            for local in statement.locals:
                yield local.value
            yield statement.value
