"""Values that a caller gives, held against the declarations before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from operator import index
from typing import Any

from unroll_dsl.backends import errors, networks
from unroll_dsl.backends.places import missing_entries
from unroll_dsl.backends.sizes import Equation, solve
from unroll_dsl.backends.values import Meta, as_numpy, describe, looks_like_a_map
from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.diagnostics.raised import InternalError, UnrollError
from unroll_dsl.ir.graph import Constant, Graph, Parameter
from unroll_dsl.source import Span
from unroll_dsl.types import Array, Field, Layer, LinearMap, entries
from unroll_dsl.types import Declared as MapSpaces
from unroll_dsl.types.pieces import pieces


@dataclass(frozen=True, slots=True)
class Binding:
    """What was given, in order: constants and parameters by name, and the sizes that follow.

    Values are as they were given; those of a parameter per phase have either its declared shape or
    a leading axis of one entry a phase.
    """

    constants: dict[str, Any]
    parameters: dict[str, Any]
    sizes: dict[str, int]


def bind(
    graph: Graph,
    phases: int,
    bind: Mapping[str, Any],
    init: Mapping[str, Any],
    dims: Mapping[str, int],
) -> Binding:
    """Check everything that was given; raise one `UnrollError` with all that is wrong."""
    problems: list[Diagnostic] = []
    constants = {c.name: c for c in graph.constants}
    parameters = {p.name: p for p in graph.parameters}
    _names("dims", dims, tuple(name for name, _ in graph.dims), problems)
    learnt = {name for name in bind if name in parameters and name not in constants}
    _names("bind", bind, (*constants, *(learnt and parameters)), problems)
    _names("init", init, tuple(parameters), problems)
    problems += [
        errors.GivenTwice(name)
        for name in bind
        if name in init
        and (name not in learnt or networks.given_twice(parameters[name], bind[name], init[name]))
    ]
    given_constants = {name: value for name, value in bind.items() if name in constants}
    given_parameters = {name: value for name, value in bind.items() if name in learnt}
    given_parameters |= {name: value for name, value in init.items() if name in parameters}
    for name in given_parameters:
        if networks.is_network(parameters[name]):
            given_parameters[name] = networks.as_network(
                parameters[name], bind.get(name), init.get(name)
            )
    known = _sizes(dims, problems)
    equations: list[Equation] = []
    for name, value in given_constants.items():
        equations += _constant(constants[name], value, problems)
    for name, value in given_parameters.items():
        equations += _parameter(parameters[name], value, phases, problems)
    origins = {c.name: c.origin for c in graph.constants}
    origins |= {p.name: p.origin for p in graph.parameters}
    _one_dtype({**given_constants, **given_parameters}, origins, problems)
    sizes, contradictions = solve(equations, known, dict(graph.dims))
    problems += contradictions
    problems += missing_entries(graph, sizes) if not problems else []
    if problems:
        raise UnrollError(problems)
    return Binding(given_constants, given_parameters, sizes)


def _names(
    argument: str, given: Mapping[str, Any], known: tuple[str, ...], problems: list[Diagnostic]
) -> None:
    problems += [
        errors.UnknownBinding(argument, name, known) for name in given if name not in known
    ]


def _sizes(dims: Mapping[str, Any], problems: list[Diagnostic]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, size in dims.items():
        # `__index__` is what whole numbers have, those of numpy too
        if isinstance(size, bool) or not hasattr(size, "__index__") or index(size) < 1:
            problems.append(errors.SizeInvalid(name, repr(size)))
        else:
            found[name] = index(size)
    return found


def _constant(declared: Constant, value: Any, problems: list[Diagnostic]) -> list[Equation]:
    match declared.type:
        case LinearMap(MapSpaces(domain, codomain)):
            return _map(declared, value, domain, codomain, problems)
        case Layer() as layer:
            if not callable(value):
                found = type(value).__name__
                problems.append(
                    errors.CannotActAsMap(declared.name, str(layer), found, declared.origin)
                )
            return []
        case LinearMap():
            raise InternalError(f"{declared.type} is no map from outside")
        case Array():
            pass
    meta = describe(value)
    if not _entries(declared.name, declared, meta, declared.type, problems):
        return []
    spreads = declared.default is not None and meta.shape == ()
    if not spreads and not _possible(meta.shape, declared.type):
        problems.append(
            errors.WrongShape(declared.name, declared.type, meta.shape, declared.origin)
        )
        return []
    _finite(declared.name, declared, value, problems)
    return _equations(declared.name, declared, meta.shape, declared.type)


def _map(
    declared: Constant, value: Any, domain: Array, codomain: Array, problems: list[Diagnostic]
) -> list[Equation]:
    """A map from outside: a matrix, whose sizes are those of its spaces, or an object."""
    meta = describe(value)
    if meta.kind == "?" or not meta.shape:
        if not looks_like_a_map(value):
            found = type(value).__name__
            problems.append(
                errors.CannotActAsMap(declared.name, str(declared.type), found, declared.origin)
            )
        return []
    complex_ = Field.COMPLEX if Field.COMPLEX in (domain.field, codomain.field) else Field.REAL
    matrix = Array((entries(codomain.shape), entries(domain.shape)), complex_)
    if not _entries(declared.name, declared, meta, matrix, problems):
        return []
    if not _possible(meta.shape, matrix):
        problems.append(errors.WrongShape(declared.name, matrix, meta.shape, declared.origin))
        return []
    _finite(declared.name, declared, value, problems)
    return _equations(declared.name, declared, meta.shape, matrix)


def _layer(
    declared: Parameter, layer: Layer, value: Any, phases: int, problems: list[Diagnostic]
) -> list[Equation]:
    """The tensors of a layer, under the names of its `state_dict`."""
    if isinstance(value, networks.Network):
        found_wrong = networks.problem(declared, value, phases)
        problems += [] if found_wrong is None else [found_wrong]
        return []
    if not isinstance(value, Mapping):
        found = type(value).__name__
        problems.append(errors.CannotActAsMap(declared.name, str(layer), found, declared.origin))
        return []
    equations: list[Equation] = []
    known = {piece.name: piece for piece in pieces(layer)}
    for name, tensor in value.items():
        full = f"{declared.name}.{name}"
        if name not in known:
            options = tuple(f"{declared.name}.{other}" for other in known)
            problems.append(errors.UnknownBinding("init", full, options))
            continue
        type_ = Array(known[name].shape)
        meta = describe(tensor)
        if not _entries(full, declared, meta, type_, problems):
            continue
        shape = meta.shape
        if len(shape) == type_.rank + 1 and declared.per_phase:
            if shape[0] != phases:
                problems.append(errors.WrongCount(full, shape, str(type_), phases, declared.origin))
                continue
            shape = shape[1:]
        if not _possible(shape, type_):
            problems.append(errors.WrongShape(full, type_, shape, declared.origin))
            continue
        _finite(full, declared, tensor, problems)
        equations += _equations(full, declared, shape, type_)
    return equations


def _parameter(
    declared: Parameter, value: Any, phases: int, problems: list[Diagnostic]
) -> list[Equation]:
    if not isinstance(declared.type, Array):
        return _layer(declared, declared.type, value, phases, problems)
    meta = describe(value)
    if not _entries(declared.name, declared, meta, declared.type, problems):
        return []
    rank, shape = declared.type.rank, meta.shape
    if len(shape) == rank + 1 and declared.per_phase:
        if shape[0] != phases:
            problems.append(
                errors.WrongCount(declared.name, shape, str(declared.type), phases, declared.origin)
            )
            return []
        shape = shape[1:]
    if shape != () and not _possible(shape, declared.type):
        problems.append(errors.WrongShape(declared.name, declared.type, shape, declared.origin))
        return []
    _finite(declared.name, declared, value, problems)
    return _equations(declared.name, declared, shape, declared.type)


def _possible(shape: tuple[int, ...], type_: Array) -> bool:
    """Whether a shape has the declared rank, and the declared sizes where these are numbers."""
    return len(shape) == type_.rank and all(
        dim.value in (None, size) for dim, size in zip(type_.shape, shape, strict=True)
    )


def _entries(
    name: str,
    declared: Constant | Parameter,
    meta: Meta,
    type_: Array,
    problems: list[Diagnostic],
) -> bool:
    """Whether the entries of a value can be those of the declared type."""
    if meta.kind == "c" and type_.field is not Field.COMPLEX:
        problems.append(errors.WrongField(name, str(type_), declared.origin))
        return False
    if meta.kind in ("f", "c"):
        return True
    dtype = meta.dtype or "bool"
    if meta.kind == "?":
        why = "neither a number nor a dense array of floats"
        mend = "give a number, an array of numpy or a tensor"
    else:
        why, mend = "networks compute with floats", f"convert it: `{name}.astype(float)`"
    problems.append(errors.WrongDtype(name, dtype, why, mend, declared.origin))
    return False


def _finite(
    name: str, declared: Constant | Parameter, value: Any, problems: list[Diagnostic]
) -> None:
    import numpy as np

    if getattr(value, "is_meta", False):
        return  # it has a shape and no entries
    if not np.isfinite(as_numpy(value)).all():
        problems.append(errors.NotFinite(name, declared.origin))


def _one_dtype(
    values: Mapping[str, Any], origins: Mapping[str, Span], problems: list[Diagnostic]
) -> None:
    """Values with a dtype must share their precision: nothing is cast in silence."""
    first: tuple[str, str] | None = None
    for name, value in list(values.items()):
        if isinstance(value, Mapping):  # the tensors of a layer
            values = {**values, **{f"{name}.{key}": piece for key, piece in value.items()}}
    for name, value in values.items():
        meta = describe(value)
        dtype = meta.dtype
        if dtype is None or meta.kind not in ("f", "c"):
            continue
        real = {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)
        if first is None:
            first = (name, real)
        elif real != first[1]:
            problems.append(
                errors.WrongDtype(
                    name,
                    dtype,
                    f"`{first[0]}` is {first[1]}",
                    "convert one of them, so that all values have one precision",
                    origins.get(name),
                )
            )


def _equations(
    name: str, declared: Constant | Parameter, shape: tuple[int, ...], type_: Array
) -> list[Equation]:
    if len(shape) != type_.rank:
        return []  # a scalar, spread over the declared shape
    return [
        Equation(dim, size, f"`{name}`", declared.origin)
        for dim, size in zip(type_.shape, shape, strict=True)
    ]
