"""A network from a graph and the values that were bound to it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from unroll_dsl.backends.binding import Binding
from unroll_dsl.backends.bound_maps import misfits
from unroll_dsl.backends.errors import (
    DevicesDiffer,
    MissingStart,
    SizeUnknown,
    WrongDtype,
)
from unroll_dsl.backends.maps import as_map
from unroll_dsl.backends.networks import Network, is_network, modules
from unroll_dsl.backends.torch.backward import UNROLL, Backward
from unroll_dsl.backends.torch.contexts import plain
from unroll_dsl.backends.torch.loader import load_module
from unroll_dsl.backends.torch.module import Emitted, emit
from unroll_dsl.backends.torch.names import identifier
from unroll_dsl.backends.torch.singular import in_words, refuse_singular
from unroll_dsl.backends.torch.styles import Style, in_style
from unroll_dsl.backends.values import describe, for_torch
from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.ir.graph import Constant, Entry, Graph, Parameter
from unroll_dsl.passes.analysis.liveness import unused
from unroll_dsl.passes.pipeline import optimize
from unroll_dsl.types import Array, Declared, Dim, Field, Layer, LinearMap

_ALIGNMENT = 64  # bytes, as torch allocates


def instantiate(
    graph: Graph,
    phases: int | None,
    bound: Binding,
    *,
    dtype: torch.dtype | None,
    device: torch.device | str | None,
    seed: int | None,
    level: int | None = 2,
    style: Style = "fast",
    backward: Backward = UNROLL,
    made_of: dict[str, Any] | None = None,
) -> nn.Module:
    """Make the network. Values have been checked by `binding.bind`; bounds are checked here, where
    they can be computed. `level` None: the passes have run. `made_of` receives what its class was made with."""
    _complete(graph, bound)
    device = _device(graph, bound) if device is None else device
    prepared, emitted = _written(graph, phases, bound.sizes, level, backward, style)
    module = load_module(emitted.source, identifier(graph.name))
    asked = _dtype(bound, dtype)
    real = torch.float32 if asked.itemsize < 4 else asked  # decompositions have no half precision
    if real != asked and any(_is_complex(node.type) for node in prepared.nodes):
        why = "complex values have no half precision"
        raise UnrollError([WrongDtype("dtype", str(asked), why, "give torch.float32", None)])
    with plain(device), torch.random.fork_rng(enabled=seed is not None):
        count = phases or graph.phases or 1
        networks = {
            p.name: _networks(p, bound.parameters[p.name], count, real, device, seed)
            for p in graph.parameters
            if is_network(p) and p.name in bound.parameters
        }
        arguments = _arguments(graph, emitted, bound, real, device, networks)
        if phases is not None and any(a.python == "phases" for a in emitted.arguments):
            arguments["phases"] = phases
        if emitted.needs_dtype:
            arguments |= {"dtype": real, "device": device}
        if seed is not None:
            torch.manual_seed(seed)
        if made_of is not None:
            made_of.update(arguments)
        with in_words(graph):
            network = getattr(module, emitted.class_name)(**arguments)
        assert isinstance(network, nn.Module)
        refuse_singular(prepared, emitted.buffers, network)
        _set(graph, network, bound)
        network = network.to(asked) if asked != real else network
        return network if device is None else network.to(device)


_LATELY: dict[tuple[object, ...], tuple[Graph, Graph, Emitted]] = {}  # by the graph's identity
_KEPT = 8


def _written(
    graph: Graph,
    phases: int | None,
    sizes: Mapping[str, int],
    level: int | None,
    backward: Backward,
    style: Style,
) -> tuple[Graph, Emitted]:
    """What the passes and the emitter make of a graph; the last few are kept, for one program is made into
    networks of several precisions and values."""
    key = (id(graph), phases, tuple(sorted(sizes.items())), level, backward, style)
    found = _LATELY.get(key)
    if found is None:
        prepared = graph if level is None else optimize(graph, sizes, level)
        prepared = in_style(prepared, style)
        found = graph, prepared, emit(prepared, phases=phases, backward=backward, style=style)
        while len(_LATELY) >= _KEPT:
            _LATELY.pop(next(iter(_LATELY)), None)
        _LATELY[key] = found
    return found[1], found[2]


def is_finite(network: nn.Module) -> bool:
    """Whether all that a network holds before it is called is finite."""
    held = (*network.parameters(), *network.buffers())
    return all(bool(t.isfinite().all()) for t in held if not t.is_meta)


def _is_complex(type_: object) -> bool:
    return isinstance(type_, Array) and type_.field is Field.COMPLEX


def _complete(graph: Graph, bound: Binding) -> None:
    """Raise if a value without a classical one was not given, unless nothing in the network needs it."""
    problems: list[Diagnostic] = []
    missing = [c for c in graph.constants if c.default is None and c.name not in bound.constants]
    idle = unused(graph) if missing else ()  # what makes data alone, for instance
    for constant in missing:
        if constant.name not in idle:
            problems.append(MissingStart(constant.name, "fixed value", constant.origin))
    for parameter in graph.parameters:
        if parameter.initial is None and parameter.name not in bound.parameters:
            kind = "network" if is_network(parameter) else "learnable"
            problems.append(MissingStart(parameter.name, kind, parameter.origin))
    if problems:
        raise UnrollError(problems)


def _device(graph: Graph, bound: Binding) -> torch.device | None:
    """Where the bound tensors are; arrays and numbers follow them."""
    origins = {c.name: c.origin for c in graph.constants}
    origins |= {p.name: p.origin for p in graph.parameters}
    first: tuple[str, torch.device] | None = None
    for name, value in (*bound.constants.items(), *bound.parameters.items()):
        pieces = value.values() if isinstance(value, Mapping) else (value,)
        for tensor in pieces:
            if not isinstance(tensor, Tensor):
                continue
            if first is None:
                first = name, tensor.device
            elif tensor.device != first[1]:
                found, elsewhere = str(tensor.device), str(first[1])
                raise UnrollError(
                    [DevicesDiffer(name, found, first[0], elsewhere, origins.get(name))]
                )
    return first[1] if first is not None else None


def _dtype(bound: Binding, dtype: torch.dtype | None) -> torch.dtype:
    """The real dtype of the network: as asked for, else that of the values, else torch's default."""
    if dtype is not None:
        if not isinstance(dtype, torch.dtype) or not (dtype.is_floating_point or dtype.is_complex):
            why = "networks compute with floats"
            mend = "give torch.float32, torch.float64 or another floating dtype"
            raise UnrollError([WrongDtype("dtype", str(dtype), why, mend, None)])
        return dtype.to_real() if dtype.is_complex else dtype
    for value in (*bound.constants.values(), *bound.parameters.values()):
        meta = describe(value)
        found = meta.dtype if meta.kind in ("f", "c") else None
        if found is not None:
            named = getattr(torch, found)
            assert isinstance(named, torch.dtype)
            return named.to_real() if named.is_complex else named
    for value in bound.parameters.values():
        if isinstance(value, Network) and isinstance(value.source, nn.Module):
            floats = (p.dtype for p in value.source.parameters() if p.is_floating_point())
            return next(floats, torch.get_default_dtype())
    return torch.get_default_dtype()


