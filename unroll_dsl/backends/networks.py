"""Learnable networks from outside: what was given for one, and the modules that are made of it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unroll_dsl.backends.errors import NotANetwork, WeightsMisfit, WrongCount
from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.ir.graph import Parameter
from unroll_dsl.types import Layer

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Network:
    """A module, a function that makes one, or, per phase, as many modules as there are phases; and tensors
    in place of those that they hold, by the names of their `state_dict`."""

    source: Any
    tensors: Mapping[str, Any] | None = None


def given_twice(declared: Parameter, bound: Any, start: Any) -> bool:
    """Whether `bind` and `init` say the same of a learnable: of a network one gives the module, the other
    its tensors."""
    return not (
        is_network(declared) and isinstance(start, Mapping) and not isinstance(bound, Mapping)
    )


def is_network(declared: Parameter) -> bool:
    """Whether a learnable is a network from outside."""
    return isinstance(declared.type, Layer) and declared.type.from_outside is not None


def as_network(declared: Parameter, bound: Any, start: Any) -> Network:
    """What `bind` and `init` give together; None is what they do not say."""
    if isinstance(start, Mapping):
        return Network(bound, start)
    return Network(start if bound is None else bound)


def problem(declared: Parameter, given: Network, phases: int) -> Diagnostic | None:
    """What is wrong with what was given, before anything is made."""
    learnt = declared.trainable
    source, where = given.source, (declared.name, str(declared.type), declared.origin)
    if source is None or isinstance(source, Mapping):
        return NotANetwork(*where, "tensors without their module", "tensors", learnt)
    if isinstance(source, list | tuple):
        if declared.per_phase and len(source) != phases:
            found = (len(source),)
            return WrongCount(declared.name, found, str(declared.type), phases, declared.origin)
        if not declared.per_phase or not all(map(_is_module, source)):
            return NotANetwork(*where, f"a {type(source).__name__}", "several", learnt)
        return None
    if not _is_module(source) and not callable(source):
        return NotANetwork(*where, type(source).__name__, "other", learnt)
    return None


def _is_module(value: Any) -> bool:
    return not isinstance(value, type) and hasattr(value, "named_parameters")


def modules(declared: Parameter, given: Network, phases: int, real: torch.dtype) -> list[nn.Module]:
    """Modules of their own, one a phase or a single one, of that precision, with the tensors that were given.

    Raises
    ------
    UnrollError
        U0551 if a function makes no module, U0521 if tensors are not those of the module.
    """
    count = phases if declared.per_phase else 1
    made = []
    for place in range(count):
        module = _made(declared, given.source, place).to(dtype=real)
        if given.tensors is not None:
            _load(declared, module, given.tensors, place)
        made.append(module)
    return made


def _made(declared: Parameter, source: Any, place: int) -> nn.Module:
    if isinstance(source, list | tuple):
        source = source[place]
    found: Any = copy.deepcopy(source) if _is_module(source) else source()
    if not _is_module(found):
        words = f"a function that makes {type(found).__name__}"
        where = (declared.name, str(declared.type), declared.origin)
        raise UnrollError([NotANetwork(*where, words, "function", declared.trainable)])
    module: nn.Module = found
    return module


def _load(declared: Parameter, module: nn.Module, tensors: Mapping[str, Any], place: int) -> None:
    held = module.state_dict()
    missing = tuple(name for name in held if name not in tensors)
    surplus = tuple(name for name in tensors if name not in held)
    own: dict[str, Tensor] = {}
    misshapen = []
    for name in held.keys() & tensors.keys():
        value = _tensor(tensors[name])
        if declared.per_phase and value.ndim > held[name].ndim:
            value = value[place]
        if value.shape != held[name].shape:
            shapes = f"{tuple(held[name].shape)} wanted, found {tuple(value.shape)}"
            misshapen.append(f"{name}: {shapes}")
        own[name] = value
    if missing or surplus or misshapen:
        raise UnrollError([WeightsMisfit(f"`{declared.name}`", missing, surplus, tuple(misshapen))])
    module.load_state_dict(own)


def _tensor(value: Any) -> Tensor:
    import numpy as np
    import torch

    from unroll_dsl.backends.values import for_torch

    if isinstance(value, torch.Tensor):
        return value
    return torch.as_tensor(for_torch(np.asarray(value)))


def state(layers: list[nn.Module], per_phase: bool) -> dict[str, Tensor]:
    """The tensors of modules by name, those of all phases stacked."""
    import torch

    held = [layer.state_dict() for layer in layers]
    if not per_phase:
        return {name: tensor.detach().clone() for name, tensor in held[0].items()}
    return {name: torch.stack([h[name].detach() for h in held]) for name in held[0]}


__all__ = ["Network", "as_network", "given_twice", "is_network", "modules", "problem", "state"]
