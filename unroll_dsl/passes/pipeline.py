"""The passes, in the order in which they run; read it from top to bottom.

    1. common       equal values become one, so that `A'` in `A' @ A` is known to be that of `A`
    2. scaling      maps are taken apart where they are applied; adjoints move inwards
    3. common       what that has made equal
    4. solving      `solve` becomes factors and products, by structure
    5. common       factors that several systems share
    6. dead         what nothing reads any more

The verifier accepts the graph before and after each. When a value is computed is no pass: it
follows from the graph (stages.py, liveness.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.verify import verify
from unroll_dsl.passes.common import common
from unroll_dsl.passes.dead import dead
from unroll_dsl.passes.plans import Sizes
from unroll_dsl.passes.scaling import scaling
from unroll_dsl.passes.solving import Solving

Pass = Callable[[Graph], Graph]


def passes(sizes: Sizes | None = None) -> tuple[tuple[str, Pass], ...]:
    """The passes by name, for dimensions of which some may be known."""
    return (
        ("common", common),
        ("scaling", scaling),
        ("common-2", common),
        ("solving", Solving(sizes or {})),
        ("common-3", common),
        ("dead", dead),
    )


PASSES: tuple[tuple[str, Pass], ...] = passes()


def optimize(graph: Graph, sizes: Sizes | None = None) -> Graph:
    """The graph that backends compile. With `sizes`, routes may depend on them; the graph then
    computes the same for other sizes as well, only slower than it could."""
    *_, (_, result) = trace(graph, sizes)
    return result


def trace(graph: Graph, sizes: Sizes | None = None) -> Iterator[tuple[str, Graph]]:
    """Each pass by name and the graph after it, for `--emit ir:<pass>`."""
    verify(graph)
    for name, transform in passes(sizes):
        graph = transform(graph)
        verify(graph)
        yield name, graph
