"""Normal equations: `A' @ (A @ x - y)` as `G @ x - A' @ y`, `G = A' @ A`, where that is cheaper.

    %5 = transpose %1              %5 = transpose %1
    %6 = contract %1, %4           %6 = contract %5, %1
    %7 = sub %6, %0           =>   %7 = contract %6, %4
    %8 = contract %5, %7           %8 = contract %5, %0
                                   %9 = sub %7, %8

`G` is known at set-up and `A' @ y` once a call, so that a phase has one product in place of two. An
m-by-n matrix of real numbers takes n^2 multiplications then, not 2 m n. `G` itself takes m n^2, once.

The model: a product is worth `_CALL` multiplications besides its own, which is what starting it takes on a
CPU; `G` pays if it is earned back within `_USES` phases of single samples. Only for bound sizes, and for
matrices that are fixed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Contract, Elementwise, Node, Stage, Transpose
from unroll_dsl.passes.common import common
from unroll_dsl.passes.plans import Sizes
from unroll_dsl.passes.rewrite import Rewriting, Rule, rank, rewrite
from unroll_dsl.passes.scaling import scaling
from unroll_dsl.source import Span

_CALL = 20_000  # multiplications in the time that one product takes to start
_USES = 10_000  # phases of single samples, after which a matrix should have paid


@dataclass(frozen=True, slots=True)
class Choice:
    """What was decided about one product with an adjoint, and why."""

    origin: Span | None
    taken: bool
    reason: str


@dataclass
class Gram:
    """The pass, for sizes that are known; `choices` tells afterwards what it has decided."""

    sizes: Sizes
    choices: list[Choice] = field(default_factory=list)

    def __call__(self, graph: Graph) -> Graph:
        return rewrite(graph, (Rule("normal equations", self._normal),))

    def _normal(self, new: Rewriting, node: Node) -> int | None:
        """`A' @ (A @ v)`, `A' @ (A @ v - b)` or `A' @ (b - A @ v)`; `b` is no value of a phase."""
        if not isinstance(node.op, Contract) or rank(new, node.args[1]) != 1:
            return None
        adjoint, right = node.args
        inner = new.nodes[adjoint]
        if not isinstance(inner.op, Transpose) or new.stages[adjoint] is not Stage.SETUP:
            return None
        (a,) = inner.args
        residual = new.nodes[right]
        if right in new.shared:
            return None
        if residual.op == Elementwise("sub"):
            places = [i for i in (0, 1) if self._product(new, a, residual.args[i])]
            others = [residual.args[1 - i] for i in places]
            if len(places) != 1 or new.stages[others[0]] > Stage.CALL:
                return None
            if new.array(others[0]).shape != new.array(right).shape:
                return None  # a number, taken from each entry
            v = new.nodes[residual.args[places[0]]].args[1]
        elif self._product(new, a, right):
            places, others, v = [0], [], residual.args[1]
        else:
            return None
        if new.stages[v] is not Stage.PHASE or not self._pays(new, a, node.origin):
            return None
        square = new.node(Contract(), adjoint, a, origin=node.origin)
        gram = new.made.setdefault((square.op, square.args), len(new.nodes))
        if gram == len(new.nodes):
            new.add(square.op, square.args, square.type, square.origin)
        first = new.product(gram, v, node.origin)
        if not others:
            return first
        second = new.product(adjoint, others[0], node.origin)
        pair = (first, second) if places == [0] else (second, first)
        return new.elementwise("sub", *pair, origin=node.origin)

    def _product(self, new: Rewriting, a: int, index: int) -> bool:
        """Whether a value is `A @ v`, made for this alone."""
        node = new.nodes[index]
        return isinstance(node.op, Contract) and node.args[0] == a and index not in new.shared

    def _pays(self, new: Rewriting, a: int, origin: Span | None) -> bool:
        m, n = (dim.substitute(self.sizes).value for dim in new.array(a).shape)
        if m is None or n is None:
            return False
        saved = 2 * m * n - n * n
        taken = m * n * n <= _USES * (saved + _CALL)
        how = f"{n * n:,} multiplications a sample in place of {2 * m * n:,}"
        if taken:
            reason = f"the normal matrix is formed at set-up: {how}, and one product fewer"
        elif saved + _CALL <= 0:
            reason = f"two products: the normal matrix would take {how}"
        else:
            reason = f"two products: the normal matrix would take {how}, and {m * n * n:,} to form"
        self.choices.append(Choice(origin, taken, reason))
        return taken


def choices(graph: Graph, sizes: Sizes | None = None) -> tuple[Choice, ...]:
    """What the pass decides about each product with an adjoint, in the order of the program."""
    made = Gram(sizes or {})
    made(common(scaling(common(graph))))
    return tuple(made.choices)
