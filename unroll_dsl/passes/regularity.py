"""What a system is divided by, looked at where it may vanish: the records of operators/regularity.py."""

from __future__ import annotations

from dataclasses import replace

from unroll_dsl.ir.graph import FunctionBody, Graph
from unroll_dsl.ir.nodes import Builtin, Constant, Solve, Stage
from unroll_dsl.passes.analysis.signs import Sign, signs
from unroll_dsl.passes.rewrite import Rewriting, with_nodes
from unroll_dsl.source import Span
from unroll_dsl.types import Array


def regular(word: str, index: int, new: Rewriting, origin: Span | None) -> int:
    """A node that passes on what a system is solved with, and refuses it where the system is singular: for
    systems whose form does not prove that they are definite."""
    op = new.nodes[index].op
    if isinstance(op, Constant) and op.value != 0:
        return index
    place = "" if origin is None else f"{origin.file.name.rpartition('/')[2]}:{origin.line}"
    return new.make(Builtin(word, (("place", place),)), index, origin=origin)


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
    where: list[int] = []
    for node in graph.nodes:
        args = tuple(where[a] for a in node.args)
        if _looks(node.op) and known[node.args[0]] is Sign.POSITIVE:
            where.append(args[0])
        else:
            where.append(new.add(node.op, args, node.type, node.origin, node.label))
    return with_nodes(graph, new.nodes, where)


def in_function(body: FunctionBody) -> FunctionBody:
    """A function with its systems solved and looked at: its arguments may be anything."""
    new = Rewriting((), frozenset())
    where: list[int] = []
    for node in body.nodes:
        args = tuple(where[a] for a in node.args)
        if isinstance(node.op, Solve) and isinstance(body.nodes[node.args[0]].type, Array):
            matrix = regular("regular_matrix", args[0], new, node.origin)
            node = replace(node, op=Builtin("solve_dense"))
            args = (args[1], matrix)
        where.append(new.add(node.op, args, node.type, node.origin, node.label))
    return replace(body, nodes=tuple(new.nodes), result=where[body.result])


def _looks(op: object) -> bool:
    return isinstance(op, Builtin) and op.function == "regular"
