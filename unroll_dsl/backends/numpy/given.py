"""Values that a caller gave, as the reference computes with them."""

from __future__ import annotations

from typing import Any

import numpy as np

from unroll_dsl.backends.binding import Binding
from unroll_dsl.backends.errors import SizeUnknown
from unroll_dsl.backends.networks import Network
from unroll_dsl.backends.numpy.reference import Reference
from unroll_dsl.backends.values import as_numpy, describe
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.ir.graph import Graph, Parameter
from unroll_dsl.types import Array as ArrayType
from unroll_dsl.types import Declared, Layer, LinearMap
from unroll_dsl.types.pieces import pieces


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


def reference_of(graph: Graph, phases: int, bound: Binding) -> Reference:
    """The program interpreted with what is bound."""
    parameters = parameters_of(graph, phases, bound)
    return Reference(graph, phases, as_arrays(graph, bound), parameters, bound.sizes)


def _shape(space: ArrayType, bound: Binding) -> tuple[int, ...]:
    sizes = []
    for dim in space.shape:
        size = dim.substitute(bound.sizes).value
        if size is None:
            raise UnrollError([SizeUnknown(str(dim), str(space), None)])
        sizes.append(size)
    return tuple(sizes)


def parameters_of(graph: Graph, phases: int, bound: Binding) -> dict[str, Any]:
    """The values given for learnables, with the axis of phases where they have one."""
    found: dict[str, Any] = {}
    for parameter in graph.parameters:
        if parameter.name not in bound.parameters:
            continue
        if isinstance(given := bound.parameters[parameter.name], Network):
            found[parameter.name] = _functions(parameter, given, phases)
            continue
        if not isinstance(parameter.type, ArrayType):
            found[parameter.name] = _layer_arrays(parameter, phases, bound)
            continue
        value = as_numpy(bound.parameters[parameter.name])
        if parameter.per_phase and value.ndim == parameter.type.rank:
            value = np.broadcast_to(value, (phases, *value.shape))
        found[parameter.name] = value
    return found


def _functions(parameter: Parameter, given: Network, phases: int) -> list[Any]:
    """A learnable network from outside as a function for each phase that has one."""
    import torch

    from unroll_dsl.backends.networks import modules
    from unroll_dsl.backends.numpy.outside import network

    return [network(module.eval()) for module in modules(parameter, given, phases, torch.float64)]


def _layer_arrays(parameter: Parameter, phases: int, bound: Binding) -> dict[str, Any]:
    assert isinstance(parameter.type, Layer)
    ranks = {piece.name: len(piece.shape) for piece in pieces(parameter.type)}
    found = {}
    for name, tensor in bound.parameters[parameter.name].items():
        value = as_numpy(tensor)
        if parameter.per_phase and value.ndim == ranks[name]:
            value = np.broadcast_to(value, (phases, *value.shape))
        found[name] = value
    return found
