"""The `def`s of a program as top-level Python functions."""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import replace

from unroll_dsl.backends.torch.blocks import Block
from unroll_dsl.backends.torch.expressions import Callee, Like
from unroll_dsl.backends.torch.facts import body_facts, is_elementwise, takes_numbers
from unroll_dsl.backends.torch.names import Scope, class_name, identifier
from unroll_dsl.backends.torch.templates import name, number
from unroll_dsl.backends.torch.tree import Function, Parameter, Return
from unroll_dsl.backends.torch.tree.printing import function_text
from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.graph import FunctionBody, Graph
from unroll_dsl.types import Dim, Field


class Definitions:
    """Writes each function on its first call; functions with one text become one."""

    def __init__(self, graph: Graph, taken: Collection[str]) -> None:
        self.bodies = {body.name: body for body in graph.functions}
        self.scope = Scope({*taken})
        self.names = self._possible()
        self.functions: dict[str, Function] = {}  # by the name in Python, callees first
        self._callees: dict[str, Callee] = {}
        self._by_text: dict[str, str] = {}

    def _possible(self) -> frozenset[str]:
        """Every name that a function may get: no value that is written where it is called has one."""
        scope = self.scope.copy()
        wishes = [
            _wish(body) if body.block is None else class_name(body.block.name)
            for body in self.bodies.values()
        ]
        return frozenset(scope.fresh(wish) for wish in wishes)

    def callee(self, key: str) -> Callee:
        """How the function of that key in the graph is called."""
        if key not in self._callees:
            body = self.bodies[key]
            elementwise = is_elementwise(body, self.bodies)
            made = self._function(body, elementwise)
            source = function_text(made)
            found = self._by_text.get(source)
            if found is None:
                found = self.scope.fresh(_wish(body))
                self._by_text[source] = found
                self.functions[found] = replace(made, name=found)
            safe = takes_numbers(body, self.bodies)
            numbers = safe if elementwise else (False,) * len(safe)
            self._callees[key] = Callee(found, elementwise, numbers)
        return self._callees[key]

    def _function(self, body: FunctionBody, elementwise: bool) -> Function:
        names = [identifier(parameter) for parameter, _ in body.parameters]
        scope = Scope({*names, *self.names})
        arguments = {
            index: name(names[node.op.index])
            for index, node in enumerate(body.nodes)
            if isinstance(node.op, ops.Argument)
        }

        def size(dim: Dim) -> ast.expr:
            return size_from(body, names, dim)

        def like() -> Like:
            for parameter, (_, type_) in zip(names, body.parameters, strict=True):
                if type_.rank or type_.field is Field.COMPLEX:
                    return Like(name(parameter), type_.field is Field.COMPLEX)
            return Like(name(names[0]))

        block = Block(
            body.nodes,
            body_facts(body),
            self.callee,
            arguments,
            scope,
            size,
            like,
            lambda node: "",
        )
        block.write.align_scalars = not elementwise
        (result,) = block.run([body.result])
        return Function(
            "FUNCTION",
            tuple(Parameter(word, "Tensor") for word in names),
            "Tensor",
            " ".join(body.comment.split()),
            (*block.body, Return((result,))),
        )


def _wish(body: FunctionBody) -> str:
    """The name that the author gave a function."""
    head = body.origin.file.text[body.origin.start :].split("(")[0]
    return head.removeprefix("def ").strip()


def size_from(body: FunctionBody, names: list[str], dim: Dim) -> ast.expr:
    """A dimension of the arguments of a function."""
    symbols: dict[str, ast.expr] = {}
    for parameter, (_, type_) in zip(names, body.parameters, strict=True):
        for axis, found in enumerate(type_.shape):
            place = name(f"{parameter}.shape[{axis - type_.rank}]")
            if found == dim:
                return place
            if len(found.symbols) == 1 and found == Dim.of(next(iter(found.symbols))):
                symbols.setdefault(next(iter(found.symbols)), place)
    return dim_expression(dim, symbols)


def dim_expression(dim: Dim, symbols: dict[str, ast.expr]) -> ast.expr:
    """A polynomial in dimension symbols as Python arithmetic."""
    total: ast.expr | None = None
    for monomial, coefficient in reversed(dim.terms):
        term: ast.expr | None = number(abs(coefficient)) if abs(coefficient) != 1 else None
        for symbol in monomial:
            if symbol not in symbols:
                raise InternalError(f"the size `{symbol}` is not at hand")
            factor = symbols[symbol]
            term = factor if term is None else ast.BinOp(term, ast.Mult(), factor)
        term = number(abs(coefficient)) if term is None else term
        if total is None:
            total = term if coefficient > 0 else ast.UnaryOp(ast.USub(), term)
        else:
            total = ast.BinOp(total, ast.Add() if coefficient > 0 else ast.Sub(), term)
    return number(0) if total is None else total
