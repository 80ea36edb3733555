"""Entry by entry: arithmetic, comparisons, and the functions of entries."""

from __future__ import annotations

import ast

from unroll_dsl.backends.torch.expressions.place import Place
from unroll_dsl.backends.torch.templates import fill, number
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.nodes import Node
from unroll_dsl.operators.model import Function
from unroll_dsl.operators.registry import function
from unroll_dsl.types import Array, Field

SIGNS = {"add": "a + b", "sub": "a - b", "mul": "a * b", "div": "a / b", "pow": "a ** b"}


class Elementwise(Place):
    """Writes elementwise nodes."""

    def _elementwise(self, index: int, word: str) -> ast.expr:
        node = self.nodes[index]
        target = self.type(index)
        all_numbers = all(self.facts.numbers[a] for a in node.args)
        if word == "sqrt" and self.facts.numbers[index]:
            return ast.BinOp(self.value(node.args[0]), ast.Pow(), number(0.5))
        if word == "neg":
            return ast.UnaryOp(ast.USub(), self._argument(node.args[0], target, word))
        if word in SIGNS:
            a, b = (self._argument(arg, target, word) for arg in node.args)
            return fill(SIGNS[word], a=a, b=b)
        if word in ("maximum", "minimum"):
            return self._extreme(node, word, target)
        if word == "complex" and any(self.facts.numbers[arg] for arg in node.args):
            return self._complex(node, target)
        record = function(word)
        arguments = [self._argument(arg, target, word) for arg in node.args]
        if all_numbers and word == "where":
            arguments[1] = self.wrap(arguments[1])
        elif all_numbers or (len(node.args) == 1 and self.facts.numbers[node.args[0]]):
            fields = (self.type(arg).field for arg in node.args)
            arguments = [self.wrap(a, field) for a, field in zip(arguments, fields, strict=True)]
        elif word == "where" and all(self.facts.numbers[a] for a in node.args[1:]):
            arguments[1] = self.wrap(arguments[1])
        return self._filled(record, arguments, [self.type(a) for a in node.args])

    def _extreme(self, node: Node, word: str, target: Array) -> ast.expr:
        """`max(v, 0)` as `v.clamp(min=0)`: a clamp takes numbers."""
        side = "min" if word == "maximum" else "max"
        first, second = node.args
        for tensor, bound in ((first, second), (second, first)):
            if self._maybe_number(bound) and not self._maybe_number(tensor):
                value = self._argument(tensor, target, word)
                limit = self._argument(bound, target, word)
                return fill(f"value.clamp({side}=limit)", value=value, limit=limit)
        arguments = [
            self.wrap(self.value(a)) if self.facts.numbers[a] else self._argument(a, target, word)
            for a in node.args
        ]
        return self._filled(function(word), arguments, [self.type(a) for a in node.args])

    def _complex(self, node: Node, target: Array) -> ast.expr:
        """`a + 1j * b`, which takes numbers; of numbers `1j` itself."""
        a, b = (self._argument(arg, target, "complex") for arg in node.args)
        first, second = (self.nodes[arg].op for arg in node.args)
        imaginary = fill("1j * b", b=b)
        if isinstance(second, ops.Constant) and isinstance(b, ast.Constant):
            imaginary = ast.Constant(1j * second.value)
        return imaginary if first == ops.Constant(0) else fill("a + c", a=a, c=imaginary)

    def _maybe_number(self, index: int) -> bool:
        scalar_parameter = (
            isinstance(self.nodes[index].op, ops.Argument) and self.type(index).rank == 0
        )
        return self.facts.numbers[index] or (scalar_parameter and not self.align_scalars)

    def _filled(self, record: Function, arguments: list[ast.expr], types: list[Array]) -> ast.expr:
        is_real = all(type_.field is not Field.COMPLEX for type_ in types)
        template = record.torch_real if is_real and record.torch_real else record.torch
        names = [p.name for p in record.parameters if not p.static]
        holes = dict(zip(names, arguments, strict=False))
        for argument in holes.values():
            ast.fix_missing_locations(argument)
        return fill(template, **holes)

    def _argument(self, index: int, target: Array, word: str) -> ast.expr:
        """An argument of an elementwise function, its axes aligned with those of the result."""
        expr = self.value(index)
        if self.facts.numbers[index]:
            return expr
        type_ = self.type(index)
        if type_.field is Field.BOOL and word not in ("and", "or", "not", "where", "eq", "ne"):
            expr = fill("v.to(d)", v=expr, d=self.like().dtype(Field.REAL))
        return self.align(expr, type_, target, self.facts.batched[index])
