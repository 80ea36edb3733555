"""Two modules of one program: to be read, and to be run.

    readable    what one publishes beside a paper: exact algebra, no kernels of our own, every phase one
                body, no question whether a system is singular
    fast        what runs (the default): kernels, a first phase that leaves out its zeros

Both compute the same from the same weights.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Builtin, Node
from unroll_dsl.passes.rewrite import with_nodes

Style = Literal["readable", "fast"]
STYLES: tuple[Style, ...] = get_args(Style)

_LEVELS: dict[Style, int] = {"readable": 1, "fast": 2}
_GUARDS = ("regular", "regular_matrix", "regular_eigenvalues", "regular_shift", "regular_sum")


def level_of(style: Style, optimize: int | None) -> int:
    """The level of optimisation that was asked for, else that of a style.

    Raises
    ------
    ValueError
        For a style that there is not.
    """
    if style not in STYLES:
        raise ValueError(f"style is {' or '.join(map(repr, STYLES))}, found {style!r}")
    return _LEVELS[style] if optimize is None else optimize


def in_style(graph: Graph, style: Style) -> Graph:
    """A graph that the passes have prepared, as a style has it."""
    if style == "fast":
        return graph
    nodes: list[Node] = []
    where: list[int] = []
    for node in graph.nodes:
        args = tuple(where[index] for index in node.args)
        if isinstance(node.op, Builtin) and node.op.function in _GUARDS:
            where.append(args[0])
            continue
        nodes.append(replace(node, args=args))
        where.append(len(nodes) - 1)
    found = with_nodes(graph, nodes, where)
    return replace(found, states=tuple(replace(slot, first=None) for slot in found.states))
