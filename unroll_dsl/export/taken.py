"""What a network takes and gives: names, shapes of one sample, and values to try it with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from unroll_dsl.export.refused import CannotExport
from unroll_dsl.freezing import Origin, freeze
from unroll_dsl.syntax.nodes import Name, Output, Program
from unroll_dsl.types import Array, Field

_SEED = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """An input: its name, the shape of one sample, and whether its values are complex."""

    name: str
    shape: tuple[int, ...]
    is_complex: bool


@dataclass(frozen=True, slots=True)
class Frozen:
    """A network for inference. `outputs` are names; `dtype` is the precision of real values, `made_of` what its
    class was made with."""

    name: str
    network: nn.Module
    inputs: tuple[Taken, ...]
    outputs: tuple[str, ...]
    dtype: torch.dtype
    device: torch.device
    made_of: Mapping[str, Any]

    def samples(self, batch: int) -> tuple[Tensor, ...]:
        """Values between 1/2 and 3/2, which any declared bound of data takes; the same at each call."""
        generator = torch.Generator().manual_seed(_SEED)
        return tuple(self._sample(taken, batch, generator) for taken in self.inputs)

    def _sample(self, taken: Taken, batch: int, generator: torch.Generator) -> Tensor:
        shape = (batch, *taken.shape, *((2,) if taken.is_complex else ()))
        value = torch.rand(shape, generator=generator, dtype=self.dtype) + 0.5
        value = torch.view_as_complex(value) if taken.is_complex else value
        return value.to(self.device)

    def expected(self, *given: Tensor) -> tuple[Tensor, ...]:
        """What the network itself gives."""
        with torch.no_grad():
            found = self.network(*given)
        return found if isinstance(found, tuple) else (found,)


def frozen(network: nn.Module, dims: Mapping[str, int] | None = None) -> Frozen:
    """A network of `Spec.compile` or `load_network`, frozen; `dims` are sizes that nothing bound determines.

    Raises
    ------
    CannotExport
        If it is none of these, is frozen already, or a size of an input is not known.
    """
    origin = vars(network).get("_origin")
    if not isinstance(origin, Origin):
        raise CannotExport(
            "this is no network of `Spec.compile` that still learns",
            "give the network itself; it is frozen as it is written",
        )
    sizes = {**origin.sizes, **(dims or {})}
    inputs = []
    for entry in origin.graph.inputs:
        assert isinstance(entry.type, Array)
        shape = tuple(dim.substitute(sizes).value for dim in entry.type.shape)
        missing = sorted({s for d in entry.type.shape for s in d.symbols} - {*sizes})
        if missing:
            words = ", ".join(f"{name}=..." for name in missing)
            raise CannotExport(
                f"the size {missing[0]} of input `{entry.name}` is not known", f"give it: {words}"
            )
        known = tuple(size for size in shape if size is not None)
        inputs.append(Taken(entry.name, known, entry.type.field is Field.COMPLEX))
    held: list[Any] = [*network.parameters(), *network.buffers()]
    like = next((t for t in held if t.is_floating_point() or t.is_complex()), None)
    dtype = like.dtype.to_real() if like is not None else origin.dtype or torch.get_default_dtype()
    device = like.device if like is not None else torch.device("cpu")
    made_of: dict[str, Any] = {}
    made = freeze(network, origin, made_of)
    outputs = _outputs(origin.program)
    return Frozen(origin.graph.name, made, tuple(inputs), outputs, dtype, device, made_of)


def _outputs(program: Program) -> tuple[str, ...]:
    """What the page calls what it gives: `xhat` of `output xhat = 2 * x`, `x` of `output x`, else `output`."""
    found: list[str] = []
    for statement in program.statements:
        if isinstance(statement, Output):
            for name, value in zip(statement.names, statement.values, strict=True):
                word = name or (value if isinstance(value, Name) else None)
                plain = "output" if word is None else word.text
                found.append(plain if plain not in found else f"{plain}{len(found) + 1}")
    return tuple(found)
