"""The route of each `solve`, for people: `unroll show` tells it, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Solve
from unroll_dsl.passes.common import common
from unroll_dsl.passes.few_pixels import FewPixels
from unroll_dsl.passes.plans import (
    Cholesky,
    Direct,
    Divide,
    Fourier,
    Iterate,
    Method,
    Orthogonal,
    Planner,
    Sizes,
    Spectral,
    Woodbury,
)
from unroll_dsl.passes.scaling import scaling
from unroll_dsl.source import Span


@dataclass(frozen=True, slots=True)
class Route:
    """What `unroll show` tells of one `solve`."""

    origin: Span | None
    name: str
    reason: str


def routes(graph: Graph, sizes: Sizes | None = None) -> tuple[Route, ...]:
    """The route of each `solve` of a graph as it was built, in the order of the program."""
    prepared = common(scaling(common(graph)))
    planner = Planner(prepared, sizes or {})
    found = []
    for index, node in enumerate(prepared.nodes):
        if isinstance(node.op, Solve):
            plan = planner.plan(index)
            found.append(Route(node.origin, _name(plan.method), plan.reason))
    return tuple(found)


def _name(method: Method) -> str:
    match method:
        case Divide():
            return "division"
        case Spectral(thin=thin):
            return "eigenvectors at set-up" if thin is None else "singular vectors at set-up"
        case Cholesky():
            return "Cholesky factor"
        case Woodbury():
            return "Cholesky factor of the smaller side"
        case Orthogonal():
            return "QR factors"
        case Direct():
            return "dense solution"
        case Fourier():
            return "division under the Fourier transform"
        case FewPixels():
            return "division under the Fourier transform of the kept pixels"
        case Iterate():
            return "conjugate gradients"
        case _:
            assert_never(method)
