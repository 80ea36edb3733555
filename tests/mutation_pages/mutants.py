"""Pages with one mistake each, made by machine from a page that is right.

    sign       + for -, a minus lost
    factor     a factor or a divisor lost, a square lost, a number or an argument 10 % off
    operand    another name of the page in place of one
    stale      the value that a state had before the phase, in place of the new one, or the other way
    missing    a step left out: a state not updated, a function not applied

Mistakes are made in the phase, in formulas (`let`), in classical values of learnables and in outputs. What is
`fixed` is the caller's, and no mistake.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator
from typing import Any

from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.loading import loads
from unroll_dsl.spec import Spec
from unroll_dsl.syntax.nodes import (
    Argument,
    Binary,
    Call,
    Declaration,
    Let,
    Local,
    Name,
    Number,
    Output,
    Phase,
    Program,
    RandomInit,
    Role,
    State,
    Unary,
    Update,
)
from unroll_dsl.syntax.printer import statement_text, to_text

KINDS = ("sign", "factor", "operand", "stale", "missing")


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A page with a mistake: its kind, the line as it was and as it is, and the whole."""

    kind: str
    before: str
    after: str
    spec: Spec


def mutants(spec: Spec, per_kind: int, seed: int = 0) -> list[Mutant]:
    """At most `per_kind` mutants of each kind that compile, drawn at random."""
    program = spec.program
    shuffled = random.Random(f"{spec.name} {seed}")
    found: list[Mutant] = []
    for kind in KINDS:
        changes = list(_changes(program, kind))
        shuffled.shuffle(changes)
        texts = {to_text(program)}
        taken = 0
        for statement, old, new in changes:
            if taken == per_kind:
                break
            text = to_text(_replaced(program, old, new))
            if text in texts:
                continue
            texts.add(text)
            try:
                made = loads(text, f"{spec.name}.unroll")
            except UnrollError:
                continue
            before = statement_text(statement)
            after = statement_text(_replaced(statement, old, new))
            found.append(Mutant(kind, before, after, made))
            taken += 1
    return found


def _changes(program: Program, kind: str) -> Iterator[tuple[Any, Any, Any]]:
    """Statement, node in it, and what stands in its place."""
    states = _states(program)
    names = [*states, *_others(program)]
    for statement, expression in _places(program):
        in_phase = isinstance(statement, Update | Local)
        if kind == "missing" and isinstance(statement, Update):
            yield statement, statement.value, statement.target
        for node in _nodes(expression):
            match kind:
                case "sign":
                    yield from ((statement, node, new) for new in _signs(node))
                case "factor":
                    yield from ((statement, node, new) for new in _factors(node))
                case "missing" if isinstance(node, Call) and node.arguments:
                    yield statement, node, node.arguments[0].value
                case "operand" if isinstance(node, Name):
                    others = (n for n in names if n != node.text)
                    yield from ((statement, node, Name(n, node.span)) for n in others)
                case "stale" if in_phase:
                    yield from ((statement, node, new) for new in _stale(node, states))
                case _:
                    pass


def _places(program: Program) -> Iterator[tuple[Any, Any]]:
    for statement in program.statements:
        match statement:
            case Phase(body=body):
                yield from ((s, s.value) for s in body if isinstance(s, Update | Local))
            case Let(value=value):
                yield statement, value
            case State(value=value) if value is not None:
                yield statement, value
            case Declaration(role=Role.LEARNABLE, value=value):
                if value is not None and not isinstance(value, RandomInit):
                    yield statement, value
            case Output(values=values):
                yield from ((statement, value) for value in values)
            case _:
                pass


def _signs(node: Any) -> Iterator[Any]:
    match node:
        case Binary(operator="+" | "-" as operator):
            yield dataclasses.replace(node, operator="-" if operator == "+" else "+")
        case Unary(operator="-", operand=operand):
            yield operand


def _factors(node: Any) -> Iterator[Any]:
    match node:
        case Binary(operator="*", left=left, right=right):
            yield from (left, right)
        case Binary(operator="/" | "^", left=left):
            yield left
        case Number(value=float() as value, span=span):
            yield Number(1.1 * value, span)
        case Call(arguments=arguments):
            for argument in arguments[1:]:
                value = argument.value
                if argument.keyword is None and not isinstance(value, Number):
                    more = _times(1.1, value)
                    changed = tuple(
                        Argument(None, more, a.span) if a is argument else a for a in arguments
                    )
                    yield dataclasses.replace(node, arguments=changed)


def _times(factor: float, value: Any) -> Binary:
    span = value.span
    return Binary("*", Number(factor, span), value, span, span)


def _stale(node: Any, states: list[str]) -> Iterator[Any]:
    match node:
        case Name(text=text, span=span) if text in states:
            yield Call(Name("prev", span), (Argument(None, node, span),), span)
        case Call(function=Name(text="prev"), arguments=(argument,)):
            yield argument.value


def _states(program: Program) -> list[str]:
    found = (s for s in program.statements if isinstance(s, State))
    return [name.text for s in found for name in s.names]


def _others(program: Program) -> list[str]:
    found = []
    for statement in program.statements:
        match statement:
            case Declaration(names=names):
                found += [name.text for name in names]
            case Let(name=name):
                found.append(name.text)
            case Phase(body=body):
                found += [s.name.text for s in body if isinstance(s, Local)]
    return found


def _nodes(tree: Any) -> Iterator[Any]:
    yield tree
    if isinstance(tree, Call):  # not the function's name
        for argument in tree.arguments:
            yield from _nodes(argument.value)
        return
    if dataclasses.is_dataclass(tree):
        for field in dataclasses.fields(tree):
            value = getattr(tree, field.name)
            if dataclasses.is_dataclass(value) and field.name not in ("span", "operator_span"):
                yield from _nodes(value)


def _replaced(tree: Any, old: Any, new: Any) -> Any:
    if tree is old:
        return new
    if isinstance(tree, tuple):
        return tuple(_replaced(part, old, new) for part in tree)
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type) and hasattr(tree, "span"):
        parts = {
            field.name: _replaced(getattr(tree, field.name), old, new)
            for field in dataclasses.fields(tree)
            if field.init
        }
        if all(parts[name] is getattr(tree, name) for name in parts):
            return tree
        return dataclasses.replace(tree, **parts)
    return tree
