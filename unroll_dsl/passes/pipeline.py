"""The passes, in the order in which they run: `STEPS`, read from top to bottom.

The verifier accepts the graph before and after each. When a value is computed is no pass: it
follows from the graph (ir/stages.py, analysis/liveness.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.verify import verify
from unroll_dsl.passes.affine import AffineComposition
from unroll_dsl.passes.beginning import beginning
from unroll_dsl.passes.common import common
from unroll_dsl.passes.dead import dead
from unroll_dsl.passes.kernels.convolutions import fusion
from unroll_dsl.passes.kernels.definite import definite_solutions
from unroll_dsl.passes.kernels.shrinkage import shrinking
from unroll_dsl.passes.kernels.squares import squares
from unroll_dsl.passes.kernels.steps import updates
from unroll_dsl.passes.periodic import Periodic
from unroll_dsl.passes.phase_sums import terms
from unroll_dsl.passes.plans import Sizes
from unroll_dsl.passes.scaling import scaling
from unroll_dsl.passes.solving import Solving

Pass = Callable[[Graph], Graph]


LEVELS = (0, 1, 2)  # the program as written; exact algebra and stages; kernels as well


@dataclass(frozen=True, slots=True)
class Step:
    """A pass by name, made for the sizes that are known, and the level from which on it runs."""

    name: str
    make: Callable[[Sizes], Pass]
    level: int


def _always(transform: Pass) -> Callable[[Sizes], Pass]:
    """A pass that asks for no sizes."""
    return lambda sizes: transform


STEPS = (
    # equal values become one, so that `A'` in `A' @ A` is known to be that of `A`
    Step("common", _always(common), 1),
    # maps are taken apart where they are applied; adjoints move inwards
    Step("scaling", _always(scaling), 1),
    # what a loss sums over phases is computed in them
    Step("terms", _always(terms), 1),
    # what that has made equal
    Step("common-2", _always(common), 0),
    # products that follow each other as one, `A' @ (A @ x - y)` as `G @ x - A' @ y`
    Step("affine", AffineComposition, 1),
    # `solve` becomes factors and products, by structure
    Step("solving", Solving, 0),
    # factors that several systems share
    Step("common-3", _always(common), 0),
    # what states that start at 0 spare the first phase
    Step("beginning", _always(beginning), 1),
    # blur by transforms, two a phase for `B' @ (B @ x - y)`
    Step("periodic", Periodic, 1),
    # neighbouring convolutions as one
    Step("fusion", _always(fusion), 2),
    # derivatives of solutions that go past their factor
    Step("definite", _always(definite_solutions), 2),
    # soft thresholding in one pass over memory
    Step("shrinking", _always(shrinking), 2),
    # steps and momentum likewise
    Step("updates", _always(updates), 2),
    # sums of squares in a loss likewise
    Step("squares", _always(squares), 2),
    # numbers that these have made equal
    Step("common-4", _always(common), 2),
    # what nothing reads any more
    Step("dead", _always(dead), 0),
)


def optimize(graph: Graph, sizes: Sizes | None = None, level: int = 2) -> Graph:
    """The graph that backends compile. With `sizes`, routes may depend on them; the graph then
    computes the same for other sizes as well, only slower than it could."""
    *_, (_, result) = trace(graph, sizes, level)
    return result


def trace(graph: Graph, sizes: Sizes | None = None, level: int = 2) -> Iterator[tuple[str, Graph]]:
    """Each pass by name and the graph after it, for `--emit ir:<pass>`."""
    verify(graph)
    for step in STEPS:
        if step.level > level:
            continue
        before, graph = graph, step.make(sizes or {})(graph)
        if graph != before:
            verify(graph)
        yield step.name, graph
