"""Chains of layers: their steps one by one, and whether they meet."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import assert_never

from unroll_dsl.near import near
from unroll_dsl.semantics import errors, layers
from unroll_dsl.semantics.layers import ACTIVATIONS
from unroll_dsl.semantics.scopes import Reporter
from unroll_dsl.source import Span
from unroll_dsl.syntax.foreign import padding_instead
from unroll_dsl.syntax.nodes import (
    ConvType,
    Expr,
    LayerType,
    Name,
    NetworkType,
    Number,
    SpaceType,
    StepType,
)
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.types import Activation, Array, Block, Bound, Conv, Dim, Layer, Step
from unroll_dsl.types.steps import KINDS

LayerStep = Conv | Activation | Bound | Block | Step
PADDINGS = ("zero", "circular", "reflect", "replicate")
_WIDE = ("stride", "dilation")
_CONV_OPTIONS = ("bias", "padding", "groups", *_WIDE)


class Chains:
    """Reads chains of layers.

    Parameters
    ----------
    dim, space
        The size that an expression spells, and the space that a type does; None, reported, for what is none.
    blocks
        The names of the page's blocks.
    block
        The block that a step uses at these sizes; None, reported, where there is none.
    poisoned
        Names of which nothing is known, since their lines could not be read.
    """

    def __init__(
        self,
        dim: Callable[[Expr], Dim | None],
        space: Callable[[SpaceType], Array | None],
        blocks: Collection[str],
        block: Callable[[Name, tuple[Dim, ...], Span], Block | None],
        poisoned: Collection[str],
        reporter: Reporter,
    ) -> None:
        self.poisoned = poisoned
        self.dim = dim
        self.space = space
        self.blocks = blocks
        self.block = block
        self.reporter = reporter

    def layer(self, written: tuple[StepType, ...]) -> Layer | None:
        """The layer that a chain of steps says, whose channels meet; None, reported, where it says none."""
        layer = self.steps(written)
        meet = layer is not None and meets(layer, written, self.reporter)
        return layer if meet else None

    def steps(self, written: tuple[StepType, ...]) -> Layer | None:
        """The layer that a chain says, whether or not its channels meet."""
        steps = tuple(layers.single(written, self.reporter))
        known: dict[layers.Single, LayerStep | None] = {}  # what is repeated is read once
        for step in steps:
            if step not in known:
                known[step] = self._step(step)
        found = tuple(known[step] for step in steps)
        kept = tuple(step for step in found if step is not None)
        return Layer(kept) if len(kept) == len(found) else None

    def _step(self, step: layers.Single) -> LayerStep | None:
        match step:
            case LayerType(kind) if kind.text in self.blocks:
                return self._block(step)
            case LayerType(kind):
                if kind.text not in (*KINDS, *ACTIVATIONS):
                    known = (*self.blocks, *KINDS)
                    close = near(kind.text, (*known, *ACTIVATIONS))
                    self.unknown(kind, "layer", known, close)
                    return None
                return layers.read(step, self.dim, self.reporter)
            case Name(text, span) if text in self.blocks:
                return self.block(step, (), span)
            case Name(text, span) if text in KINDS:
                return layers.read(LayerType(step, None, (), (), (), span), self.dim, self.reporter)
            case Name(text, span):
                if text not in ACTIVATIONS:
                    close = near(text, (*ACTIVATIONS, *KINDS, *self.blocks))
                    self.unknown(step, "activation", ACTIVATIONS, close)
                    return None
                return Activation(text)
            case NetworkType(domains, codomain):
                found = [self.space(domain) for domain in (*domains, codomain)]
                if None in found:
                    return None
                first, *more, last = (space for space in found if space is not None)
                return Bound(first, last, tuple(more))
            case ConvType():
                return self._conv(step)
            case _:
                assert_never(step)

    def unknown(
        self, name: Name, what: str, known: tuple[str, ...], close: tuple[str, ...]
    ) -> None:
        """Report a step of no known kind, unless its definition could not be read."""
        if name.text not in self.poisoned:
            word = errors.UnknownWord(name.span, name.text, what, known, close)
            self.reporter.report(word)

    def _block(self, use: LayerType) -> Block | None:
        """A block of the page at the sizes in its brackets."""
        if use.channels is not None or use.options:
            why = errors.BlockFault.Why.BRACKETS
            self.reporter.report(errors.BlockFault(use.span, use.kind.text, why))
            return None
        dims = [self.dim(size) for size in use.sizes]
        known = tuple(dim for dim in dims if dim is not None)
        return self.block(use.kind, known, use.span) if len(known) == len(dims) else None

    def _conv(self, conv: ConvType) -> Conv | Step | None:
        first, second = self.dim(conv.channels_in), self.dim(conv.channels_out)
        size = conv.size.value if isinstance(conv.size, Number) else None
        if not isinstance(size, int) or size < 1:
            self.reporter.report(
                errors.NumberExpected(conv.size.span, "the kernel size", expression_text(conv.size))
            )
            return None
        said = self._conv_options(conv)
        if first is None or second is None or said is None:
            return None
        bias, padding, groups = said
        wide = [o for o in conv.options if o.keyword and o.keyword.text in _WIDE]
        found = layers.read_options(tuple(wide), KINDS["conv"], self.reporter)
        if found is None:
            return None
        if not found:
            return Conv(first, second, size, bias, padding, groups)
        if padding != "zero":
            why = errors.LayerFault.Why.PADDING
            text = f"padding={padding}"
            self.reporter.report(errors.LayerFault(conv.span, "conv", why, text))
            return None
        flags = ("bias",) if bias else ()
        options = (*found, *((("groups", groups),) if groups > 1 else ()))
        return layers.checked(
            Step("conv", (first, second), size, flags, options), conv.span, self.reporter
        )

    def _conv_options(self, conv: ConvType) -> tuple[bool, str, int] | None:
        """Bias, padding and groups; None if a word is none of those known, reported."""
        for flag in conv.flags:
            if flag.text != "bias":
                self._unknown(flag.span, flag.text, "option of conv", _CONV_OPTIONS)
                return None
        padding, groups = "zero", 1
        for option in conv.options:
            key = option.keyword
            assert key is not None
            if key.text == "padding" and isinstance(option.value, Name):
                padding = option.value.text
                if padding not in PADDINGS:
                    self._unknown(option.value.span, padding, "padding", PADDINGS)
                    return None
            elif key.text == "groups" and isinstance(option.value, Number):
                groups = int(option.value.value)
            elif key.text not in _WIDE:
                self._unknown(option.span, key.text, "option of conv", _CONV_OPTIONS)
                return None
        return bool(conv.flags), padding, groups

    def _unknown(self, span: Span, word: str, what: str, known: tuple[str, ...]) -> None:
        close = padding_instead(word, known) or near(word, known)
        self.reporter.report(errors.UnknownWord(span, word, what, known, close))


def meets(layer: Layer, written: tuple[StepType, ...], reporter: Reporter) -> bool:
    """Whether the channels that leave one step enter the next, and each step knows those it needs."""
    nodes = tuple(layers.single(written, Reporter()))
    if not layers.meeting(layer, nodes, reporter):
        return False
    for place, node in enumerate(nodes):
        if layer.steps[place] == Activation("plf") and layer.channels(place) is None:
            reporter.report(
                errors.CallMismatch(
                    ">>",
                    errors.Operand(node.span, "plf"),
                    "`plf` beside a convolution, which tells its number of channels",
                    "none",
                    "apply `plf(x, q)` to values at knots, a learnable `q : tensor[C, 101]`",
                )
            )
            return False
    return True
