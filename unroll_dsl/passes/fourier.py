"""Maps that the Fourier transform diagonalises, and what is on their diagonal.

    A' @ A + H' @ diag(rho) @ H      A = P * fft2, H = filters(B, padding=circular)
    =>  P^2 + sum_l rho_l |T_l|^2    T_l the transfer function of B_l

A map is followed from its argument to its result: `FourierSymbol` is what the transform of the argument has
been multiplied by so far, one array a channel, and `spectral` whether we stand before or behind an
`fft2`. Masks act behind it, filters and numbers a channel before it; whatever else turns up, the map
is not diagonal in this basis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unroll_dsl.ir.nodes import (
    AddMap,
    AdjointMap,
    Apply,
    Builtin,
    ComposeMap,
    DiagonalMap,
    Elementwise,
    IdentityMap,
    Node,
    Operator,
    ScaleMap,
)
from unroll_dsl.passes.rewrite import Rewriting
from unroll_dsl.source import Span
from unroll_dsl.types import Array, Field, Form


@dataclass(frozen=True, slots=True)
class FourierSymbol:
    """`index` is the node of the multiplier, None for 1. With `banked` it has a channel axis."""

    index: int | None
    banked: bool = False
    spectral: bool = False


def symbol(
    nodes: Sequence[Node], where: Sequence[int], map_: int, space: Array, new: Rewriting
) -> int | None:
    """The diagonal [h, w] of `map_`, a map of images to themselves, under the Fourier transform; None where
    it has none. That of an image of several channels is the same for each of them. `where` takes nodes of the
    old graph to those of `new`."""
    if space.rank != 3:
        return None
    walk = _Walk(nodes, where, space, new)
    found = walk.follow(map_, FourierSymbol(None), adjoint=False)
    if found is None or found.spectral or found.banked:
        return None
    return found.index


def along(
    factors: Sequence[tuple[int, bool]],
    nodes: Sequence[Node],
    where: Sequence[int],
    space: Array,
    new: Rewriting,
) -> FourierSymbol | None:
    """What a composition of images of `space`, from its result to its argument, multiplies transforms by; None
    where it is not diagonal."""
    walk, here = _Walk(nodes, where, space, new), FourierSymbol(None)
    for map_, turned in reversed(factors):
        found = walk.follow(map_, here, adjoint=turned)
        if found is None:
            return None
        here = found
    return here


class _Walk:
    def __init__(
        self, nodes: Sequence[Node], where: Sequence[int], space: Array, new: Rewriting
    ) -> None:
        self.nodes = nodes
        self.where = where
        self.space = space
        self.new = new
        self.known: dict[tuple[int, FourierSymbol, bool], FourierSymbol | None] = {}

    def follow(self, map_: int, here: FourierSymbol, *, adjoint: bool) -> FourierSymbol | None:
        """What a map, or its adjoint, makes of what stands before it; of each once."""
        key = (map_, here, adjoint)
        if key not in self.known:
            self.known[key] = self._follow(map_, here, adjoint=adjoint)
        return self.known[key]

    def _follow(self, map_: int, here: FourierSymbol, *, adjoint: bool) -> FourierSymbol | None:
        node = self.nodes[map_]
        args = node.args
        match node.op:
            case IdentityMap():
                return here
            case AdjointMap():
                return self.follow(args[0], here, adjoint=not adjoint)
            case ComposeMap():
                first, second = (args[0], args[1]) if adjoint else (args[1], args[0])
                between = self.follow(first, here, adjoint=adjoint)
                return None if between is None else self.follow(second, between, adjoint=adjoint)
            case AddMap(sign):
                left = self.follow(args[0], here, adjoint=adjoint)
                right = self.follow(args[1], here, adjoint=adjoint)
                return self._sum(left, right, "add" if sign > 0 else "sub", node.origin)
            case ScaleMap():
                inner = self.follow(args[1], here, adjoint=adjoint)
                factor = self.where[args[0]]
                if inner is None:
                    return None
                return self._times(inner, self._turned(factor, adjoint), node.origin)
            case DiagonalMap():
                return self._diagonal(self.where[args[0]], here, adjoint, node.origin)
            case Operator("fft2"):
                return self._transform(here, forward=not adjoint)
            case Operator("ifft2"):
                return self._transform(here, forward=adjoint)
            case Operator(("filters" | "blur") as word, statics):
                if here.spectral or dict(statics).get("padding") != "circular":
                    return None
                return self._filters(word, self.where[args[0]], here, adjoint, node.origin)
            case Operator("grad", statics):
                if here.spectral or dict(statics).get("padding") != "circular":
                    return None
                kernels = self.new.make(Builtin("difference_kernels"), origin=node.origin)
                return self._filters("filters", kernels, here, adjoint, node.origin)
            case _:
                return None

    def _transform(self, here: FourierSymbol, *, forward: bool) -> FourierSymbol | None:
        if here.spectral == forward:
            return None
        return FourierSymbol(here.index, here.banked, forward)

    def _diagonal(
        self, entries: int, here: FourierSymbol, adjoint: bool, origin: Span | None
    ) -> FourierSymbol | None:
        """A mask behind the transform; a number, or one a channel, anywhere."""
        type_ = self.new.array(entries)
        of_planes = type_.rank == 2 and type_.shape == self.space.shape[1:]
        of_channels = type_.rank == 1 and here.banked
        if not (type_.rank == 0 or of_channels or (of_planes and here.spectral)):
            return None
        if of_planes and here.banked and type_.form is not Form.MASK:
            return None
        return self._times(here, self._turned(entries, adjoint), origin)

    def _filters(
        self, word: str, kernels: int, here: FourierSymbol, adjoint: bool, origin: Span | None
    ) -> FourierSymbol | None:
        rank = self.new.array(kernels).rank
        if rank != (3 if word == "filters" else 2) or (word == "blur" and here.banked):
            return None
        channels, h, w = self.space.shape
        if word == "filters" and channels.value != 1:  # which make several of one
            return None
        found = self.new.make(Builtin("transfer", (("h", h), ("w", w))), kernels, origin=origin)
        turned = self._turned(found, adjoint)
        if word == "blur":
            return self._times(here, turned, origin)
        if not adjoint:
            if here.banked:
                return None
            moved = self._times(here, turned, origin)
            return FourierSymbol(moved.index, True, here.spectral)
        if not here.banked or here.index is None:
            return None
        product = self.new.elementwise("mul", turned, here.index, origin=origin)
        field = self.new.array(product).field
        mask = Array((h, w), field, Form.MASK)
        total = self.new.add(Builtin("sum", (("axis", 1),)), (product,), mask, origin)
        return FourierSymbol(total, False, here.spectral)

    def _turned(self, index: int, adjoint: bool) -> int:
        return self.new.conj(index) if adjoint else index

    def _times(self, here: FourierSymbol, factor: int, origin: Span | None) -> FourierSymbol:
        if here.index is None:
            return FourierSymbol(factor, here.banked, here.spectral)
        turned = self.new.nodes[factor]
        alike = turned.op == Elementwise("conj") and (
            self.new.nodes[turned.args[0]] == self.new.nodes[here.index]
        )
        if alike:
            return FourierSymbol(squared(here.index, self.new, origin), here.banked, here.spectral)
        product = self.new.elementwise("mul", factor, here.index, origin=origin)
        return FourierSymbol(product, here.banked, here.spectral)

    def _sum(
        self,
        left: FourierSymbol | None,
        right: FourierSymbol | None,
        word: str,
        origin: Span | None,
    ) -> FourierSymbol | None:
        if left is None or right is None:
            return None
        if (left.banked, left.spectral) != (right.banked, right.spectral):
            return None
        if left.banked:
            return None
        a, b = (self.new.number(1, origin) if s.index is None else s.index for s in (left, right))
        return FourierSymbol(self.new.elementwise(word, a, b, origin=origin), False, left.spectral)


def squared(index: int, new: Rewriting, origin: Span | None) -> int:
    """|T|^2, real."""
    modulus = new.elementwise("abs", index, origin=origin)
    return new.elementwise("mul", modulus, modulus, origin=origin)


def divided(b: int, diagonal: int, field: Field, new: Rewriting, origin: Span | None) -> int:
    """The solution with a map of that diagonal: one division between two transforms. A map that takes real
    images to real ones has the diagonal of a filter."""
    if field is Field.REAL:
        one = new.number(1, origin)
        inverse = new.elementwise("div", one, diagonal, origin=origin)
        return new.make(Builtin("filtered"), b, inverse, origin=origin)
    transform = new.make(Operator("fft2"), origin=origin)
    inverse = new.make(AdjointMap(), transform, origin=origin)
    spectrum = new.make(Apply(), transform, b, origin=origin)
    quotient = new.elementwise("div", spectrum, diagonal, origin=origin)
    return new.make(Apply(), inverse, quotient, origin=origin)
