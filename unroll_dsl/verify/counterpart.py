"""The instance of one program for another one: which constants, starts and sizes of both are the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from unroll_dsl.backends.networks import is_network
from unroll_dsl.backends.sizes import Equation, solve
from unroll_dsl.backends.values import describe
from unroll_dsl.ir.graph import Constant, Graph, Parameter, Random
from unroll_dsl.spec import Spec
from unroll_dsl.types import Array, Declared, Layer, LinearMap
from unroll_dsl.verify.instance import Instance


def counterpart(
    spec: Spec, other: Spec, instance: Instance, phases: int
) -> tuple[Instance, list[str]]:
    """The instance of `spec` as `other` takes it, and in words which constant of `other` is which.

    Constants are matched by name, else in order, by their types. Learnables without a classical value, networks from outside
    among them, have the values that `spec` has of the same name, else in order. Sizes are those that
    shapes of constants and inputs tell; what these leave open has the size of the same name.
    """
    pairs = _constants(spec.graph, other.graph)
    ref = spec.reference(phases, **instance.arguments())
    bind = {
        name: ref.constant(mine.name) if isinstance(mine.type, Array) else instance.bind[mine.name]
        for name, mine in pairs.items()
        if isinstance(mine.type, Array) or mine.name in instance.bind
    }
    bind |= {
        p.name: instance.bind[p.name]
        for p in other.graph.parameters
        if is_network(p) and p.name in instance.bind
    }
    init = _starts(spec.graph, other.graph, instance, phases)
    sizes = _sizes(other.graph, instance, bind)
    words = [
        f"{name} = {mine.name}" for name, mine in pairs.items() if isinstance(mine.type, Array)
    ]
    made = dataclasses.replace(instance, sizes=sizes, bind=bind, init=init, targets=())
    return made, words


def _constants(graph: Graph, other: Graph) -> dict[str, Constant]:
    """Names of the other program's constants, and the constants that they are."""
    by_name = {c.name: c for c in graph.constants}
    pairs = {
        wanted.name: by_name[wanted.name]
        for wanted in other.constants
        if wanted.name in by_name and _alike(wanted, by_name[wanted.name])
    }
    taken = {c.name for c in pairs.values()}
    for wanted in other.constants:
        if wanted.name in pairs:
            continue
        match = next(
            (c for c in graph.constants if c.name not in taken and _alike(wanted, c)), None
        )
        if match is not None and (
            wanted.default is None or match.default is None or _plain(wanted, other)
        ):
            pairs[wanted.name] = match
            taken.add(match.name)
    return pairs


def _plain(wanted: Constant, graph: Graph) -> bool:
    """Whether a default is a number, not made of other values."""
    return wanted.default is not None and not graph.nodes[wanted.default].args


def _alike(a: Constant, b: Constant) -> bool:
    """Whether two constants may be one: arrays and maps of as many axes, or networks from outside."""
    match a.type, b.type:
        case Array(), Array():
            return a.type.rank == b.type.rank
        case LinearMap(structure=Declared() as ours), LinearMap(structure=Declared() as theirs):
            return (ours.domain.rank, ours.codomain.rank) == (
                theirs.domain.rank,
                theirs.codomain.rank,
            )
        case Layer(), Layer():
            return a.name == b.name
        case _:
            return False


def _starts(graph: Graph, other: Graph, instance: Instance, phases: int) -> dict[str, Any]:
    """Values for the other program's learnables that have no classical one."""
    ours = {p.name: p for p in graph.parameters if p.name in instance.init and _open(p)}
    wanted = [p for p in other.parameters if _open(p) and not is_network(p)]
    pairs = {
        p.name: ours[p.name] for p in wanted if p.name in ours and _fits(p, ours[p.name], True)
    }
    left = [p for name, p in ours.items() if name not in pairs]
    for p in wanted:
        match = None if p.name in pairs else next((q for q in left if _fits(p, q, False)), None)
        if match is not None:
            pairs[p.name] = match
            left.remove(match)
    return {
        p.name: _in_each_phase(instance.init[pairs[p.name].name], pairs[p.name], p, phases)
        for p in wanted
        if p.name in pairs
    }


def _open(parameter: Parameter) -> bool:
    """Whether it has no classical value, or a random one."""
    return parameter.initial is None or isinstance(parameter.initial, Random)


def _fits(wanted: Parameter, mine: Parameter, named: bool) -> bool:
    """Whether the value of `mine` may be that of `wanted`; one value is one for all phases, not the other way."""
    if mine.per_phase and not wanted.per_phase and isinstance(mine.initial, Random):
        return False
    a, b = wanted.type, mine.type
    if isinstance(a, Array) and isinstance(b, Array):
        return a.rank == b.rank
    return (named and isinstance(a, Layer) and isinstance(b, Layer)) or a == b


def _in_each_phase(value: Any, mine: Parameter, wanted: Parameter, phases: int) -> Any:
    if not wanted.per_phase or mine.per_phase or not isinstance(value, dict):
        return value
    return {name: np.stack([piece] * phases) for name, piece in value.items()}


def _sizes(graph: Graph, instance: Instance, bind: dict[str, Any]) -> dict[str, int]:
    """Sizes for the other program: what shapes tell it finds itself, if it does so before its inputs come."""
    equations = [*_bound(graph, bind), *_entering(graph, instance)]
    known, _ = solve(equations, {}, {})
    named = {name: size for name, size in instance.sizes.items() if name not in known}
    declared = {name for name, _ in graph.dims}
    return {name: size for name, size in {**known, **named}.items() if name in declared}


def _bound(graph: Graph, bind: dict[str, Any]) -> Iterator[Equation]:
    for c in graph.constants:
        if isinstance(c.type, Array) and c.name in bind:
            shape = describe(bind[c.name]).shape
            yield from _equations(c.name, c.type, shape)


def _entering(graph: Graph, instance: Instance) -> Iterator[Equation]:
    for entry, value in zip(graph.inputs, instance.inputs, strict=True):
        yield from _equations(entry.name, entry.type, value.shape[1:])


def _equations(name: str, type_: Array, shape: tuple[int, ...]) -> Iterator[Equation]:
    if len(shape) == type_.rank:
        for dim, size in zip(type_.shape, shape, strict=True):
            yield Equation(dim, size, name)
