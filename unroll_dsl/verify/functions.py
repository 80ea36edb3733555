"""The objective of a program as a function of one real vector, many points at once, with its slope."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from unroll_dsl.backends.torch.names import identifier
from unroll_dsl.ir.graph import Entry, Graph
from unroll_dsl.ir.nodes import Fixed, Input, Learnable, Op, PhaseNumber, Variable
from unroll_dsl.passes.extract import restricted
from unroll_dsl.source import Span
from unroll_dsl.spec import Spec
from unroll_dsl.verify.instance import Instance
from unroll_dsl.verify.networks import tensors
from unroll_dsl.verify.searching import Searched
from unroll_dsl.verify.spaces import Point, Space


class Objective:
    """The objective on one sample of an instance, the same in all phases; compiled once."""

    def __init__(self, spec: Spec, instance: Instance) -> None:
        """`instance` has a batch of one."""
        self.spec, self.instance = spec, instance
        variables = spec.graph.variables
        shapes = [
            tuple(d.substitute(instance.sizes).value or 0 for d in type_.shape)
            for _, type_ in variables
        ]
        fields = [type_.field.name == "COMPLEX" for _, type_ in variables]
        self.space = Space([name for name, _ in variables], shapes, fields)
        self.function = _function(spec, instance, self.space)

    def at(self, states: Mapping[str, NDArray[Any]]) -> float:
        return self.function.at(self.space.flat(states))

    def along(self, places: list[Mapping[str, NDArray[Any]]]) -> Point:
        """At several places at once."""
        return self.function.value(np.stack([self.space.flat(states) for states in places]))


def varies(graph: Graph) -> bool:
    """Whether the objective reads what differs from phase to phase."""
    per_phase = {p.name for p in graph.parameters if p.per_phase}
    for op in _read(graph):
        match op:
            case PhaseNumber():
                return True
            case Learnable(name) if name in per_phase:
                return True
    return False


def fixed_in_objective(graph: Graph) -> set[str]:
    """The constants that the objective reads."""
    return {op.name for op in _read(graph) if isinstance(op, Fixed)}


def _read(graph: Graph) -> Iterator[Op]:
    """The operations that the objective is made of."""
    assert graph.objective is not None
    pending, seen = [graph.objective], set[int]()
    while pending:
        index = pending.pop()
        if index in seen:
            continue
        seen.add(index)
        yield graph.nodes[index].op
        pending.extend(graph.nodes[index].args)


def _function(spec: Spec, instance: Instance, space: Space) -> Searched:
    """The objective as the torch backend computes it, many points at once, with its slope."""
    net = spec.over(_objective_program(spec.graph)).compile(
        **instance.arguments(), dtype=torch.float64
    )
    for p in net.parameters():
        p.requires_grad_(False)
    inputs = [x.squeeze(0) for x in tensors(instance.inputs, torch.float64)]

    def apply(points: torch.Tensor) -> torch.Tensor:
        count = points.shape[0]
        given = [x.expand((count, *x.shape)) for x in inputs]
        found = net(*given, *space.tensors(points))
        assert isinstance(found, torch.Tensor)
        return found.broadcast_to((count,))

    def value(points: Point) -> Point:
        with torch.no_grad():
            found = apply(torch.from_numpy(points)).numpy()
        return np.where(np.isnan(found), np.inf, found)

    def slope(point: Point) -> Point:
        x = torch.from_numpy(point[None]).requires_grad_()
        (found,) = torch.autograd.grad(apply(x).sum(), x)
        kinks = np.nan_to_num(found[0].numpy(), posinf=0.0, neginf=0.0)  # of roots at 0
        return np.asarray(kinks, np.float64)

    return Searched(value, slope)


def _objective_program(graph: Graph) -> Graph:
    """The objective as a program of its own: variables come in after the inputs."""
    assert graph.objective is not None
    taken = {entry.name for entry in graph.inputs}
    fresh = {name: _fresh(name, taken) for name, _ in graph.variables}
    place = Span(graph.file, 0, 0)
    entries = tuple(Entry(fresh[name], type_, "", place) for name, type_ in graph.variables)
    nodes = tuple(
        dataclasses.replace(node, op=Input(fresh[node.op.name]))
        if isinstance(node.op, Variable)
        else node
        for node in graph.nodes
    )
    name, inputs = f"{graph.name}_objective", (*graph.inputs, *entries)
    return restricted(graph, [graph.objective], name=name, inputs=inputs, nodes=nodes)


def _fresh(name: str, taken: set[str]) -> str:
    spelt = f"at_{identifier(name)}"
    while spelt in taken:
        spelt += "_"
    taken.add(spelt)
    return spelt
