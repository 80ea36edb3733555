"""The passes, in the order in which they run; read it from top to bottom.

    1. common       equal values become one, so that `A'` in `A' @ A` is known to be that of `A`
    2. scaling      maps are taken apart where they are applied; adjoints move inwards
    3. terms        what a loss sums over phases is computed in them
    4. common       what that has made equal
    5. affine       products that follow each other as one, `A' @ (A @ x - y)` as `G @ x - A' @ y`
    6. solving      `solve` becomes factors and products, by structure
    7. common       factors that several systems share
    8. beginning    what states that start at 0 spare the first phase
    9. periodic     blur by transforms, two a phase for `B' @ (B @ x - y)`
    10. fusion      neighbouring convolutions as one
    11. shrinking   soft thresholding in one pass over memory
    12. updates     steps and momentum likewise
    13. squares     sums of squares in a loss likewise
    14. common      numbers that these have made equal
    15. dead        what nothing reads any more

The verifier accepts the graph before and after each. When a value is computed is no pass: it
follows from the graph (ir/stages.py, analysis/liveness.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.verify import verify
from unroll_dsl.passes.affine import Affine
from unroll_dsl.passes.beginning import beginning
from unroll_dsl.passes.common import common
from unroll_dsl.passes.dead import dead
from unroll_dsl.passes.kernels.convolutions import fusion
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


def passes(sizes: Sizes | None = None, level: int = 2) -> tuple[tuple[str, Pass], ...]:
    """The passes by name, for dimensions of which some may be known, up to a level."""
    algebra: tuple[tuple[str, Pass], ...] = (
        ("common", common),
        ("scaling", scaling),
        ("terms", terms),
    )
    kernels: tuple[tuple[str, Pass], ...] = (
        ("fusion", fusion),
        ("shrinking", shrinking),
        ("updates", updates),
        ("squares", squares),
        ("common-4", common),
    )
    return (
        *(algebra if level > 0 else ()),
        ("common-2", common),
        *((("affine", Affine(sizes or {})),) if level > 0 else ()),
        ("solving", Solving(sizes or {})),
        ("common-3", common),
        *((("beginning", beginning), ("periodic", Periodic(sizes or {}))) if level > 0 else ()),
        *(kernels if level > 1 else ()),
        ("dead", dead),
    )


PASSES: tuple[tuple[str, Pass], ...] = passes()


def optimize(graph: Graph, sizes: Sizes | None = None, level: int = 2) -> Graph:
    """The graph that backends compile. With `sizes`, routes may depend on them; the graph then
    computes the same for other sizes as well, only slower than it could."""
    *_, (_, result) = trace(graph, sizes, level)
    return result


def trace(graph: Graph, sizes: Sizes | None = None, level: int = 2) -> Iterator[tuple[str, Graph]]:
    """Each pass by name and the graph after it, for `--emit ir:<pass>`."""
    verify(graph)
    for name, transform in passes(sizes, level):
        before, graph = graph, transform(graph)
        if graph != before:
            verify(graph)
        yield name, graph
