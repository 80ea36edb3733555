"""Named blocks of a page: `ResBlock[c]` as it is written, and at given sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from unroll_dsl.types.dims import Dim
from unroll_dsl.types.model import Activation, Block, Bound, Conv, Layer
from unroll_dsl.types.steps import Step

Make = Callable[[str, tuple[Dim, ...]], Block]  # a block of the page by its name and its sizes
_Part = Conv | Activation | Bound | Block | Step


@dataclass(frozen=True, slots=True)
class Template:
    """A block in its own sizes. `parts`: its layers, in these sizes, by the names that their tensors have.
    A block in a part has no parts of its own here: they follow from its sizes."""

    name: str
    sizes: tuple[str, ...]
    parts: tuple[tuple[str, Layer], ...]
    arguments: int

    def at(self, sizes: tuple[Dim, ...], make: Make) -> Block:
        """The block at these sizes; `make` gives those that it uses."""
        given = dict(zip(self.sizes, sizes, strict=True))
        parts = tuple((name, at_sizes(layer, given, make)) for name, layer in self.parts)
        return Block(self.name, sizes, parts, self.arguments)


def at_sizes(layer: Layer, sizes: Mapping[str, Dim], make: Make) -> Layer:
    """A layer with sizes put in for its symbols."""
    return replace(layer, steps=tuple(_at(step, sizes, make) for step in layer.steps))


def _at(step: _Part, sizes: Mapping[str, Dim], make: Make) -> _Part:
    match step:
        case Conv(begin, end):
            ends = begin.substitute(sizes), end.substitute(sizes)
            return replace(step, channels_in=ends[0], channels_out=ends[1])
        case Step(channels=(begin, end)):
            return replace(step, channels=(begin.substitute(sizes), end.substitute(sizes)))
        case Block(name, own):
            return make(name, tuple(dim.substitute(sizes) for dim in own))
        case Activation() | Step() | Bound():
            return step
        case _:
            assert_never(step)


def steps_within(layer: Layer) -> Iterator[tuple[Layer, int]]:
    """Every step of a layer that is no block, those within its blocks included, as layer and place."""
    for place, step in enumerate(layer.steps):
        if isinstance(step, Block):
            for _, part in step.parts:
                yield from steps_within(part)
        else:
            yield layer, place


def blocks_of(layer: Layer) -> Iterator[Block]:
    """The blocks of a chain, not those within them."""
    yield from (step for step in layer.steps if isinstance(step, Block))


def has_blocks(layer: Layer) -> bool:
    return any(True for _ in blocks_of(layer))
