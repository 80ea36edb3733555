"""Sums of squares that a loss reads, in one pass over memory forth and one back.

    %4 = constant 2
    %5 = pow %3, %4             =>   %6 = builtin[square_mean] %3
    %6 = builtin[mean] %5

Of real images of a sample, and other arrays with two axes or more. The derivative of `(x^2).mean()` takes
three passes, and makes as many arrays. What the output reads keeps its formula, which reads better, and so
does what is small.
"""

from __future__ import annotations

from dataclasses import replace

from unroll_dsl.ir.batches import batched
from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Builtin, Constant, Elementwise, Node
from unroll_dsl.ir.stages import reachable
from unroll_dsl.types import Array, Field

_SUMS = {"mean": "square_mean", "sum": "square_sum"}


def squares(graph: Graph) -> Graph:
    """Replace the sums of squares that only training needs."""
    kept = [*graph.outputs, *(slot.update for slot in graph.states)]
    kept += [slot.initial for slot in graph.states]
    inference = reachable(graph.nodes, kept)
    varying = batched(graph)
    nodes = tuple(
        node if index in inference or not varying[index] else _squared(graph, node)
        for index, node in enumerate(graph.nodes)
    )
    return replace(graph, nodes=nodes)


def _squared(graph: Graph, node: Node) -> Node:
    if not isinstance(node.op, Builtin) or node.op.statics:
        return node
    (operand, *_) = node.args
    inner = graph.nodes[operand]
    if node.op.function == "sumsq" and _is_large(inner):
        return replace(node, op=Builtin("square_sum"))
    if node.op.function not in _SUMS or inner.op != Elementwise("pow"):
        return node
    base, exponent = inner.args
    power = graph.nodes[exponent].op
    if isinstance(power, Constant) and power.value == 2 and _is_large(graph.nodes[base]):
        return replace(node, op=Builtin(_SUMS[node.op.function]), args=(base,))
    return node


def _is_large(node: Node) -> bool:
    return isinstance(node.type, Array) and node.type.field is Field.REAL and node.type.rank > 1
