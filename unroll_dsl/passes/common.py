"""Common subexpressions: equal values are computed once.

    %3 = transpose %1          %3 = transpose %1
    %7 = transpose %1     =>   %8 = contract %3, %6
    %8 = contract %7, %6

Always valid: nodes are values and have no effects. The value keeps the name that the author gave
to any of its copies (the first, where there are several).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Constant, Node
from unroll_dsl.passes.rewrite import with_nodes
from unroll_dsl.types import Array


def common(graph: Graph) -> Graph:
    """Merge equal nodes, in the graph and in each function."""
    bodies = []
    for body in graph.functions:
        nodes, where = _share(body.nodes)
        bodies.append(replace(body, nodes=nodes, result=where[body.result]))
    nodes, where = _share(graph.nodes)
    return with_nodes(replace(graph, functions=tuple(bodies)), nodes, where)


def _share(nodes: Sequence[Node]) -> tuple[tuple[Node, ...], list[int]]:
    known: dict[object, int] = {}
    kept: list[Node] = []
    where: list[int] = []
    for node in nodes:
        node = replace(node, args=tuple(where[a] for a in node.args))
        key = _key(node)
        place = known.setdefault(key, len(kept))
        if place == len(kept):
            kept.append(node)
        elif node.label is not None and kept[place].label is None:
            kept[place] = replace(kept[place], label=node.label, origin=node.origin)
        where.append(place)
    return tuple(kept), where


def _key(node: Node) -> object:
    """What decides equality. The type of a map follows from its operation and can be deep; 2 and
    2.0 are equal in Python but are written differently."""
    kind = type(node.op.value) if isinstance(node.op, Constant) else None
    return node.op, node.args, node.type if isinstance(node.type, Array) else None, kind
