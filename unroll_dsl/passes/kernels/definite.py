"""Solutions with a factor that moves, with a derivative that goes past it.

    %5 = builtin[regular_factor] %4              %5 = builtin[regular_factor] %4
    %6 = builtin[cholesky_solve] %3, %5    =>    %6 = builtin[definite_solve] %3, %4, %5

Through the factor a derivative takes several solutions with triangles and n^3 products a system; with x = M^-1 b
it is one more solution with the factor, g = M^-H dx, and -g x' for M. What is factorised once, at set-up, has none.
"""

from __future__ import annotations

from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Builtin, Node, Stage
from unroll_dsl.passes.rewrite import Rewriting, copied, with_nodes

_FACTORS = ("cholesky", "regular_factor")


def definite_solutions(graph: Graph) -> Graph:
    """Replace the solutions with factors that are made in a call or a phase."""
    new = Rewriting.of(graph)

    def past(_: int, moved: Node) -> int | None:
        if moved.op != Builtin("cholesky_solve"):
            return None
        b, lower = moved.args
        factor = new.nodes[lower]
        if not isinstance(factor.op, Builtin) or factor.op.function not in _FACTORS:
            return None
        (matrix,) = factor.args
        if new.stages[matrix] is Stage.SETUP:
            return None
        new.relabel(matrix, "matrix")
        args = b, matrix, lower
        return new.add(Builtin("definite_solve"), args, moved.type, moved.origin, moved.label)

    where = copied(graph.nodes, new, past)
    return with_nodes(graph, new.nodes, where)