def _tensor(value: Any, type_: Array, real: torch.dtype, device: Any) -> Tensor:
    dtype = real.to_complex() if type_.field is Field.COMPLEX else real
    if not isinstance(value, Tensor):
        return torch.tensor(for_torch(np.asarray(value)), dtype=dtype, device=device)
    given: Tensor = value.clone() if value.is_inference() else value
    found = given.detach().to(dtype=dtype, device=device).resolve_conj()
    if found.is_contiguous() and found.data_ptr() % _ALIGNMENT == 0:
        return found
    # the last bits of a product depend on both: the same values are to give the same network
    return found.clone(memory_format=torch.contiguous_format)


def _arguments(
    graph: Graph,
    emitted: Emitted,
    bound: Binding,
    real: torch.dtype,
    device: Any,
    networks: Mapping[str, list[nn.Module]],
) -> dict[str, Any]:
    """The arguments of the constructor of the network."""
    types = {c.name: c for c in graph.constants}
    parameters = {p.name: p for p in graph.parameters}
    found: dict[str, Any] = {}
    problems: list[Diagnostic] = []
    for argument in emitted.arguments:
        name = argument.name
        if name in bound.constants:
            type_ = types[name].type
            if isinstance(type_, Layer):
                network = bound.constants[name]
                # a copy: what is fixed here may be trained elsewhere
                held = copy.deepcopy(network) if isinstance(network, nn.Module) else _Plain(network)
                found[argument.python] = held if device is None else held.to(device)
                continue
            if isinstance(type_, LinearMap):
                found[argument.python] = _map(types[name], bound, real, device, problems)
                continue
            if types[name].number:
                found[argument.python] = float(bound.constants[name])
                continue
            value = _tensor(bound.constants[name], type_, real, device)
            found[argument.python] = value.expand(_shape(type_, bound, problems)).contiguous()
        elif name in networks:
            made = networks[name]
            found[argument.python] = iter(made).__next__ if parameters[name].per_phase else made[0]
        elif name in parameters and parameters[name].initial is None:
            declared = parameters[name]
            assert isinstance(declared.type, Array)
            value = _tensor(bound.parameters[name], declared.type, real, device)
            if declared.per_phase and value.ndim > declared.type.rank:
                value = value[0]
            if declared.number:
                found[argument.python] = float(value)
                continue
            found[argument.python] = value.expand(_shape(declared.type, bound, problems))
        elif argument.annotation == "int" and argument.python != "phases":
            if name in bound.sizes:
                found[argument.python] = bound.sizes[name]
            elif argument.default is None:
                problems.append(SizeUnknown(name, f"`{graph.name}`", _dim_origin(graph, name)))
    if problems:
        raise UnrollError(problems)
    return found


