"""Periodic blur by way of the Fourier transform, with a transfer function that is known early.

    %5 = operator[blur, padding=circular] %1       %5 = builtin[transfer] %1
    %6 = adjoint_map %5                            %6 = |%5|^2
    %7 = apply %5, %4                         =>   %7 = builtin[filtered] %4, %6
    %8 = sub %7, %0                                %8 = builtin[filtered] %0, conj %5
    %9 = apply %6, %8                              %9 = sub %7, %8

`B @ x` is the product of the transform of x with T, that of the kernel, and `B' @ (B @ x - y)` that with
|T|^2, less `B' @ y`, which is computed once a call: two transforms in a phase in place of four, and none of
the kernel. Exact up to rounding. For kernels that no sample and no phase has of its own, from `ENTRIES` entries
on, where sizes are known; below that a convolution is cheaper.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from unroll_dsl.ir.batches import batched
from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import AdjointMap, Apply, Builtin, Elementwise, Node, Operator, Stage
from unroll_dsl.ir.stages import roots, stages
from unroll_dsl.operators.filters import ENTRIES
from unroll_dsl.passes.fourier import squared
from unroll_dsl.passes.plans import Sizes
from unroll_dsl.passes.rewrite import Rewriting, copied, with_nodes
from unroll_dsl.types import Array


@dataclass(frozen=True, slots=True)
class Periodic:
    """The pass, for sizes of which some may be known."""

    sizes: Sizes = field(default_factory=dict)

    def __call__(self, graph: Graph) -> Graph:
        return _Periodic(graph, self.sizes).run()


def filters(graph: Graph) -> tuple[str, ...]:
    """What the pass, and `solve` of real images, have made of each phase, in words for `unroll show`."""
    found = stages(graph)
    places = [
        str(node.origin).rpartition("/")[2]
        for index, node in enumerate(graph.nodes)
        if node.op == Builtin("filtered") and found[index] is Stage.PHASE
    ]
    return tuple(
        f"{place}: {2 * places.count(place)} Fourier transforms of real images, the transfer function is "
        "known before the phase"
        for place in dict.fromkeys(places)
    )


@dataclass(frozen=True, slots=True)
class _Blur:
    """One application of a blur: the node of its kernel, that of its argument."""

    kernel: int
    argument: int
    adjoint: bool


class _Periodic:
    def __init__(self, graph: Graph, sizes: Sizes) -> None:
        self.graph = graph
        self.nodes = graph.nodes
        self.sizes = sizes
        self.stages = stages(graph)
        self.varying = batched(graph)
        self.uses = Counter(a for node in graph.nodes for a in node.args) + Counter(roots(graph))
        self.new = Rewriting.of(graph)
        self.where: list[int] = []

    def run(self) -> Graph:
        if not any(node.op == _CIRCULAR for node in self.nodes):
            return self.graph

        def filtered(index: int, _: Node) -> int | None:
            blur = self._blur(index)
            return None if blur is None else self._filtered(self.nodes[index], blur)

        copied(self.nodes, self.new, filtered, self.where)
        return with_nodes(self.graph, self.new.nodes, self.where)

    def _blur(self, index: int) -> _Blur | None:
        node = self.nodes[index]
        if not isinstance(node.op, Apply):
            return None
        map_, argument = node.args
        adjoint = isinstance(self.nodes[map_].op, AdjointMap)
        if adjoint:
            (map_,) = self.nodes[map_].args
        if self.nodes[map_].op != _CIRCULAR:
            return None
        (kernel,) = self.nodes[map_].args
        early = self.stages[kernel] < Stage.PHASE and not self.varying[kernel]
        if early and self._pays(self.nodes[kernel], self.nodes[argument]):
            return _Blur(kernel, argument, adjoint)
        return None

    def _pays(self, kernel: Node, image: Node) -> bool:
        """Whether sizes are known, and the kernel is large."""
        assert isinstance(kernel.type, Array) and isinstance(image.type, Array)
        known = [
            dim.substitute(self.sizes).value for dim in (*kernel.type.shape, *image.type.shape[-2:])
        ]
        if any(size is None for size in known):
            return False
        a, b, *_ = (size for size in known if size is not None)
        return a * b >= ENTRIES

    def _filtered(self, node: Node, blur: _Blur) -> int:
        spectrum = self._transfer(node, blur)
        inner = self._again(blur)
        if inner is None:
            turned = self.new.conj(spectrum, node.origin) if blur.adjoint else spectrum
            return self._times(self.where[blur.argument], turned, node)
        x, y, minus = inner
        power = squared(spectrum, self.new, node.origin)
        found = self._times(self.where[x], power, node)
        if y is None:
            return found
        word = "sub" if minus else "add"
        back = self._times(self.where[y], self.new.conj(spectrum, node.origin), node)
        return self.new.elementwise(word, found, back, origin=node.origin)

    def _again(self, blur: _Blur) -> tuple[int, int | None, bool] | None:
        """`(x, y, minus)` where the argument of an adjoint is `B @ x`, or `B @ x - y` with y known
        before the phase; read nowhere else."""
        if not blur.adjoint or self.uses[blur.argument] != 1:
            return None
        first, y, minus = blur.argument, None, False
        node = self.nodes[first]
        if node.op in (Elementwise("add"), Elementwise("sub")):
            first, y = node.args
            minus = node.op == Elementwise("sub")
            alike = isinstance(node.type, Array) and all(
                isinstance(t := self.nodes[a].type, Array) and t.shape == node.type.shape
                for a in node.args
            )
            if self.uses[first] != 1 or self.stages[y] >= Stage.PHASE or not alike:
                return None
        inner = self._blur(first)
        if inner is None or inner.adjoint or inner.kernel != blur.kernel:
            return None
        return inner.argument, y, minus

    def _transfer(self, node: Node, blur: _Blur) -> int:
        image = self.nodes[blur.argument].type
        assert isinstance(image, Array)
        h, w = image.shape[-2:]
        op = Builtin("transfer", (("h", h), ("w", w)))
        found = self.new.make(op, self.where[blur.kernel], origin=node.origin)
        self.new.relabel(found, "T")
        return found

    def _times(self, x: int, spectrum: int, node: Node) -> int:
        return self.new.make(Builtin("filtered"), x, spectrum, origin=node.origin)


_CIRCULAR = Operator("blur", (("padding", "circular"),))
