"""A page with its inputs as constants: numbers that are made of data, a step of 1 / norm_inf(y)^2, then have a value."""

from __future__ import annotations

import dataclasses

from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Final, Input, State, Target, Traced, Variable
from unroll_dsl.loading import loads
from unroll_dsl.spec import Spec
from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax.printer import to_text
from unroll_dsl.types import Array
from unroll_dsl.verify.instance import Instance

_MOVES = (State, Final, Variable, Target, Traced)


def with_inputs_held(spec: Spec, instance: Instance) -> tuple[Spec, Instance] | None:
    """The page with those inputs fixed of which its numbers are made, at the values of the first sample, and without
    what is said of data; None where no number is."""
    names = _of_numbers(spec.graph)
    if not names:
        return None
    statements: list[n.Statement] = []
    for statement in spec.typed.program.statements:
        match statement:
            case n.Loss() | n.Measure():
                continue
            case n.Declaration(role=n.Role.INPUT):
                statements += _held(statement, names)
            case _:
                statements.append(statement)
    program = dataclasses.replace(spec.typed.program, statements=tuple(statements))
    held = loads(to_text(program), "held.unroll")
    values = dict(zip((e.name for e in spec.graph.inputs), instance.inputs, strict=True))
    bind = {**instance.bind, **{name: values[name][0] for name in names}}
    left = tuple(value for name, value in values.items() if name not in names)
    return held, dataclasses.replace(instance, bind=bind, inputs=left, targets=())


def _held(declaration: n.Declaration, names: frozenset[str]) -> list[n.Statement]:
    """A declaration of inputs, one for each, of which some become fixed."""
    return [
        dataclasses.replace(
            declaration,
            names=(name,),
            role=n.Role.FIXED if name.text in names else declaration.role,
        )
        for name in declaration.names
    ]


def _of_numbers(graph: Graph) -> frozenset[str]:
    """The inputs of which numbers are made that no state changes."""
    read: list[frozenset[str] | None] = []  # None: it moves
    found: set[str] = set()
    for node in graph.nodes:
        below = [read[a] for a in node.args]
        if isinstance(node.op, _MOVES) or any(names is None for names in below):
            read.append(None)
            continue
        own = {node.op.name} if isinstance(node.op, Input) else set[str]()
        names = frozenset(own.union(*(b for b in below if b is not None)))
        read.append(names)
        if isinstance(node.type, Array) and not node.type.rank:
            found |= names
    return frozenset(found)


__all__ = ["with_inputs_held"]