def _networks(
    declared: Parameter,
    given: Network,
    count: int,
    real: torch.dtype,
    device: Any,
    seed: int | None,
) -> list[nn.Module]:
    """The modules of a learnable network, of the precision and on the device of all."""
    if seed is not None:  # a function may draw its weights
        torch.manual_seed(seed)
    return [module.to(device=device) for module in modules(declared, given, count, real)]


class _Plain(nn.Module):
    """A bound function that is no module."""

    def __init__(self, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *x: Tensor) -> Tensor:
        return self.function(*x)


def _map(
    declared: Constant, bound: Binding, real: torch.dtype, device: Any, problems: list[Diagnostic]
) -> nn.Module | None:
    """The module of a map from outside, tested for adjointness unless it is a matrix."""
    assert isinstance(declared.type, LinearMap)
    structure = declared.type.structure
    assert isinstance(structure, Declared)
    domain = _shape(structure.domain, bound, problems)
    codomain = _shape(structure.codomain, bound, problems)
    if problems:
        return None
    value = bound.constants[declared.name]
    is_complex = Field.COMPLEX in (structure.domain.field, structure.codomain.field)
    field = Field.COMPLEX if is_complex else Field.REAL
    if describe(value).kind != "?":
        whole = Array((Dim.of(prod(codomain)), Dim.of(prod(domain))), field)
        return as_map(_tensor(value, whole, real, device), domain, codomain)
    module = as_map(value, domain, codomain)
    if device is not None:
        module = module.to(device)
    problems += misfits(declared, module, domain, codomain, real, device)
    return module


def _dim_origin(graph: Graph, symbol: str) -> Any:
    everything: list[Constant | Parameter | Entry] = [
        *graph.constants,
        *graph.parameters,
        *graph.inputs,
    ]
    for declared in everything:
        if isinstance(declared.type, Array) and any(
            symbol in dim.symbols for dim in declared.type.shape
        ):
            return declared.origin
    return None


def _shape(type_: Array, bound: Binding, problems: list[Diagnostic]) -> tuple[int, ...]:
    sizes = []
    for dim in type_.shape:
        size = dim.substitute(bound.sizes).value
        if size is None:
            problems.append(SizeUnknown(str(dim), str(type_), None))
            size = 1
        sizes.append(size)
    return tuple(sizes)


def _set(graph: Graph, network: nn.Module, bound: Binding) -> None:
    """Give parameters the values that `init` asks for."""
    phases = list(getattr(network, "phases", ())) if _has_phases(network) else []
    for parameter in graph.parameters:
        if parameter.name not in bound.parameters:
            continue
        word = identifier(parameter.name)
        given = bound.parameters[parameter.name]
        holders = phases if parameter.per_phase else [network]
        if isinstance(given, Network):
            continue  # made with its tensors
        if not isinstance(parameter.type, Array):
            for place, holder in enumerate(holders):
                layer = getattr(holder, word, None)
                if isinstance(layer, nn.Module):
                    _set_layer(layer, given, place if parameter.per_phase else None)
            continue
        for place, holder in enumerate(holders):
            held = getattr(holder, word, None)
            if held is None:
                continue  # what cannot reach the output does not exist
            value = _as_given(given)
            if parameter.per_phase and value.ndim > parameter.type.rank:
                value = value[place]
            if parameter.number:
                setattr(holder, word, float(value))
                continue
            value = value.to(dtype=held.dtype, device=held.device)
            with torch.no_grad():
                held.copy_(value.expand_as(held))


def _set_layer(layer: nn.Module, given: Mapping[str, Any], place: int | None) -> None:
    """Give a layer the tensors that `init` names."""
    held = {**dict(layer.named_parameters()), **dict(layer.named_buffers())}
    with torch.no_grad():
        for name, value in given.items():
            tensor = _as_given(value)
            if place is not None and tensor.ndim > held[name].ndim:
                tensor = tensor[place]
            held[name].copy_(tensor.to(held[name]))


def _as_given(value: Any) -> Tensor:
    """A tensor with all the digits of the value: numbers of Python are doubles."""
    return (
        value.detach() if isinstance(value, Tensor) else torch.tensor(for_torch(np.asarray(value)))
    )


def _has_phases(network: nn.Module) -> bool:
    return isinstance(getattr(network, "phases", None), nn.ModuleList)


__all__ = ["instantiate", "is_finite"]
