"""What functions consist of, those that they call included."""

from __future__ import annotations

from collections.abc import Mapping

from unroll_dsl.ir.graph import FunctionBody
from unroll_dsl.ir.nodes import Invoke


def consists_of(
    body: FunctionBody, bodies: Mapping[str, FunctionBody], kinds: tuple[type, ...]
) -> bool:
    """Whether all operations of a function, and of what it calls, are of these kinds."""
    return all(
        consists_of(bodies[node.op.function], bodies, kinds)
        if isinstance(node.op, Invoke)
        else isinstance(node.op, kinds)
        for node in body.nodes
    )
