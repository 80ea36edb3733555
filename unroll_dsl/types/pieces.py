"""The tensors that a layer consists of, under the names that `nn.Module.state_dict` gives them.

A chain of steps is an `nn.Sequential`: its tensors are called `0.weight`, `2.weight` and so on; those
of a single convolution `weight` and `bias`; those of a `plf` are its `slopes` and its `start`; those of a
block are those of its layers, by their names: `1.conv2.weight`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

from unroll_dsl.types.dims import Dim
from unroll_dsl.types.model import Activation, Block, Conv, Layer
from unroll_dsl.types.steps import KINDS, Step

# a `plf` has knots -1, -0.98, ..., 1: a slope for each of the cells between them and for both ends
CELLS = 100


class TensorStart(Enum):
    """The classical value of a tensor of a layer."""

    DRAWN = auto()  # by the random start that the program names
    ZERO = auto()
    ONE = auto()
    QUARTER = auto()  # the slope of a `prelu` below 0
    RELU = auto()  # slope 0 left of 0, slope 1 right of it


@dataclass(frozen=True, slots=True)
class Piece:
    """One tensor of a layer."""

    name: str
    shape: tuple[Dim, ...]
    start: TensorStart


def pieces(layer: Layer) -> tuple[Piece, ...]:
    """All tensors of a layer, in the order of its `state_dict`."""
    found: list[Piece] = []
    for place, step in enumerate(layer.steps):
        prefix = f"{place}." if len(layer.steps) > 1 else ""
        if isinstance(step, Activation) and step.name == "plf":
            channels = layer.channels(place)
            assert channels is not None, "the checker wants a convolution beside it"
            found.append(Piece(f"{prefix}slopes", (channels, Dim.of(CELLS + 2)), TensorStart.RELU))
            found.append(Piece(f"{prefix}start", (channels,), TensorStart.ZERO))
        if isinstance(step, Block):
            for name, part in step.parts:
                found += (replace(p, name=f"{prefix}{name}.{p.name}") for p in pieces(part))
        if isinstance(step, Step):
            found += _of_step(step, layer.channels(place), prefix)
        if not isinstance(step, Conv):
            continue
        side = Dim.of(step.size)
        found.append(
            Piece(
                f"{prefix}weight",
                (step.channels_out, _per_group(step), side, side),
                TensorStart.DRAWN,
            )
        )
        if step.bias:
            found.append(Piece(f"{prefix}bias", (step.channels_out,), TensorStart.ZERO))
    return tuple(found)


def _of_step(step: Step, channels: Dim | None, prefix: str) -> list[Piece]:
    found: list[tuple[str, tuple[Dim, ...], TensorStart]] = []
    if step.channels is not None:
        begin, end = step.channels
        ends = (end, begin) if step.kind != "deconv" else (begin, end)
        if step.kind == "conv":
            inner = begin.over(step.option("groups"))
            assert inner is not None, "the checker asks for whole groups"
            ends = (end, inner)
        sides = (Dim.of(step.size),) * 2 if step.kind != "dense" else ()
        found.append(("weight", (*ends, *sides), TensorStart.DRAWN))
        found += [("bias", (end,), TensorStart.ZERO)] if step.bias else []
    starts = {"bias": TensorStart.ZERO, "running_mean": TensorStart.ZERO}
    for word in KINDS[step.kind].tensors:
        assert channels is not None, "the checker wants a convolution beside it"
        start = TensorStart.QUARTER if step.kind == "prelu" else starts.get(word, TensorStart.ONE)
        found.append((word, (channels,), start))
    return [Piece(prefix + name, shape, start) for name, shape, start in found]


def _per_group(step: Conv) -> Dim:
    terms = tuple((monomial, c // step.groups) for monomial, c in step.channels_in.terms)
    return Dim(terms)
