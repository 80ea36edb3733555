"""Maps from outside held against their declarations, for both backends."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from unroll_dsl.adjointness import Adjointness
from unroll_dsl.backends.errors import MapFails, NotAdjoint, NotLinear, WrongShape
from unroll_dsl.backends.maps import WrongImage, try_out
from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.ir.graph import Constant
from unroll_dsl.types import Array, Declared, Field, LinearMap

Shape = tuple[int, ...]


def misfits(
    declared: Constant,
    module: nn.Module,
    domain: Shape,
    codomain: Shape,
    real: torch.dtype,
    device: torch.device | str | None,
) -> list[Diagnostic]:
    """What is wrong with a map for arguments of precision `real`: it is tried out (see adjointness.py).

    `module` is of backends/maps.py; `domain` and `codomain` are the numbers behind the declared spaces.
    """
    found = tried(declared, module, domain, codomain, real, device)
    return [] if isinstance(found, Adjointness) else found


def tried(
    declared: Constant,
    module: nn.Module,
    domain: Shape,
    codomain: Shape,
    real: torch.dtype,
    device: torch.device | str | None,
) -> Adjointness | list[Diagnostic]:
    """What a trial has shown, or what is wrong."""
    assert isinstance(declared.type, LinearMap)
    structure = declared.type.structure
    assert isinstance(structure, Declared)

    def like(space: Array, shape: Shape) -> torch.Tensor:
        dtype = real.to_complex() if space.field is Field.COMPLEX else real
        return torch.empty(shape, dtype=dtype, device=device)

    name, origin = declared.name, declared.origin
    arguments = like(structure.domain, domain), like(structure.codomain, codomain)
    try:
        found = try_out(module, *arguments)
    except WrongImage as wrong:
        word = f"{name}' @ y" if wrong.of_adjoint else f"{name} @ x"
        space = structure.domain if wrong.of_adjoint else structure.codomain
        return [WrongShape(word, space, wrong.found, origin)]
    except MemoryError:
        raise
    except Exception as error:  # whatever a function from outside raises
        return [MapFails(name, str(real).removeprefix("torch."), _first_line(error), origin)]
    if not found.is_linear:
        return [NotLinear(name, found.bend, origin)]
    if not found.is_adjoint:
        return [NotAdjoint(name, found.gap, origin)]
    return found


def _first_line(error: BaseException) -> str:
    words: Any = str(error).strip().splitlines()
    return f"{type(error).__name__}: {words[0]}" if words else type(error).__name__
