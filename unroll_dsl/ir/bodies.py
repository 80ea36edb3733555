"""What functions consist of, those that they call included."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from unroll_dsl.ir.graph import FunctionBody, Graph
from unroll_dsl.ir.nodes import Invoke, Node
from unroll_dsl.types import Block, Layer
from unroll_dsl.types.blocks import blocks_of


def called_by(nodes: Iterable[Node]) -> set[str]:
    """The functions that nodes call, and the blocks of the layers that they apply."""
    found: set[str] = set()
    for node in nodes:
        op, type_ = node.op, node.type
        if isinstance(op, Invoke):
            found.add(op.function)
        if isinstance(type_, Layer):
            found |= {block.key for block in blocks_of(type_)}
    return found


def blocks_in(graph: Graph) -> set[Block]:
    """All blocks that the layers of a graph are made of, those within others included."""
    found: set[Block] = set()
    types = [*(p.type for p in graph.parameters), *(c.type for c in graph.constants)]
    waiting = [type_ for type_ in types if isinstance(type_, Layer)]
    while waiting:
        new = set(blocks_of(waiting.pop())) - found
        found |= new
        waiting += [layer for block in new for _, layer in block.parts]
    return found


def consists_of(
    body: FunctionBody, bodies: Mapping[str, FunctionBody], kinds: tuple[type, ...]
) -> bool:
    """Whether all operations of a function, and of what it calls, are of these kinds."""
    seen, waiting = {body.name}, [body]
    while waiting:
        for node in waiting.pop().nodes:
            if not isinstance(node.op, Invoke):
                if not isinstance(node.op, kinds):
                    return False
            elif node.op.function not in seen:
                seen.add(node.op.function)
                waiting.append(bodies[node.op.function])
    return True
