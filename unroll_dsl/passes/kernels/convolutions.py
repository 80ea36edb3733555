"""Neighbouring convolutions become one where that is cheaper.

    d = D(r)                      D : conv[1 -> 32, 3]
    H(d)                          H : conv[32 -> 32, 3] >> relu >> conv[32 -> 32, 3]
    =>  relu and the rest of H on one convolution of 1 -> 32 with kernels of 5 x 5

Two convolutions of 3 x 3 have kernels of 5 x 5 between them. With zero padding the second takes for 0
what the first would have beyond the border; what the single one sees there is subtracted, along the
four sides and at the corners, so that the result is the same. Taken where it saves at least half of
the products: few channels at one end, many between. A convolution by itself with few channels at one
end becomes products where libraries take several times as long as they should.
"""

from __future__ import annotations

from collections import Counter

from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import (
    ApplyLayer,
    ConvolveFew,
    ConvolvePair,
    LayerSteps,
    Node,
)
from unroll_dsl.passes.analysis.cost import applied_name
from unroll_dsl.passes.rewrite import Rewriting, copied, with_nodes
from unroll_dsl.types import Activation, Array, Conv, Field, Layer

_MANY = (
    16  # channels, from which convolutions gain where they lie side by side, as products leave them
)


def fusion(graph: Graph) -> Graph:
    """Fuse pairs of convolutions, wherever one layer is applied to the result of another."""
    new = Rewriting(graph.functions, graph.per_phase)
    uses = Counter(argument for node in graph.nodes for argument in node.args)
    for index in _roots(graph):
        uses[index] += 1
    where: list[int] = []

    def made(index: int, moved: Node) -> int | None:
        node = graph.nodes[index]
        return _fused(graph, node, where, new, uses) or _few(node, moved.args, new)

    copied(graph.nodes, new, made, where)
    return with_nodes(graph, new.nodes, where)


def _roots(graph: Graph) -> list[int]:
    found = [*graph.outputs, *(slot.update for slot in graph.states)]
    found += [slot.first for slot in graph.states if slot.first is not None]
    return [*found, *(trace.node for trace in graph.traces)]


def _fused(
    graph: Graph, node: Node, where: list[int], new: Rewriting, uses: Counter[int]
) -> int | None:
    """`second(first(x))` with the last step of the first and the first step of the second as one."""
    if node.op != ApplyLayer():
        return None
    inner = graph.nodes[node.args[1]]
    if inner.op != ApplyLayer() or not isinstance(inner.type, Array):
        return None
    layers = graph.nodes[inner.args[0]].type, graph.nodes[node.args[0]].type
    first, second = layers
    assert isinstance(first, Layer) and isinstance(second, Layer)
    if not (first.is_plain and second.is_plain):
        return None
    if first.split or second.split or inner.type.field is Field.COMPLEX:
        return None
    if not _pays(first.steps[-1], second.steps[0], alone=uses[node.args[1]] == 1):
        return None
    x = where[inner.args[1]]
    before, after = where[inner.args[0]], where[node.args[0]]
    count = len(first.steps)
    origin = node.origin
    if count > 1:
        x = new.make(ApplyLayer(), _steps(new, before, 0, count - 1), x, origin=origin)
    left = _steps(new, before, count - 1, count)
    pair = new.make(ConvolvePair(), left, _steps(new, after, 0, 1), x, origin=origin)
    if len(second.steps) == 1:
        return pair
    return new.make(ApplyLayer(), _steps(new, after, 1, len(second.steps)), pair, origin=origin)


def _few(node: Node, args: tuple[int, ...], new: Rewriting) -> int | None:
    """A layer that begins or ends with a convolution between many channels and few."""
    if node.op != ApplyLayer() or not isinstance(node.type, Array):
        return None
    layer, x, *more = args
    type_ = new.type(layer)
    assert isinstance(type_, Layer)
    if more or not type_.is_plain or type_.split or node.type.field is Field.COMPLEX:
        return None
    count, origin = len(type_.steps), node.origin
    wide = _has_few(type_.steps[0]) and Activation("plf") not in type_.steps  # slow, channels last
    start = 1 if wide else 0
    stop = count - 1 if count > 1 and _has_few(type_.steps[-1]) else count
    if (start, stop) == (0, count):
        return None
    if start:
        x = new.make(ConvolveFew(), _steps(new, layer, 0, 1), x, origin=origin)
    if start < stop:
        x = new.make(ApplyLayer(), _steps(new, layer, start, stop), x, origin=origin)
    if stop < count:
        x = new.make(ConvolveFew(), _steps(new, layer, stop, count), x, origin=origin)
    return x


def _has_few(step: object) -> bool:
    """Whether it is a convolution with an eighth of the channels at one end: libraries are slow there,
    of many to few forwards, of few to many in the derivative by the kernel."""
    if not isinstance(step, Conv):
        return False
    if step.padding != "zero" or step.groups != 1 or step.size not in (3, 5, 7):
        return False
    few, many = sorted((step.channels_in.value or 0, step.channels_out.value or 0))
    return 0 < 8 * few <= many >= _MANY


def _steps(new: Rewriting, layer: int, start: int, stop: int) -> int:
    type_ = new.type(layer)
    assert isinstance(type_, Layer)
    if (start, stop) == (0, len(type_.steps)):
        return layer
    return new.make(LayerSteps(start, stop), layer)


def _pays(a: object, b: object, *, alone: bool) -> bool:
    """Whether one convolution takes at most half of the products of two; `alone`: nothing else
    reads what is between them, so that the first is saved too."""
    for step in (a, b):
        if not isinstance(step, Conv):
            return False
        if step.size != 3 or step.padding != "zero" or step.groups != 1:
            return False
    assert isinstance(a, Conv) and isinstance(b, Conv)
    ends = a.channels_in.value, a.channels_out.value, b.channels_out.value
    if a.bias or None in ends:
        return False
    i, c, o = (n or 0 for n in ends)
    return 2 * 25 * i * o <= 9 * c * o + (9 * i * c if alone else 0)


def fused(graph: Graph) -> tuple[str, ...]:
    """What the pass has made, in words for `unroll show`."""
    found = []
    for node in graph.nodes:
        if node.op == ConvolvePair():
            first, second = (graph.nodes[a].type for a in node.args[:2])
            assert isinstance(first, Layer) and isinstance(second, Layer)
            a, b = first.steps[0], second.steps[0]
            assert isinstance(a, Conv) and isinstance(b, Conv)
            i, c, o = (d.value or 0 for d in (a.channels_in, a.channels_out, b.channels_out))
            names = " and ".join(applied_name(graph.nodes, index) for index in node.args[:2])
            found.append(
                f"{names} are one convolution of 5 x 5: {25 * i * o} products a pixel, not "
                f"{9 * c * (i + o)}"
            )
        elif node.op == ConvolveFew():
            found.append(
                f"{applied_name(graph.nodes, node.args[0])}, of few channels at one end, is taken by products"
            )
    return tuple(dict.fromkeys(found))
