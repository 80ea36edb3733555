"""Constraints with two ends: what they are made of, and whether anything lies between them."""

from __future__ import annotations

from unroll_dsl.ir.graph import Graph, Limits
from unroll_dsl.ir.nodes import Fixed
from unroll_dsl.ir.stages import reachable
from unroll_dsl.types import Array


def interval_scalars(graph: Graph, limits: Limits | None) -> set[str]:
    """The fixed scalars that an interval is made of; none where it reads anything larger, whose norm
    may be a matter of seconds."""
    if limits is None or limits.lower is None or limits.upper is None:
        return set()
    inside = [graph.nodes[i] for i in reachable(graph.nodes, [limits.lower, limits.upper])]
    if any(not isinstance(node.type, Array) or node.type.rank for node in inside):
        return set()
    return {node.op.name for node in inside if isinstance(node.op, Fixed)}


def is_empty(lower: float | None, upper: float | None, limits: Limits) -> bool:
    """Whether nothing lies between the ends at these values."""
    if lower is None or upper is None:
        return False
    return lower > upper or (lower == upper and (limits.lower_strict or limits.upper_strict))
