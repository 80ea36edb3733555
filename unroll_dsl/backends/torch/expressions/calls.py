"""Functions: those of the library, those of the page, and tensors filled with a number."""

from __future__ import annotations

import ast

from unroll_dsl.backends.torch.expressions.elementwise import SIGNS, Elementwise
from unroll_dsl.backends.torch.putting import entries, join
from unroll_dsl.backends.torch.samples import SampledName, each
from unroll_dsl.backends.torch.templates import call, fill, number, trailing
from unroll_dsl.ir import nodes as ops
from unroll_dsl.operators.model import Function, Kind, Static
from unroll_dsl.types import Conv, Dim, Field, Layer


class Calls(Elementwise):
    """Writes calls of functions."""

    def _builtin(
        self, index: int, record: Function, statics: tuple[tuple[str, Static], ...]
    ) -> ast.expr:
        node = self.nodes[index]
        types = [self.type(a) for a in node.args]
        is_real = all(type_.field is not Field.COMPLEX for type_ in types)
        template = record.torch_real if is_real and record.torch_real else record.torch
        if record.torch_temporary and self._is_temporary(node.args[0]):
            template = record.torch_temporary
            if self.known(node.args[0]) is not None:
                template = template.replace("inplace=True", "inplace=not traced")
        parameters = [p for p in record.parameters if not p.static]
        numbers = [a for p, a in zip(parameters, node.args, strict=False) if p.number]
        plain = bool(numbers) and all(self.facts.numbers[a] for a in numbers)
        if record.torch_number and plain:
            template = record.torch_number
        holes: dict[str, ast.expr] = {}
        for parameter, argument in zip(parameters, node.args, strict=False):
            bare = parameter.number and (plain or not record.torch_number)
            bare = bare and self.facts.numbers[argument]
            holes[parameter.name] = self.value(argument) if bare else self.array(argument)
        values = dict(statics)
        if record.kind is Kind.JOIN:
            return join(self, index, record, values)
        if record.name == "entries":
            return entries(holes["v"], types[0], values, self.size)
        if record.kind is Kind.REDUCTION:
            rank = types[0].rank
            if rank == 0:
                holes = {key: trailing(expr, 1) for key, expr in holes.items()}
                rank = 1
            axis = values.pop("axis", None)
            holes["AXES"] = axes(rank, axis)
        for key, static in values.items():
            holes[key] = self._static(static)
        if types:
            holes["RANK"] = number(types[0].rank)
        if record.kind is Kind.CONSTRUCTOR:
            holes["LIKE"] = self._like_tensor()
        if any(
            parameter.name in record.shared and self.facts.batched[argument]
            for parameter, argument in zip(parameters, node.args, strict=False)
        ):
            arguments = [
                SampledName(parameter.name, holes.pop(parameter.name), type_.rank)
                for parameter, type_ in zip(parameters, types, strict=False)
            ]
            return each(template, arguments, holes)
        return fill(template, **holes)

    def _is_temporary(self, index: int) -> bool:
        """Whether a value is computed on the spot into memory of its own, so that nothing else reads it."""
        node = self.nodes[index]
        if self.known(index) is not None and not self.is_spared(index):
            return False
        match node.op:
            case ops.ConvolvePair() | ops.ConvolveFew() | ops.Contract():
                return True
            case ops.Builtin("axpy" | "axmy" | "extrapolate"):
                return True
            case ops.Elementwise(word):
                return word in SIGNS and self.type(index).field is Field.REAL
            case ops.ApplyLayer():
                layer = self.nodes[node.args[0]].type
                return isinstance(layer, Layer) and isinstance(layer.steps[-1], Conv)
            case _:
                return False

    def _like_tensor(self) -> ast.expr:
        like = self.like()
        if like.tensor is not None and not like.is_complex:
            return like.tensor
        return like.make("empty", ast.Tuple([], ast.Load()))

    def _static(self, value: Static) -> ast.expr:
        match value:
            case Dim():
                return self.size(value)
            case int():
                return number(value)
            case str():
                return ast.Constant(value)
            case tuple():
                return ast.Tuple([number(each) for each in value], ast.Load())

    def _invoke(self, index: int, key: str) -> ast.expr:
        node = self.nodes[index]
        callee = self.invoke(key)
        target = self.type(index)
        arguments: list[ast.expr] = []
        for position, argument in enumerate(node.args):
            expr = self.value(argument)
            type_ = self.type(argument)
            if self.facts.numbers[argument]:
                expr = expr if callee.numbers[position] else self.wrap(expr)
            elif callee.elementwise:
                expr = self.align(expr, type_, target, self.facts.batched[argument])
            arguments.append(expr)
        return call(callee.name, *arguments)

    def _expand(self, index: int) -> ast.expr:
        node, target = self.nodes[index], self.type(index)
        argument = node.args[0]
        shape = [self.size(dim) for dim in target.shape]
        if self.facts.numbers[argument]:
            return self.filled(argument, shape, target.field)
        expr = self.in_field(self.value(argument), self.type(argument).field, target.field)
        if not self.facts.batched[argument]:
            return ast.Call(ast.Attribute(expr, "expand"), shape, [])
        expr = self.bind(expr)
        batch = ast.Starred(fill("v.shape", v=expr))
        return ast.Call(ast.Attribute(trailing(expr, target.rank), "expand"), [batch, *shape], [])

    def filled(self, argument: int, shape: list[ast.expr], field: Field) -> ast.expr:
        """A tensor of that shape, filled with a number."""
        node = self.nodes[argument]
        like = self.like()
        literal = node.op.value if isinstance(node.op, ops.Constant) else None
        shape_expr = ast.Tuple(shape, ast.Load())
        same = like.tensor is not None and like.is_complex == (field is Field.COMPLEX)
        makers = {0: "zeros", 1: "ones"}
        if literal in makers:
            assert literal is not None
            maker = makers[int(literal)]
            if same:
                assert like.tensor is not None
                return ast.Call(ast.Attribute(like.tensor, f"new_{maker}"), [shape_expr], [])
            return like.make(maker, shape_expr, field=field)
        value = self.value(argument)
        if same:
            assert like.tensor is not None
            return ast.Call(ast.Attribute(like.tensor, "new_full"), [shape_expr, value], [])
        return like.make("full", shape_expr, value, field=field)


def axes(rank: int, axis: Static | None) -> ast.expr:
    """One axis of a sample, or all of them, counted from the last."""
    if isinstance(axis, int):
        return number(axis - 1 - rank)
    if isinstance(axis, tuple):
        return ast.Tuple([number(each - 1 - rank) for each in axis], ast.Load())
    if rank == 1:
        return number(-1)
    return ast.Tuple([number(i - rank) for i in range(rank)], ast.Load())
