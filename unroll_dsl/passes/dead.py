"""Dead values: what no declaration, output, loss, trace or objective reads is dropped.

    %5 = mul %3, %4            %5 = sub %3, %2
    %6 = sub %3, %2       =>   output %5
    output %6

Always valid. Declarations stay, needed or not (`liveness` tells): their names are what people bind
and initialise. Functions that nobody calls are dropped.
"""

from __future__ import annotations

from dataclasses import replace

from unroll_dsl.ir.bodies import called_by
from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Node
from unroll_dsl.ir.stages import reachable, roots
from unroll_dsl.passes.rewrite import with_nodes


def dead(graph: Graph) -> Graph:
    """Drop what nothing depends on and number the rest anew, in the same order."""
    live = reachable(graph.nodes, roots(graph))
    nodes, where = _keep(graph.nodes, live)
    called = called_by(nodes)
    bodies = []
    for body in reversed(graph.functions):
        if body.name in called:
            kept, moved = _keep(body.nodes, reachable(body.nodes, (body.result,)))
            called |= called_by(kept)
            bodies.append(replace(body, nodes=kept, result=moved[body.result]))
    bodies.reverse()
    return with_nodes(replace(graph, functions=tuple(bodies)), nodes, where)


def _keep(
    nodes: tuple[Node, ...], live: frozenset[int]
) -> tuple[tuple[Node, ...], tuple[int, ...]]:
    kept: list[Node] = []
    where: list[int] = []
    for index, node in enumerate(nodes):
        where.append(len(kept) if index in live else -1)
        if index in live:
            kept.append(replace(node, args=tuple(where[a] for a in node.args)))
    return tuple(kept), tuple(where)
