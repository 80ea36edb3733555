"""What functions consist of, those that they call included."""

from __future__ import annotations

from collections.abc import Mapping

from unroll_dsl.ir.graph import FunctionBody
from unroll_dsl.ir.nodes import Invoke


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
