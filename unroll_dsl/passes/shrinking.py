"""Soft thresholding as one kernel.

    %8 = invoke[soft] %6, %7     =>     %8 = builtin[shrink] %6, %7

Of real values by a threshold that is one number and no input changes. The prelude's formula takes
four passes over memory.
"""

from __future__ import annotations

from dataclasses import replace

from unroll_dsl.ir.batches import batched
from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Builtin, Invoke, Node
from unroll_dsl.types import Array, Field


def shrinking(graph: Graph) -> Graph:
    """Replace the calls of the prelude's `soft` that the kernel can take."""
    prelude = {
        body.name
        for body in graph.functions
        if body.origin.file is not graph.file and body.origin.text.startswith("def soft(")
    }
    varying = batched(graph)
    nodes = tuple(
        replace(node, op=Builtin("shrink"))
        if isinstance(node.op, Invoke)
        and node.op.function in prelude
        and _fits(graph, node, varying)
        else node
        for node in graph.nodes
    )
    return replace(graph, nodes=nodes)


def _fits(graph: Graph, node: Node, varying: tuple[bool, ...]) -> bool:
    v, t = (graph.nodes[a].type for a in node.args)
    if not (isinstance(v, Array) and isinstance(t, Array)):
        return False
    real = v.field is Field.REAL and t.field is Field.REAL
    return real and v.rank > 0 and t.rank == 0 and not varying[node.args[1]]
