"""Soft thresholding as one kernel.

    %8 = invoke[soft] %6, %7     =>     %8 = builtin[shrink] %6, %7

Of real values by a threshold that is one number and no input changes, or (`shrink_each`) by one for each
entry, none of them negative. The prelude's formula takes five passes over memory.
"""

from __future__ import annotations

from dataclasses import replace

from unroll_dsl.ir.batches import batched
from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Builtin, Invoke, Node
from unroll_dsl.passes.analysis.signs import Sign, signs
from unroll_dsl.types import Array, Field


def shrinking(graph: Graph) -> Graph:
    """Replace the calls of the prelude's `soft` that a kernel can take."""
    prelude = {
        body.name
        for body in graph.functions
        if body.origin.file is not graph.file and body.origin.text.startswith("def soft(")
    }
    varying, known = batched(graph), signs(graph)
    nodes: list[Node] = []
    for node in graph.nodes:
        kernel = None
        if isinstance(node.op, Invoke) and node.op.function in prelude:
            threshold = node.args[1]
            kernel = _kernel(graph, node, varying[threshold], known[threshold])
        nodes.append(node if kernel is None else replace(node, op=Builtin(kernel)))
    return replace(graph, nodes=tuple(nodes))


def _kernel(graph: Graph, node: Node, varying: bool, sign: Sign) -> str | None:
    """The kernel for a call, by its arguments' types and what is known of the threshold."""
    v, t = (graph.nodes[a].type for a in node.args)
    if not (isinstance(v, Array) and isinstance(t, Array)):
        return None
    if not (v.field is Field.REAL and t.field is Field.REAL and v.rank):
        return None
    if not t.rank:
        return None if varying else "shrink"
    return "shrink_each" if t.shape == v.shape and sign is not Sign.UNKNOWN else None
