"""The terms of a loss, each as a program of its own.

    loss (target : image[1, h, w]):
        mean((x - target)^2) + 0.01 * sum over phases mean(symmetry^2)

has two: the tree is split at the sums outermost in it, and a program whose loss is one of them is checked and
compiled as any other.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from unroll_dsl.syntax.nodes import Binary, Expr, Loss, Program, Unary
from unroll_dsl.syntax.printer import expression_text


def loss_of(program: Program) -> Loss | None:
    """The loss of a program."""
    return next((s for s in program.statements if isinstance(s, Loss)), None)


def term_names(program: Program) -> tuple[str, ...]:
    """The terms as they are written, in order; none where the loss is a single one."""
    loss = loss_of(program)
    bodies = tuple(_summands(loss.body)) if loss is not None else ()
    return tuple(dict.fromkeys(map(expression_text, bodies))) if len(bodies) > 1 else ()


def loss_terms(program: Program) -> dict[str, Program]:
    """By its text, the program whose loss is that term alone."""
    loss = loss_of(program)
    if loss is None or not term_names(program):
        return {}
    found = {}
    for body in _summands(loss.body):
        alone = dataclasses.replace(loss, body=body)
        statements = tuple(alone if s is loss else s for s in program.statements)
        found[expression_text(body)] = dataclasses.replace(program, statements=statements)
    return found


def _summands(body: Expr, sign: bool = True) -> Iterator[Expr]:
    match body:
        case Binary("+", left, right):
            yield from _summands(left, sign)
            yield from _summands(right, sign)
        case Binary("-", left, right):
            yield from _summands(left, sign)
            yield from _summands(right, not sign)
        case _:
            yield body if sign else Unary("-", body, body.span)
