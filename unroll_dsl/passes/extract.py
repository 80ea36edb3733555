"""A part of a program as a program of its own: what some of its values need, and nothing else.

restricted(graph, (7,))     no phases, no loss, the value %7 as the output
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unroll_dsl.ir.graph import Entry, Graph
from unroll_dsl.ir.nodes import Node
from unroll_dsl.passes.dead import dead


def restricted(
    graph: Graph,
    outputs: Sequence[int],
    *,
    name: str | None = None,
    inputs: Sequence[Entry] | None = None,
    nodes: Sequence[Node] | None = None,
) -> Graph:
    """`graph` without phases, with these outputs, which no state may reach.

    Parameters
    ----------
    inputs, nodes
        In place of those of the program: with more of them at the end, or others that mean the same.
    """
    whole = replace(
        graph,
        name=graph.name if name is None else name,
        inputs=graph.inputs if inputs is None else tuple(inputs),
        states=(),
        traces=(),
        outputs=tuple(outputs),
        targets=(),
        loss=None,
        variables=(),
        objective=None,
        phases=None,
        nodes=graph.nodes if nodes is None else tuple(nodes),
    )
    return dead(whole)  # the nodes of the phases have no place in it
