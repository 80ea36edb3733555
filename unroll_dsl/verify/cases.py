"""The instances on which a long run is followed: small, well conditioned, and unlike each other."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.ir.graph import Graph
from unroll_dsl.spec import Spec
from unroll_dsl.types import Array, Dim, Form, LinearMap
from unroll_dsl.verify.instance import (
    Instance,
    draw,
    drawn_constants,
    granularity,
    matrix_of,
    multiple,
)
from unroll_dsl.verify.networks import with_random_starts

# A step that lacks a square of a norm is a right one where that is 1.
_NORMS = (1.7, 3.0)
_BATCH = 2
# Rows a column that matrices (not masks) should have: wide in the first case, tall in the second.
_RATIOS = (0.67, 1.5)
_SMALL = (4, 5, 3, 6)  # sizes of images, multiples of what divides them
_LARGEST = 10


@dataclass(frozen=True, slots=True)
class Case:
    """An instance; `drawn` are the constants that have other values than their defaults."""

    instance: Instance
    drawn: tuple[str, ...]


def cases(spec: Spec, seed: int, dims: Mapping[str, int] | None) -> list[Case]:
    """One with the defaults and wide matrices; one with constants drawn, tall matrices and other norms."""
    graph = spec.graph
    if graph.objective is None:
        return []
    given = dict(dims or {})
    first = draw(
        graph,
        seed=seed,
        dims={**sizes(graph, _RATIOS[0], given), **given},
        batch=_BATCH,
        norm=_NORMS[0],
    )
    found = [Case(with_random_starts(spec, first, 1), ())]
    try:
        second = draw(
            graph,
            seed=seed + 1,
            dims={**sizes(graph, _RATIOS[1], given), **given},
            batch=_BATCH,
            norm=_NORMS[1],
            constants=True,
        )
        spec.reference(1, bind=second.bind, init=second.init, dims=second.sizes)
    except UnrollError:  # it does not fit the sizes, or what other constants allow
        return found
    drawn = tuple(drawn_constants(graph, seed + 1))
    return [Case(with_random_starts(spec, second, 1), drawn), *found]


def sizes(graph: Graph, ratio: float, given: Mapping[str, int]) -> dict[str, int]:
    """Sizes, all different, for which the matrices that are bound have about `ratio` rows a column."""
    free = [name for name, default in graph.dims if default is None and name not in given]
    fixed = {**{name: size for name, size in graph.dims if size is not None}, **given}
    step = granularity(graph)
    matrices = [m for m in _matrices(graph) if {d for s in m.shape for d in s.symbols} & {*free}]
    if not matrices or len(free) > 4 or step > 1:
        drawn: dict[str, int] = {}
        for name, size in zip(free, _SMALL, strict=False):
            drawn[name] = multiple(size, step, drawn.values())
        return drawn
    wanted = math.log(ratio)

    def miss(drawn: Mapping[str, int]) -> tuple[float, int]:
        shapes = [[_number(dim, {**fixed, **drawn}) for dim in m.shape] for m in matrices]
        gaps = sum(abs(math.log(max(r, 1) / max(c, 1)) - wanted) for r, c in shapes)
        return round(gaps, 1), -sum(drawn.values())

    return min(_choices(free), key=miss)


def _choices(free: list[str]) -> Iterator[dict[str, int]]:
    pool = range(2 if len(free) > 2 else 4, _LARGEST)
    for chosen in itertools.permutations(pool, len(free)):
        yield dict(zip(free, chosen, strict=True))


def _matrices(graph: Graph) -> list[Array]:
    found = []
    for c in graph.constants:
        type_ = matrix_of(c.type) if isinstance(c.type, LinearMap) else c.type
        if (
            c.default is None
            and isinstance(type_, Array)
            and type_.rank == 2
            and type_.form is not Form.MASK
        ):
            found.append(type_)
    return found


def _number(dim: Dim, known: Mapping[str, int]) -> int:
    return dim.substitute(known).value or 0
