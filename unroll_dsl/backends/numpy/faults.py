"""Where a value that no input changes is not finite, though all that it is made of is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from unroll_dsl.backends.errors import ArithmeticFault
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Node
from unroll_dsl.ir.stages import reachable
from unroll_dsl.types import SCALAR, Array, LinearMap

_MOVING = (
    ops.Input, ops.State, ops.Final, ops.Target, ops.Traced, ops.Variable, ops.Argument, ops.PhaseSum,
)  # fmt: skip


_RISKY = frozenset({"div", "pow", "log", "sqrt", "exp"})


def quiet(nodes: Sequence[Node]) -> tuple[bool, ...]:
    """Which nodes no input and no state changes."""
    found: list[bool] = []
    for node in nodes:
        moves = isinstance(node.op, _MOVING)
        found.append(not moves and all(found[a] for a in node.args))
    return tuple(found)


def frontier(graph: Graph) -> frozenset[int]:
    """The values that no input changes where they meet what one does, those of which a map is made among
    them: these must be finite."""
    still = quiet(graph.nodes)
    used = {a for i, n in enumerate(graph.nodes) if not still[i] for a in n.args}
    used |= {*graph.outputs, *(slot.update for slot in graph.states)}
    found: set[int] = set()
    pending, seen = list(used), set(used)
    while pending:
        index = pending.pop()
        node = graph.nodes[index]
        if isinstance(node.type, LinearMap):
            pending += (more := set(node.args) - seen)
            seen |= more
        elif still[index] and node.args and isinstance(node.type, Array):
            found.add(index)
    return frozenset(found)


def cheap(graph: Graph) -> tuple[int, ...]:
    """Quotients, powers and the like of scalars alone, to be tried before a network runs.

    Those of numbers, sizes and the number of the phase generated code computes with numbers of Python,
    which raise where a tensor would be infinite; others count where what an input changes reads them.
    """
    numbers: set[int] = set()
    scalars: set[int] = set()
    for index, node in enumerate(graph.nodes):
        number = isinstance(node.op, ops.Constant | ops.Size | ops.PhaseNumber)
        scalar = isinstance(node.op, ops.Fixed) and node.type == SCALAR
        made = isinstance(node.op, ops.Elementwise)
        if number or (made and all(a in numbers for a in node.args)):
            numbers.add(index)
        if number or scalar or (made and all(a in scalars for a in node.args)):
            scalars.add(index)
    made_of = numbers | (scalars & frontier(graph))
    return tuple(sorted(i for i in made_of if _is_risky(graph.nodes, i)))


def _is_risky(nodes: Sequence[Node], index: int) -> bool:
    """Whether a division, a power or a function is in a value."""
    read = (nodes[i].op for i in reachable(nodes, (index,)))
    return any(isinstance(op, ops.Elementwise) and op.function in _RISKY for op in read)


def fault(
    nodes: Sequence[Node],
    indices: Sequence[int],
    phases: int,
    values: Callable[[Sequence[int], int], Sequence[Any]],
) -> ArithmeticFault | None:
    """The first operation among these nodes, in the first phase, that has no finite value.

    `values` computes those of nodes in a phase.

    Raises
    ------
    UnrollError
        U0530: it is in a classical value.
    """
    for k in range(1, phases + 1):
        known = dict(zip(indices, values(indices, k), strict=True))
        found = first(nodes, known, k)
        if found is not None:
            return found
    return None


def first(nodes: Sequence[Node], values: Mapping[int, Any], k: int) -> ArithmeticFault | None:
    """The first of the nodes whose value is not finite, while those of its arguments are."""
    for index in sorted(values):
        args = nodes[index].args
        if args and not is_finite(values[index]) and all(is_finite(values.get(a)) for a in args):
            phase = k if _counts(nodes, index) else None
            return ArithmeticFault(phase, nodes[index].origin)
    return None


def is_finite(value: Any) -> bool:
    return not isinstance(value, np.ndarray) or bool(np.isfinite(value).all())


def _counts(nodes: Sequence[Node], index: int) -> bool:
    """Whether a value differs from phase to phase."""
    read = (nodes[i].op for i in reachable(nodes, (index,)))
    return any(isinstance(op, ops.PhaseNumber | ops.Learnable) for op in read)
