"""Nodes under construction: a list that only grows, in which equal nodes are kept apart.

Sharing equal nodes is the business of a pass; the graph as built mirrors the program as written.
"""

from __future__ import annotations

from unroll_dsl.ir.nodes import Node, Op
from unroll_dsl.source import Span
from unroll_dsl.types import Type


class NodeList:
    """Appends nodes and hands out their ids."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []

    def add(
        self,
        op: Op,
        args: tuple[int, ...],
        type_: Type,
        origin: Span | None = None,
        label: str | None = None,
    ) -> int:
        self.nodes.append(Node(op, args, type_, origin, label))
        return len(self.nodes) - 1

    def type(self, index: int) -> Type:
        return self.nodes[index].type

    def relabel(self, index: int, label: str) -> None:
        """Give a node its author's name, unless it has one already."""
        node = self.nodes[index]
        if node.label is None and node.args:
            self.nodes[index] = Node(node.op, node.args, node.type, node.origin, label)
