"""Which values differ from sample to sample."""

from __future__ import annotations

from collections.abc import Sequence

from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Final, Input, Node, PhaseSum, State, Target, Traced


def batched(graph: Graph) -> tuple[bool, ...]:
    """For each node whether it depends on an input. A state does if its update does, or its start where
    that is read."""
    states: set[str] = set()
    read = {node.op.name for node in graph.nodes if isinstance(node.op, State)}
    while True:
        found = _batched(graph.nodes, states)
        grown = states | {
            s.name for s in graph.states if found[s.update] or (s.name in read and found[s.initial])
        }
        if grown == states:
            return tuple(found)
        states = grown


def _batched(nodes: Sequence[Node], states: set[str]) -> list[bool]:
    found: list[bool] = []
    for node in nodes:
        match node.op:
            case Input() | Target() | Traced() | PhaseSum():
                found.append(True)
            case State(name) | Final(name):
                found.append(name in states)
            case _:
                found.append(any(found[argument] for argument in node.args))
    return found
