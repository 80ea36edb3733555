"""The values that a network computes with, read off its parameters."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from unroll_dsl.backends.networks import is_network, state
from unroll_dsl.backends.torch.constraints import HELPERS, constrained
from unroll_dsl.backends.torch.names import identifier
from unroll_dsl.backends.torch.templates import number, text
from unroll_dsl.ir.graph import Graph, Parameter
from unroll_dsl.types import Array

Bounds = tuple[float | None, float | None]
_T = TypeVar("_T")


def learned(
    graph: Graph, network: nn.Module, bounds: Callable[[Parameter], Bounds]
) -> dict[str, Tensor | dict[str, Tensor]]:
    """The value of each learnable, with a leading axis of phases if it is per phase, constraints
    applied as the network applies them. A phase without the learnable, where it would have no
    influence, repeats the value of the phase before; the first ones that of the first that has it."""
    found: dict[str, Tensor | dict[str, Tensor]] = {}
    for parameter in graph.parameters:
        word = identifier(parameter.name)
        held: Any = getattr(network, "phases", None)
        if parameter.per_phase and not isinstance(held, nn.ModuleList):
            continue  # no phase has a learnable of its own
        owners: list[Any] = list(held) if parameter.per_phase else [network]
        if not isinstance(parameter.type, Array):
            layers = _filled([getattr(owner, word, None) for owner in owners], nn.Module)
            if layers:
                tensors = state(layers, parameter.per_phase)
                if not is_network(parameter):  # what torch counts is no tensor of the layer
                    tensors = {k: v for k, v in tensors.items() if v.is_floating_point()}
                found[parameter.name] = tensors
            continue
        stored = [p.detach() for p in _filled([getattr(o, word, None) for o in owners], Tensor)]
        if not stored:
            continue  # no phase has it
        value = torch.stack(stored) if parameter.per_phase else stored[0].clone()
        found[parameter.name] = _held(parameter, value, *bounds(parameter))
    return found


def _filled(held: Sequence[object], kind: type[_T]) -> list[_T]:
    """What is held phase by phase, with that of a neighbour where a phase has none; nothing if none has."""
    last = next((value for value in held if isinstance(value, kind)), None)
    found: list[_T] = []
    for value in held if last is not None else ():
        last = value if isinstance(value, kind) else last
        assert last is not None
        found.append(last)
    return found


def outside(parameter: Parameter, network: nn.Module) -> list[nn.Module]:
    """The modules of a network from outside: one a phase, or a single one."""
    owners: Any = getattr(network, "phases", ()) if parameter.per_phase else [network]
    word = identifier(parameter.name)
    return _filled([getattr(owner, word, None) for owner in owners], nn.Module)


def _held(parameter: Parameter, value: Tensor, lower: float | None, upper: float | None) -> Tensor:
    """The value behind its constraint, by the function that generated code calls."""
    limits = parameter.limits
    if limits is None or (lower is None and upper is None):
        return value
    low, high = (None if bound is None else number(bound) for bound in (lower, upper))
    expr = constrained(ast.Name("p"), low, limits.lower_strict, high, limits.upper_strict)
    namespace: dict[str, Any] = {"torch": torch, "Tensor": Tensor, "p": value}
    assert isinstance(expr, ast.Call) and isinstance(expr.func, ast.Name)
    exec(HELPERS[expr.func.id], namespace)
    result = eval(text(expr), namespace)
    assert isinstance(result, Tensor)
    return result
