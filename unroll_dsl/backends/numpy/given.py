"""Values that a caller gave, as the reference computes with them."""

from __future__ import annotations

from typing import Any

import numpy as np

from unroll_dsl.backends.binding import Binding
from unroll_dsl.backends.errors import SizeUnknown
from unroll_dsl.backends.numpy.maps import Array, MapValue
from unroll_dsl.backends.values import as_numpy, describe
from unroll_dsl.diagnostics.model import UnrollError
from unroll_dsl.ir.graph import Graph
from unroll_dsl.types import Array as ArrayType
from unroll_dsl.types import Declared, Layer, LinearMap


def as_arrays(graph: Graph, bound: Binding) -> dict[str, Any]:
    """Constants as arrays of double precision; maps that are no matrices as pairs of functions."""
    types = {c.name: c.type for c in graph.constants}
    found: dict[str, Any] = {}
    for name, value in bound.constants.items():
        match types[name]:
            case LinearMap(Declared(domain, codomain)) if describe(value).kind == "?":
                found[name] = _map(value, _shape(domain, bound), _shape(codomain, bound))
            case Layer():
                found[name] = _function(value)
            case _:
                found[name] = as_numpy(value)
    return found


def _function(network: Any) -> Any:
    """A bound network on one sample, in double precision, as a function of arrays."""
    import copy

    import torch

    exact = (
        copy.deepcopy(network).cpu().double() if isinstance(network, torch.nn.Module) else network
    )

    def run(x: Array) -> Array:
        with torch.no_grad():
            return np.asarray(exact(torch.from_numpy(np.array(x))[None])[0].numpy())

    return run


def _map(value: Any, domain: tuple[int, ...], codomain: tuple[int, ...]) -> MapValue:
    """An object from outside on one sample, by way of the module that networks use."""
    import torch

    from unroll_dsl.maps import as_map

    module = as_map(value, domain, codomain)

    def run(function: Any, x: Array) -> Array:
        with torch.no_grad():
            return np.asarray(function(torch.from_numpy(np.array(x))[None])[0].numpy())

    return MapValue(lambda x: run(module, x), lambda y: run(module.adjoint, y))


def _shape(space: ArrayType, bound: Binding) -> tuple[int, ...]:
    sizes = []
    for dim in space.shape:
        size = dim.substitute(bound.sizes).value
        if size is None:
            raise UnrollError([SizeUnknown(str(dim), str(space), None)])
        sizes.append(size)
    return tuple(sizes)
