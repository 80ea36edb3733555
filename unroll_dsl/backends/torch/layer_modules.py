"""Layers as expressions that make their modules: `nn.Sequential(Conv2d(1, 32, 3, padding=1), nn.ReLU())`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

from unroll_dsl.backends.torch.expressions.like import Like
from unroll_dsl.backends.torch.layer_steps import made as made_step
from unroll_dsl.backends.torch.layers import ACTIVATIONS
from unroll_dsl.backends.torch.templates import call, fill, name, number
from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.types import Activation, Block, Bound, Conv, Dim, Field, Layer, Step


@dataclass(frozen=True, slots=True)
class Modules:
    """Makes layers in one place of the generated code.

    Parameters
    ----------
    size, like
        The expression of a dimension, and what gives dtype and device.
    class_of
        The class of a block at its sizes.
    conv
        The class of a plain convolution: with any number of batch axes, or torch's own with one.
    """

    size: Callable[[Dim], ast.expr]
    like: Callable[[], Like]
    class_of: Callable[[Block], str]
    conv: str = "Conv2d"

    def made(self, layer: Layer, real: Layer | None = None) -> ast.expr:
        """The module of a layer. `real`: the same at the sizes that its blocks have."""
        places = range(len(layer.steps))
        steps = [self._step(layer, place, real or layer) for place in places]
        return steps[0] if len(steps) == 1 else call("nn.Sequential", *steps)

    def _where(self) -> dict[str, ast.expr]:
        like = self.like()
        return {"dtype": like.dtype(Field.REAL), "device": like.device()}

    def _step(self, layer: Layer, place: int, real: Layer) -> ast.expr:
        match layer.steps[place]:
            case Conv() as step:
                return self._conv(step)
            case Activation("plf"):
                count = layer.channels(place)
                assert count is not None
                return _keywords("PiecewiseLinear", [self.size(count)], self._where())
            case Activation("relu") if place and isinstance(layer.steps[place - 1], Conv):
                return fill("nn.ReLU(inplace=True)")  # no derivative reads what a convolution gave
            case Activation("softplus"):
                return fill("nn.Softplus(threshold=40)")  # beyond it the identity to the last bit
            case Activation(word):
                return call(ACTIVATIONS[word])
            case Step():
                return made_step(layer, place, self.size, self.like())
            case Block(_, sizes):
                block = real.steps[place]
                assert isinstance(block, Block)
                word = self.class_of(block)
                return _keywords(word, [self.size(dim) for dim in sizes], self._where())
            case Bound() as bound:
                raise InternalError(f"`{bound}` stands in a chain")

    def _conv(self, step: Conv) -> ast.expr:
        channels = [self.size(step.channels_in), self.size(step.channels_out)]
        # torch goes round an image once at most
        around = step.padding in ("circular", "reflect")
        same = ast.Constant("same") if step.size % 2 == 0 else number(step.size // 2)
        options: dict[str, ast.expr] = {"padding": same}
        if step.padding != "zero":
            options["padding_mode"] = ast.Constant(step.padding)
        if step.groups > 1:
            options["groups"] = number(step.groups)
        if not step.bias:
            options["bias"] = ast.Constant(False)
        word = "PaddedConv2d" if around else self.conv
        return _keywords(word, [*channels, number(step.size)], {**options, **self._where()})


def _keywords(word: str, arguments: list[ast.expr], options: dict[str, ast.expr]) -> ast.expr:
    keywords = [ast.keyword(key, value) for key, value in options.items()]
    return ast.Call(name(word), arguments, keywords)
