"""Numbers of a page as nodes: constants, and arithmetic of nothing but numbers."""

from __future__ import annotations

from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.builder import NodeList
from unroll_dsl.semantics.constants import combined
from unroll_dsl.source import Span
from unroll_dsl.types import SCALAR, Type

_EXACT = 2**53  # from here on doubles do not tell whole numbers apart


class Numbers:
    """Appends numbers to a list of nodes, and knows which nodes have a number as their value."""

    def __init__(self, nodes: NodeList) -> None:
        self._nodes = nodes
        self._values: dict[int, float] = {}

    def constant(self, value: float, span: Span) -> int:
        """A number; whole ones that doubles do not tell apart are doubles, as all values are."""
        kept = float(value) if abs(value) >= _EXACT else value
        index = self._nodes.add(ops.Constant(kept), (), SCALAR, span)
        self._values[index] = float(value)
        return index

    def imaginary(self, value: float, type_: Type, span: Span) -> int:
        """`value` times the imaginary unit."""
        parts = tuple(self._nodes.add(ops.Constant(v), (), SCALAR, span) for v in (0, value))
        return self._nodes.add(ops.Elementwise("complex"), parts, type_, span)

    def elementwise(
        self, operator: str, word: str, args: tuple[int, int], type_: Type, span: Span
    ) -> int:
        """An operation of two values; one of large numbers is its result, in double precision."""
        first, second = (self._values.get(a) for a in args)
        number = None
        if first is not None and second is not None:
            number = combined(operator, first, second)
        if number is not None and abs(number) >= _EXACT:
            return self.constant(number, span)
        index = self._nodes.add(ops.Elementwise(word), args, type_, span)
        if number is not None:
            self._values[index] = number
        return index
