"""Maps and networks from outside, as the reference computes with them: in double precision."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from unroll_dsl.adjointness import Adjointness
from unroll_dsl.backends.bound_maps import misfits, tried
from unroll_dsl.backends.maps import Pair, as_map
from unroll_dsl.backends.numpy.maps import Array, MapValue
from unroll_dsl.backends.values import as_array
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.ir.graph import Constant
from unroll_dsl.types import Declared, Field, LinearMap

Shape = tuple[int, ...]


def network(value: Any) -> Callable[..., Array]:
    """A bound network on one sample, as a function of arrays."""
    exact = _exact(value)

    def run(*arguments: Array) -> Array:
        tensors = (torch.from_numpy(np.array(x))[None] for x in arguments)
        with torch.no_grad():
            return np.asarray(as_array(exact(*tensors)[0]))

    return run


class OutsideMap:
    """A map that was bound, on one sample, by way of the module that networks use.

    A module is copied and the copy computes in double precision. What cannot is given single precision,
    and said so once. It is prepared, and tried out, when it is first needed. Networks hold the module
    itself, which may be changed between two calls: each call copies it anew.
    """

    def __init__(self, declared: Constant, value: Any, domain: Shape, codomain: Shape) -> None:
        self.declared, self.value = declared, value
        self.spaces = domain, codomain
        self.real = torch.float64
        self.module: nn.Module | None = None
        self.is_old = False

    def as_value(self) -> MapValue:
        return MapValue(
            lambda x: self._run("forward", x), lambda y: self._run("adjoint", y), begin=self.begin
        )

    def begin(self) -> None:
        """Another call begins, before which the module may have been changed."""
        self.is_old = True

    def prepare(self) -> nn.Module:
        """The module behind it.

        Raises
        ------
        UnrollError
            U0503, U0520, U0541, U0542: it has other spaces, is not adjoint, not linear, or fails.
        """
        if self.module is None:
            self.module = self._prepared()
        elif self.is_old:
            self.module = self._copied()
        self.is_old = False
        return self.module

    def _copied(self) -> nn.Module:
        """The map of a copy, which leaves what was bound as it is."""
        change = _wide if self.real is torch.float64 else _near
        return as_map(_changed_map(self.value, change), *self.spaces)

    def _prepared(self) -> nn.Module:
        module = self._copied()
        found = tried(self.declared, module, *self.spaces, torch.float64, "cpu")
        if isinstance(found, Adjointness):
            is_double = found.is_double
        else:
            is_double, self.real = False, torch.float32
            module = self._copied()
            if misfits(self.declared, module, *self.spaces, torch.float32, "cpu"):
                raise UnrollError(found)
        if not is_double:
            warnings.warn(
                f"`{self.declared.name}` computes in less than double precision, and so does the "
                "reference where it is applied: bind a map that keeps float64 to compare closer",
                stacklevel=2,
            )
        return module

    def _run(self, word: str, x: Array) -> Array:
        """Apply it to one sample; a real map to real and imaginary parts."""
        if np.iscomplexobj(x) and self._field(word) is Field.REAL:
            return self._run(word, x.real) + 1j * self._run(word, x.imag)
        module: Any = self.prepare()
        function = module if word == "forward" else module.adjoint
        is_complex = self._field(word) is Field.COMPLEX
        argument = torch.from_numpy(np.array(x))[None]
        with torch.no_grad():
            found = function(argument.to(self.real.to_complex() if is_complex else self.real))[0]
        wide = torch.complex128 if found.is_complex() else torch.float64
        return np.asarray(as_array(found.to(wide)))

    def _field(self, word: str) -> Field:
        """Of the arguments of its forward or adjoint."""
        assert isinstance(self.declared.type, LinearMap)
        structure = self.declared.type.structure
        assert isinstance(structure, Declared)
        return (structure.domain if word == "forward" else structure.codomain).field


def _wide(tensor: torch.Tensor) -> torch.Tensor:
    """In double precision on the CPU."""
    if tensor.is_complex():
        return tensor.to("cpu", torch.complex128)
    return tensor.to("cpu", torch.float64 if tensor.is_floating_point() else None)


def _near(tensor: torch.Tensor) -> torch.Tensor:
    """On the CPU, as it is."""
    return tensor.cpu()


def _exact(value: Any) -> Any:
    """A copy of a module in double precision on the CPU; what is no module as it is."""
    return _changed(value, _wide)


def _changed(value: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """A copy of a module with its tensors changed; what is no module as it is."""
    if not isinstance(value, nn.Module):
        return value
    module: Any = copy.deepcopy(value)
    return module._apply(change)  # `double()` leaves complex numbers as they are


def _changed_map(value: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """The same of a map; of two methods of a module, the methods of its copy."""
    if isinstance(value, Pair):
        value = value.functions
    if not isinstance(value, tuple | list):
        return _changed(value, change)
    owners = [getattr(function, "__self__", None) for function in value]
    copies = {id(o): _changed(o, change) for o in owners if isinstance(o, nn.Module)}
    return tuple(
        getattr(copies[id(owner)], function.__name__) if id(owner) in copies else function
        for function, owner in zip(value, owners, strict=True)
    )
