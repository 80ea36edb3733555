"""Steps and momentum in one pass over memory.

    %5 = mul %3, %4                   %5 = builtin[axmy] %2, %4, %3
    %6 = sub %2, %5              =>

    %7 = sub %5, %1                   %6 = builtin[extrapolate] %5, %1, %3
    %8 = mul %3, %7              =>
    %9 = add %5, %8

Of real arrays of one shape, and factors that are one number and no input changes. A quotient takes the
reciprocal of its divisor.
"""

from __future__ import annotations

from collections import Counter

from unroll_dsl.ir.batches import batched
from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Builtin, Constant, Elementwise
from unroll_dsl.ir.stages import roots
from unroll_dsl.passes.rewrite import Rewriting, copied, with_nodes
from unroll_dsl.types import Array, Field, Type


def updates(graph: Graph) -> Graph:
    """Replace sums with a scaled array that is read nowhere else."""
    return _Updates(graph).run()


class _Updates:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nodes = graph.nodes
        self.varying = batched(graph)
        self.uses = Counter(a for node in graph.nodes for a in node.args) + Counter(roots(graph))
        self.new = Rewriting.of(graph)
        self.where: list[int] = []

    def run(self) -> Graph:
        copied(self.nodes, self.new, lambda index, _: self._step(index), self.where)
        return with_nodes(self.graph, self.new.nodes, self.where)

    def _step(self, index: int) -> int | None:
        node = self.nodes[index]
        if node.op not in (Elementwise("add"), Elementwise("sub")) or not _is_real(node.type):
            return None
        if not self.varying[index]:
            return None  # computed once: the formula reads better
        minus = node.op == Elementwise("sub")
        for place in (1,) if minus else (1, 0):
            x, product = node.args[1 - place], node.args[place]
            scaled = self._scaled(product, node.type)
            if scaled is None or not _alike(self.nodes[x].type, node.type):
                continue
            r, factor = scaled
            word, args = ("axmy" if minus else "axpy"), [self.where[x], self.where[r], factor]
            previous = None if minus else self._previous(r, x, node.type)
            if previous is not None:
                word, args[1] = "extrapolate", self.where[previous]
            return self.new.add(Builtin(word), tuple(args), node.type, node.origin, node.label)
        return None

    def _previous(self, index: int, x: int, type_: Type) -> int | None:
        """`w` where a value is `x - w`, read here alone."""
        node = self.nodes[index]
        if node.op != Elementwise("sub") or node.args[0] != x or self.uses[index] != 1:
            return None
        return node.args[1] if _alike(self.nodes[node.args[1]].type, type_) else None

    def _scaled(self, index: int, type_: Type) -> tuple[int, int] | None:
        """The array and the new id of its factor, where a value is such a product."""
        node = self.nodes[index]
        if self.uses[index] != 1 or node.op not in (Elementwise("mul"), Elementwise("div")):
            return None
        divided = node.op == Elementwise("div")
        for place in (1,) if divided else (0, 1):
            factor, r = node.args[place], node.args[1 - place]
            number = self.nodes[factor].type
            if not (isinstance(number, Array) and number.rank == 0 and _is_real(number)):
                continue
            if self.varying[factor] or not _alike(self.nodes[r].type, type_):
                continue
            found = self.where[factor]
            if divided:
                one = self.new.make(Constant(1))
                found = self.new.elementwise("div", one, found, origin=node.origin)
            return r, found
        return None


def _is_real(type_: Type) -> bool:
    return isinstance(type_, Array) and type_.field is Field.REAL


def _alike(type_: Type, other: Type) -> bool:
    """Whether both are real arrays of one shape, and no numbers."""
    assert isinstance(other, Array)
    return isinstance(type_, Array) and _is_real(type_) and type_.shape == other.shape != ()
