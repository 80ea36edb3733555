"""What the statements of `__init__` stand on: sizes, dtype, which values are tensors."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from unroll_dsl.backends.torch.blocks import Block, plan
from unroll_dsl.backends.torch.expressions import Like
from unroll_dsl.backends.torch.facts import ARITHMETIC
from unroll_dsl.backends.torch.functions import dim_expression
from unroll_dsl.backends.torch.layout import Layout
from unroll_dsl.backends.torch.names import identifier
from unroll_dsl.backends.torch.templates import name, text
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.graph import Constant, Random
from unroll_dsl.types import Array, Dim, Field


@dataclass(frozen=True, slots=True)
class InitArgument:
    """A parameter of `__init__`, for its signature and for callers of it."""

    name: str  # in the program
    python: str
    annotation: str
    default: str | None


class InitSetting:
    """The place that `__init__` is written in, after the methods have said what they read."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.graph = layout.graph
        self.nodes = layout.nodes
        needed = layout.training
        self.parameters = [p for p in self.graph.parameters if p.name in needed.parameters]
        wanted = {*needed.constants, *layout.inference.constants}
        self.constants = [c for c in self.graph.constants if c.name in wanted]
        self.sizes: list[str] = []  # symbols read in __init__, in order of first use
        self.open_sizes: list[str] = []  # those that only a matrix in the place of a map asks for
        self.like_source = next(
            (
                c
                for c in self.constants
                if is_required(c) and isinstance(c.type, Array) and c.type.rank
            ),
            None,
        )
        self.block = self._block()

    def _block(self) -> Block:
        layout = self.layout
        taken = {identifier(c.name) for c in self.constants} | {"k"}
        taken |= {identifier(symbol) for symbol, _ in self.graph.dims}
        taken |= {identifier(p.name) for p in self.parameters}
        given, stands_for = self._learnables()
        for index, node in enumerate(self.nodes):
            match node.op:
                case ops.Fixed(word):
                    given[index] = name(identifier(word))
                case ops.PhaseNumber():
                    given[index] = name("k")
                case _:
                    pass
        return Block(
            self.nodes,
            layout.facts,
            layout.definitions.callee,
            given,
            layout.local(taken),
            self.size,
            self.like,
            layout.origin,
            stands_for,
        )

    def _learnables(self) -> tuple[dict[int, ast.expr], Mapping[int, int]]:
        """In an initial value another learnable stands for its own initial value."""
        given: dict[int, ast.expr] = {}
        stands_for: dict[int, int] = {}
        for index, node in enumerate(self.nodes):
            if not isinstance(node.op, ops.Learnable) or not isinstance(node.type, Array):
                continue
            word, initial = node.op.name, self.layout.parameters[node.op.name].initial
            if initial is None:
                given[index] = name(identifier(word))
            elif isinstance(initial, Random):
                given[index] = name(f"self.{identifier(word)}.detach()")
            else:
                stands_for[index] = initial
        return given, stands_for

    def size(self, dim: Dim) -> ast.expr:
        symbols: dict[str, ast.expr] = {}
        for symbol in sorted(dim.symbols):
            if symbol not in self.sizes:
                self.sizes.append(symbol)
            symbols[symbol] = name(identifier(symbol))
        return dim_expression(dim, symbols)

    def like(self) -> Like:
        if self.like_source is None:
            return Like(None)
        assert isinstance(self.like_source.type, Array)
        is_complex = self.like_source.type.field is Field.COMPLEX
        return Like(name(identifier(self.like_source.name)), is_complex)

    def is_arithmetic(self, index: int) -> bool:
        op = self.nodes[index].op
        return isinstance(op, ops.Elementwise) and op.function in ARITHMETIC

    def is_tensor(self, index: int) -> bool:
        """Whether a value is a tensor even if scalar constants are given as numbers."""
        node, type_ = self.nodes[index], self.nodes[index].type
        if isinstance(type_, Array) and type_.rank:
            return True
        if isinstance(node.op, ops.Elementwise):
            return any(self.is_tensor(a) for a in node.args)
        if isinstance(node.op, ops.Learnable):  # stands for its own initial value
            initial = self.layout.parameters[node.op.name].initial
            return not isinstance(initial, int) or self.is_tensor(initial)
        return not isinstance(node.op, ops.Fixed | ops.Constant | ops.Size | ops.PhaseNumber)

    def literal(self, constant: Constant) -> str | None:
        """The default of a scalar as Python writes it, if it is a literal number."""
        if constant.default is None or not isinstance(constant.type, Array) or constant.type.rank:
            return None
        found = self.layout.literal(constant.default)
        if found is None:
            return None
        word = text(found)
        return word if "." in word or "e" in word else f"{word}.0"

    def reads_k(self, index: int) -> bool:
        found = plan(self.nodes, [index], lambda i: False)
        for i in found.inside:
            op = self.nodes[i].op
            if isinstance(op, ops.PhaseNumber):
                return True
            if isinstance(op, ops.Learnable):  # stands for its own initial value
                initial = self.layout.parameters[op.name].initial
                if isinstance(initial, int) and self.reads_k(initial):
                    return True
        return False


def is_required(constant: Constant) -> bool:
    """Whether a constant has no classical value."""
    return constant.default is None
