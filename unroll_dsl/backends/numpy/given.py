"""Values that a caller gave, as the reference computes with them."""

from __future__ import annotations

from typing import Any

from unroll_dsl.backends.binding import Binding
from unroll_dsl.backends.errors import SizeUnknown
from unroll_dsl.backends.values import as_numpy, describe
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.ir.graph import Graph
from unroll_dsl.types import Array as ArrayType
from unroll_dsl.types import Declared, Layer, LinearMap


def as_arrays(graph: Graph, bound: Binding, *, eager: bool = False) -> dict[str, Any]:
    """Constants as arrays of double precision; maps that are no matrices as pairs of functions.

    These are tried out now if `eager`, else when they are first applied.
    """
    constants = {c.name: c for c in graph.constants}
    found: dict[str, Any] = {}
    for name, value in bound.constants.items():
        match constants[name].type:
            case LinearMap(Declared(domain, codomain)) if describe(value).kind == "?":
                from unroll_dsl.backends.numpy.outside import OutsideMap

                spaces = _shape(domain, bound), _shape(codomain, bound)
                outside = OutsideMap(constants[name], value, *spaces)
                found[name] = outside.as_value()
                if eager:
                    outside.prepare()
            case Layer():
                from unroll_dsl.backends.numpy.outside import network

                found[name] = network(value)
            case _:
                found[name] = as_numpy(value)
    return found


def _shape(space: ArrayType, bound: Binding) -> tuple[int, ...]:
    sizes = []
    for dim in space.shape:
        size = dim.substitute(bound.sizes).value
        if size is None:
            raise UnrollError([SizeUnknown(str(dim), str(space), None)])
        sizes.append(size)
    return tuple(sizes)
