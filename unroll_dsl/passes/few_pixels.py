"""Systems of a periodic blur of which few pixels are kept: `c * C' @ D' @ D @ C + d * I` with D = downsample(s) and C
diagonal under the Fourier transform.

Such a system is not diagonal, but its smaller side is: D C C' D' is a periodic convolution of the small image, and its
transfer function the mean of |T|^2, T that of C, over the s x s frequencies that look alike there. So

    (c A'A + d I)^-1 b = (b - c A' (c A A' + d I)^-1 A b) / d      A = D C      (Woodbury, 1950)

is one division between two transforms of the small size (N. Zhao et al., IEEE Transactions on Image Processing, 2016;
K. Zhang, L. Van Gool, R. Timofte, CVPR, 2020, equation 9).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unroll_dsl.ir.nodes import AdjointMap, Apply, Builtin, Node, Operator
from unroll_dsl.passes.definite import Forms
from unroll_dsl.passes.fourier import FourierSymbol, along, divided, squared
from unroll_dsl.passes.regularity import regular_shift
from unroll_dsl.passes.rewrite import Rewriting
from unroll_dsl.passes.structure import Identity, MapTerm, Opaque
from unroll_dsl.source import Span
from unroll_dsl.types import Array

Factors = tuple[tuple[int, bool], ...]  # from the result to the argument; which are adjoints


@dataclass(frozen=True, slots=True)
class FewPixels:
    """The method: the term `c * A' @ A`, the factors of A, the first of which is `downsample`, and the shift."""

    gram: MapTerm
    factors: Factors
    shift: tuple[MapTerm, ...]


def few_pixels(
    nodes: Sequence[Node], parts: Sequence[MapTerm], forms: Forms, space: Array, trial: Rewriting
) -> FewPixels | None:
    """The method where a system has that form; nodes that `trial` is given are thrown away."""
    shift = tuple(part for part in parts if isinstance(part.core, Identity))
    grams = [part for part in parts if isinstance(part.core, Opaque)]
    if space.rank != 3 or len(grams) != 1 or len(shift) != len(parts) - 1 or not shift:
        return None
    (gram,) = grams
    assert isinstance(gram.core, Opaque)
    factors = forms.gram_factors(gram.core.map)
    if not factors or factors[0][1] or gram.sign < 0:
        return None
    first = nodes[factors[0][0]].op
    if not (isinstance(first, Operator) and first.operator == "downsample"):
        return None
    found = FewPixels(gram, factors, shift)
    return None if _symbol(found, nodes, range(len(nodes)), space, trial) is None else found


def solution(
    method: FewPixels,
    nodes: Sequence[Node],
    where: Sequence[int],
    b: int,
    coefficient: int | None,
    shift: int,
    new: Rewriting,
    origin: Span | None,
) -> int:
    """The nodes of the solution; `coefficient` is c, None for 1, and `shift` d."""
    space = new.array(b)
    found = _symbol(method, nodes, where, space, new)
    assert found is not None, "the planner has found it"
    downsample = nodes[method.factors[0][0]].op
    assert isinstance(downsample, Operator)

    def scaled(index: int) -> int:
        return (
            index
            if coefficient is None
            else new.elementwise("mul", coefficient, index, origin=origin)
        )

    if found.index is None:
        seen = most = scaled(new.number(1, origin))
    else:
        whole = squared(found.index, new, origin)
        most = scaled(new.make(Builtin("max"), whole, origin=origin))
        seen = scaled(new.make(Builtin("aliased", downsample.statics), whole, origin=origin))
    shift = regular_shift(shift, (most,), new, origin)
    small = b
    for map_, turned in reversed(method.factors):
        small = _applied(where[map_], turned, small, new, origin)
    diagonal = new.elementwise("add", seen, shift, origin=origin)
    if found.index is None:
        small = new.elementwise("div", small, diagonal, origin=origin)
    else:
        small = divided(small, diagonal, new.array(small).field, new, origin)
    back = small
    for map_, turned in method.factors:
        back = _applied(where[map_], not turned, back, new, origin)
    rest = new.elementwise("sub", b, scaled(back), origin=origin)
    return new.elementwise("div", rest, shift, origin=origin)


def _symbol(
    method: FewPixels, nodes: Sequence[Node], where: Sequence[int], space: Array, new: Rewriting
) -> FourierSymbol | None:
    """What the blur multiplies the Fourier transform by."""
    found = along(method.factors[1:], nodes, where, space, new)
    return None if found is None or found.spectral or found.banked else found


def _applied(map_: int, turned: bool, x: int, new: Rewriting, origin: Span | None) -> int:
    if turned:
        map_ = new.make(AdjointMap(), map_, origin=origin)
    return new.make(Apply(), map_, x, origin=origin)
