"""What a system is divided by, looked at where it may vanish: the records of operators/regularity.py."""

from __future__ import annotations

from dataclasses import replace

from unroll_dsl.ir.graph import FunctionBody, Graph
from unroll_dsl.ir.nodes import Builtin, Constant, Node, Solve, Stage
from unroll_dsl.passes.analysis.signs import Sign, signs
from unroll_dsl.passes.rewrite import Rewriting, copied, with_nodes
from unroll_dsl.source import Span
from unroll_dsl.types import Array


def regular(word: str, index: int, new: Rewriting, origin: Span | None) -> int:
    """A node that passes on what a system is solved with, and refuses it where the system is singular: for
    systems whose form does not prove that they are definite."""
    op = new.nodes[index].op
    if isinstance(op, Constant) and op.value != 0:
        return index
    return new.make(Builtin(word, (("place", place_of(origin)),)), index, origin=origin)


def regular_shift(shift: int, ends: tuple[int, ...], new: Rewriting, origin: Span | None) -> int:
    """The shift of a system that is definite by its form, looked at beside the largest eigenvalue of what it is
    added to, or beside the least and the largest where 0 is none."""
    word = "regular_shift" if len(ends) == 1 else "regular_sum"
    return new.make(Builtin(word, (("place", place_of(origin)),)), shift, *ends, origin=origin)


def place_of(origin: Span | None) -> str:
    return "" if origin is None else f"{origin.file.name.rpartition('/')[2]}:{origin.line}"


def lower_factor(matrix: int, new: Rewriting, origin: Span | None) -> int:
    """The Cholesky factor of a matrix; one of set-up is looked at as the network is made."""
    if new.stages[matrix] > Stage.SETUP:
        lower = regular("regular_factor", matrix, new, origin)
    else:
        lower = new.make(Builtin("cholesky"), matrix, origin=origin)
    new.relabel(lower, "L")
    return lower


def without_proven(graph: Graph) -> Graph:
    """The graph without looks at what is known to be positive."""
    if not any(_looks(node.op) for node in graph.nodes):
        return graph
    known = signs(graph)
    new = Rewriting.of(graph)

    def proven(index: int, moved: Node) -> int | None:
        looked_at = graph.nodes[index].args
        if _looks(moved.op) and known[looked_at[0]] is Sign.POSITIVE:
            return moved.args[0]
        return None

    where = copied(graph.nodes, new, proven)
    return with_nodes(graph, new.nodes, where)


def in_function(body: FunctionBody) -> FunctionBody:
    """A function with its systems solved and looked at: its arguments may be anything."""
    new = Rewriting((), frozenset())

    def looked_at(_: int, moved: Node) -> int | None:
        if not isinstance(moved.op, Solve) or not isinstance(new.type(moved.args[0]), Array):
            return None
        matrix = regular("regular_matrix", moved.args[0], new, moved.origin)
        op, args = Builtin("solve_dense"), (moved.args[1], matrix)
        return new.add(op, args, moved.type, moved.origin, moved.label)

    where = copied(body.nodes, new, looked_at)
    return replace(body, nodes=tuple(new.nodes), result=where[body.result])


def _looks(op: object) -> bool:
    return isinstance(op, Builtin) and op.function == "regular"
