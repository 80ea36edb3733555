"""Which matrices and maps are positive definite, or semidefinite, by their form.

    B' @ B    B' @ diag(g) @ B, g >= 0    B' @ (C' @ C + rho * I) @ B    fft2' and ifft2 are one map

and sums of such, times what is not negative. It is read off the nodes, never from numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

from unroll_dsl.ir.nodes import (
    AddMap,
    AdjointMap,
    ComposeMap,
    DiagonalMap,
    Node,
    Operator,
    ScaleMap,
    Transpose,
)
from unroll_dsl.passes.analysis.signs import Sign
from unroll_dsl.passes.structure import DiagonalTerm, Gram, Identity, MapTerm, Opaque, terms
from unroll_dsl.types import Array, Field


class Forms:
    """What nodes tell of definiteness; `signs` is what is known of each (analysis/signs.py)."""

    def __init__(self, nodes: Sequence[Node], signs: Sequence[Sign]) -> None:
        self.nodes = nodes
        self.signs = signs

    def real(self, index: int) -> bool:
        """Whether a value is an array that is not complex."""
        type_ = self.nodes[index].type
        return isinstance(type_, Array) and type_.field is not Field.COMPLEX

    def sign(self, parts: Sequence[MapTerm]) -> Sign:
        """Definite where all terms are semidefinite and one is definite."""
        found = [self._definiteness(t) for t in parts]
        return max(found) if min(found, default=Sign.UNKNOWN) > Sign.UNKNOWN else Sign.UNKNOWN

    def _definiteness(self, term: MapTerm) -> Sign:
        """Positive (definite) or nonnegative (semidefinite), where that is known."""
        known = [self.signs[i] for i in term.times]
        for i in term.over:  # what may vanish has no finite quotient, so it counts as positive
            known.append(Sign.POSITIVE if self.signs[i] > Sign.UNKNOWN else Sign.UNKNOWN)
        match term.core:
            case Identity():
                pass
            case DiagonalTerm(entries):
                known.append(self.signs[entries])
            case Gram(weight=None):
                known.append(Sign.NONNEGATIVE)
            case Gram(weight=int(weight)):
                known.append(min(Sign.NONNEGATIVE, self.signs[weight]))
            case Opaque(map_):
                known.append(self._gram_of_maps(map_))
            case _:
                return Sign.UNKNOWN
        return min(known, default=Sign.POSITIVE) if term.sign > 0 else Sign.UNKNOWN

    def _gram_of_maps(self, map_: int) -> Sign:
        """Whether a composition reads `F' @ F` or `F' @ P @ F`, P a diagonal that is not negative or a sum
        of such compositions."""
        scalars: list[int] = []
        factors = self._factors(map_, scalars, adjoint=False)
        scale = min((self.signs[i] for i in scalars), default=Sign.POSITIVE)
        while len(factors) > 1:
            if not self._mirrored(factors[0], factors[-1]):
                return Sign.UNKNOWN
            factors = factors[1:-1]
        if not factors:
            return min(Sign.NONNEGATIVE, scale)
        middle = factors[0][0]
        match self.nodes[middle].op:
            case DiagonalMap():
                known = self.signs[self.nodes[middle].args[0]]
            case AddMap():
                parts = terms(self.nodes, middle)
                whole = [part.source for part in parts] == [middle]  # too many to be told apart
                known = Sign.UNKNOWN if whole else self.sign(parts)
            case _:
                known = Sign.UNKNOWN
        return min(Sign.NONNEGATIVE, known, scale)

    def gram_factors(self, map_: int) -> tuple[tuple[int, bool], ...]:
        """The factors of F, from its result to its argument, where a composition reads `F' @ F`; else none."""
        scalars: list[int] = []
        factors = self._factors(map_, scalars, adjoint=False)
        half = len(factors) // 2
        mirrored = all(
            self._mirrored(*pair) for pair in zip(factors[:half], factors[::-1], strict=False)
        )
        return (
            tuple(factors[half:]) if mirrored and len(factors) == 2 * half and not scalars else ()
        )

    def _mirrored(self, first: tuple[int, bool], last: tuple[int, bool]) -> bool:
        """Whether of two factors one is the adjoint of the other."""
        ops = [self.nodes[i].op for i, _ in (first, last)]
        if sorted(op.operator for op in ops if isinstance(op, Operator)) == ["fft2", "ifft2"]:
            return first[1] == last[1]
        turned = first[1] != last[1] or self._is_hermitian(first[0])
        return first[0] == last[0] and turned

    def _is_hermitian(self, index: int) -> bool:
        node = self.nodes[index]
        return isinstance(node.op, DiagonalMap) and self.real(node.args[0])

    def _factors(self, map_: int, scalars: list[int], *, adjoint: bool) -> list[tuple[int, bool]]:
        """What a composition consists of, from its result to its argument, and what is turned; numbers
        before any of it go to `scalars`."""
        node = self.nodes[map_]
        match node.op:
            case ComposeMap():
                args = node.args[::-1] if adjoint else node.args
                return [f for a in args for f in self._factors(a, scalars, adjoint=adjoint)]
            case AdjointMap() | Transpose():
                return self._factors(node.args[0], scalars, adjoint=not adjoint)
            case ScaleMap():
                scalars.append(node.args[0])
                return self._factors(node.args[1], scalars, adjoint=adjoint)
            case _:
                return [(map_, adjoint)]
