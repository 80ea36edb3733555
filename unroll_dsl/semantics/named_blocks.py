"""Blocks of the page: their layers, what these are called, and the blocks at the sizes of each use.

A block is to layers what a `def` is to expressions: a template, checked at the sizes and with the arguments
of each use. Its layers are read once, in its own sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, replace

from unroll_dsl.semantics import errors
from unroll_dsl.semantics.block_bodies import Body
from unroll_dsl.semantics.chains import Chains, meets
from unroll_dsl.semantics.errors import BlockFault
from unroll_dsl.semantics.model import Sort
from unroll_dsl.semantics.scopes import Reporter
from unroll_dsl.semantics.sizes import read_size
from unroll_dsl.source import Span
from unroll_dsl.syntax.nodes import (
    BlockDefinition,
    Expr,
    Name,
    Program,
    StepType,
)
from unroll_dsl.types import Array, Block, Conv, Dim, Form, Layer, Step
from unroll_dsl.types.blocks import Template

Why = BlockFault.Why
_MOST = 4096  # layers of a block, those of its blocks included
_SIDE = 2**12 * 3**3  # of an image that all usual strides and windows divide


@dataclass(frozen=True, slots=True)
class Read:
    """A block as it is written. `places`: where each of its layers stands."""

    definition: BlockDefinition
    template: Template
    places: Mapping[Expr, str]
    chains: Mapping[str, tuple[StepType, ...]]  # the steps of each layer, by its name
    given: Mapping[Expr, str]  # to which parameter a layer is applied, where it is one


class NamedBlocks:
    """The blocks of a program.

    Attributes
    ----------
    names
        What they are called.
    behind
        What a block makes of arrays; None where it takes no such ones. Set by who types expressions.
    """

    def __init__(self, program: Program, reporter: Reporter) -> None:
        self.reporter = reporter
        self._poisoned = program.poisoned
        statements = (s for s in program.statements if isinstance(s, BlockDefinition))
        self._definitions = {s.name.text: s for s in statements}
        self.names = frozenset(self._definitions)
        self._reads: dict[str, Read | None] = {}  # None: wrong, and reported
        self._made: dict[tuple[str, tuple[Dim, ...]], Block | None] = {}
        self._open: list[str] = []  # blocks that are being read
        self._counts: dict[Block, int] = {}
        self._span: Span = program.name.span  # of the use that is being made
        self.behind: Callable[[Block, tuple[Array, ...]], Array | None] = lambda block, given: None

    def read(self, name: str) -> Read | None:
        """A block as it is written; None where something is wrong with it, reported."""
        if name not in self._reads:
            self._open.append(name)
            self._reads[name] = self._read(self._definitions[name])
            self._open.pop()
        return self._reads[name]

    def read_all(self) -> None:
        """Read every block, used or not, so that what is wrong with one is reported."""
        for name in self._definitions:
            self.read(name)

    def templates(self) -> tuple[Template, ...]:
        """Those that could be read, each behind those that it uses."""
        return tuple(read.template for read in self._reads.values() if read is not None)

    def place(self, name: str) -> Span:
        """Where a block is defined."""
        return self._definitions[name].span

    def parameters(self, name: str) -> tuple[str, ...]:
        """What its arrays are called."""
        return tuple(p.name.text for p in self._definitions[name].parameters)

    def used(self, name: Name, sizes: tuple[Dim, ...], span: Span) -> Block | None:
        """The block that a chain uses at these sizes; None, reported, where there is none."""
        read = self.read(name.text)
        if read is None or not self._fits(read.definition, sizes, span):
            return None
        return self._at(name.text, sizes, span)

    def _make_within(self, name: str, sizes: tuple[Dim, ...]) -> Block:
        """A block within another one that is being made."""
        return self._at(name, sizes, self._span) or Block(name, sizes)

    def _fits(self, definition: BlockDefinition, sizes: tuple[Dim, ...], span: Span) -> bool:
        if len(sizes) == len(definition.sizes):
            return True
        name, words = definition.name.text, ", ".join(size.text for size in definition.sizes)
        form = f"{name}[{words}]" if words else name
        found = str(len(sizes) or "none")
        self.reporter.report(BlockFault(span, name, Why.SIZES, form, found, definition.name.span))
        return False

    def _at(self, name: str, sizes: tuple[Dim, ...], span: Span) -> Block | None:
        key = name, sizes
        if key not in self._made:
            read = self.read(name)
            self._span = span
            self._made[key] = None if read is None else self._made_of(read, sizes, span)
        return self._made[key]

    def _made_of(self, read: Read, sizes: tuple[Dim, ...], span: Span) -> Block | None:
        name = read.template.name
        if _small(sizes) is not None:
            found = f"{_small(sizes)} here"
            self.reporter.report(BlockFault(span, name, Why.SMALL, found=found))
            return None
        block = read.template.at(sizes, self._make_within)
        count = sum(self._count(layer) for _, layer in block.parts)
        if count > _MOST:
            self.reporter.report(BlockFault(span, name, Why.MANY, f"{_MOST:,}", f"{count:,}"))
            return None
        self._counts[block] = count
        for part, layer in block.parts:
            small = _small(dim for step in layer.steps for dim in _channels(step))
            if small is not None:
                place = next(place for place, word in read.places.items() if word == part)
                found = f"{small} in `{block}`"
                self.reporter.report(BlockFault(place.span, name, Why.SMALL, found=found))
                return None
            if not meets(layer, read.chains[part], self.reporter):
                return None
        return replace(block, channels=self._ends(read, block))

    def _count(self, layer: Layer) -> int:
        return sum(
            self._counts.get(step, 1) if isinstance(step, Block) else 1 for step in layer.steps
        )

    def _ends(self, read: Read, block: Block) -> tuple[Dim, Dim] | None:
        """The channels that enter and leave a block of one argument, where its layers tell them."""
        layers = dict(block.parts)
        first = read.definition.parameters[0].name.text
        begin = next(
            (
                channels
                for place, name in read.places.items()
                if read.given.get(place) == first
                and (channels := layers[name].channels(0)) is not None
            ),
            None,
        )
        if begin is None or block.arguments != 1:
            return None
        sides = (Dim.of(word) * _SIDE for word in ("h", "w"))
        behind = self.behind(block, (Array((begin, *sides), form=Form.IMAGE),))
        return (begin, behind.shape[0]) if behind is not None and behind.rank == 3 else None

    # ---- as they are written --------------------------------------------------------------------

    def _read(self, definition: BlockDefinition) -> Read | None:
        name = definition.name.text
        if not definition.parameters:
            self.reporter.report(BlockFault(definition.name.span, name, Why.ARGUMENTS))
            return None
        own = {size.text: size.span for size in definition.sizes}
        found = [self._twice(definition)]
        chains = Chains(
            lambda expr: read_size(expr, own, (), (), self.reporter, name),
            lambda space: None,  # no space stands among expressions
            self.names,
            self._named,
            self._poisoned,
            self.reporter,
        )
        body = Body(definition, self.names)
        layers: dict[str, Layer] = {}
        written: dict[str, tuple[StepType, ...]] = {}
        for place, part in body.places.items():
            written[part] = body.steps(place)
            layer = chains.steps(written[part])
            found.append(layer is not None)
            if layer is not None:
                layers[part] = layer
        if not all(found):
            return None
        template = Template(name, tuple(own), tuple(layers.items()), len(definition.parameters))
        return Read(definition, template, body.places, written, body.given)

    def _twice(self, definition: BlockDefinition) -> bool:
        """Whether no name of a block stands for two things."""
        seen: dict[str, Span] = {}
        given = [*definition.sizes, *(p.name for p in definition.parameters)]
        for name in (*given, *(local.name for local in definition.locals)):
            if name.text in seen and any(name is each for each in given):
                sort = Sort.ARGUMENT.value
                twice = errors.DeclaredTwice(name.span, name.text, seen[name.text], sort)
                self.reporter.report(twice)
                return False
            seen.setdefault(name.text, name.span)
        return True

    def _named(self, name: Name, sizes: tuple[Dim, ...], span: Span) -> Block | None:
        """A block that a block uses, in the sizes of that one."""
        definition = self._definitions[name.text]
        if name.text in self._open:
            self.reporter.report(BlockFault(span, name.text, Why.RECURSION))
            return None
        read = self.read(name.text)
        if read is None or not self._fits(definition, sizes, span):
            return None
        quiet = copy(
            self
        )  # channels in these sizes, where they are the same whatever the sizes are
        quiet.reporter, quiet._made = Reporter(), {}
        made = quiet._at(name.text, sizes, span)
        ends = None if made is None else made.channels
        return Block(name.text, sizes, (), read.template.arguments, ends)


def _small(sizes: Iterable[Dim]) -> Dim | None:
    """The first of some sizes that no array has."""
    return next((dim for dim in sizes if dim.value is not None and dim.value < 1), None)


def _channels(step: object) -> tuple[Dim, ...]:
    match step:
        case Conv(begin, end):
            return begin, end
        case Step(channels=ends):
            return ends or ()
        case _:
            return ()
