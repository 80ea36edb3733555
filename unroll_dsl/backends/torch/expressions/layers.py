"""Layers called, and the kernels that stand for two of them or for one with few channels."""

from __future__ import annotations

import ast
from functools import partial

from unroll_dsl.backends.torch.expressions.products import Products
from unroll_dsl.backends.torch.templates import call, fill, is_simple, name, number
from unroll_dsl.ir import nodes as ops
from unroll_dsl.types import Block, Bound, Conv, Field, Layer, Step
from unroll_dsl.types.steps import KINDS


class Layers(Products):
    """Writes layers."""

    def _layer(self, layer: int, argument: int, *more: int) -> ast.expr:
        """A layer called; real filters take the real and the imaginary part of complex data."""
        node, layer_type = self.nodes[layer], self.nodes[layer].type
        assert isinstance(layer_type, Layer)
        x = self.tensor(argument)
        if isinstance(node.op, ops.LayerSteps):
            for place in range(node.op.start, node.op.stop):
                x = ast.Call(self._module(layer, place), [x], [])
            return x
        module = self.value(node.args[0] if isinstance(node.op, ops.SplitLayer) else layer)
        ranks = tuple(self.type(each).rank for each in (argument, *more))
        called = partial(self._called, layer_type, module, ranks, more)
        takes_complex = layer_type.domains is not None and not layer_type.split
        if self.type(argument).field is not Field.COMPLEX or takes_complex:
            if isinstance(node.op, ops.SplitLayer):  # split(N) of real data is complex all the same
                x = self.bind(x)
                zero = fill("torch.zeros_like(x)", x=x)
                return call("torch.complex", *(called(v) for v in (x, zero)))
            return called(x)
        x = x if is_simple(x) else self.bind(x)
        parts = (ast.Attribute(x, part) for part in ("real", "imag"))
        return call("torch.complex", *(called(part) for part in parts))

    def _called(
        self,
        layer: Layer,
        module: ast.expr,
        ranks: tuple[int, ...],
        more: tuple[int, ...],
        x: ast.expr,
    ) -> ast.expr:
        """A module called; one that wants one batch axis gets it. `ranks`: the axes of a sample of each argument."""
        first = layer.steps[0]
        if isinstance(first, Bound):
            ranks = tuple(domain.rank for domain in first.domains)
        given = [x, *(self.tensor(argument) for argument in more)]
        if self.one_batch or not _wants_batch(layer):
            return ast.Call(module, given, [])
        if not more:
            return call("over_batch", module, x, number(ranks[0]))
        pairs = zip(given, ranks, strict=True)
        samples = [ast.Tuple([v, number(rank)], ast.Load()) for v, rank in pairs]
        return call("over_batches", module, *samples)

    def _module(self, layer: int, place: int) -> ast.expr:
        """The module of one step: `self.H[2]`; of a layer that is one step, the layer itself."""
        node = self.nodes[layer]
        whole = node.args[0] if isinstance(node.op, ops.LayerSteps) else layer
        type_ = self.nodes[whole].type
        assert isinstance(type_, Layer)
        module = self.value(whole)
        if len(type_.steps) == 1:
            return module
        return ast.Subscript(module, ast.Constant(place))

    def _pair(self, first: int, second: int, argument: int, kernel: int | None = None) -> ast.expr:
        """Two convolutions as one, with the kernels of both, and that of the one where it is known."""
        tensors = [*self._tensors(first), *self._tensors(second)]
        made = ast.Call(name("convolve_pair"), [self.tensor(argument), *tensors], [])
        if kernel is not None:
            made.keywords.append(ast.keyword("kernel", self.value(kernel)))
        return made

    def _pair_kernel(self, first: int, second: int) -> ast.expr:
        return call("pair_kernel", self._tensors(first)[0], self._tensors(second)[0])

    def _single(self, layer: int) -> ast.expr:
        """The module of a layer of one step."""
        op = self.nodes[layer].op
        return self._module(layer, op.start if isinstance(op, ops.LayerSteps) else 0)

    def _tensors(self, layer: int) -> list[ast.expr]:
        """The weight of a single convolution, and its bias if it has one."""
        type_ = self.nodes[layer].type
        assert isinstance(type_, Layer) and isinstance(type_.steps[0], Conv)
        words = ("weight", "bias") if type_.steps[0].bias else ("weight",)
        return [ast.Attribute(self._single(layer), word) for word in words]

    def _few(self, layer: int, argument: int) -> ast.expr:
        """A convolution with few channels at one end."""
        return call("convolve_few", self.tensor(argument), *self._tensors(layer))


def _wants_batch(layer: Layer) -> bool:
    """Whether a layer is called with one batch axis: torch has steps of images for it, and so has a block."""
    return any(
        isinstance(step, Bound | Block) or (isinstance(step, Step) and KINDS[step.kind].images)
        for step in layer.steps
    )
