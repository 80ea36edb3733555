"""The blocks of a page as classes: one for each that the page defines, its sizes arguments of its constructor."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace

from unroll_dsl.backends.torch.blocks import Block as Writer
from unroll_dsl.backends.torch.expressions import Like
from unroll_dsl.backends.torch.facts import body_facts
from unroll_dsl.backends.torch.functions import Definitions, dim_expression, size_from
from unroll_dsl.backends.torch.layer_modules import Modules
from unroll_dsl.backends.torch.names import Scope, class_name, identifier
from unroll_dsl.backends.torch.templates import name
from unroll_dsl.backends.torch.tree import (
    SELF,
    Assign,
    Class,
    Do,
    Function,
    Parameter,
    Return,
    Statement,
)
from unroll_dsl.backends.torch.tree.printing import function_text
from unroll_dsl.backends.torch.tree.reading import attributes
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.graph import FunctionBody, Graph
from unroll_dsl.ir.nodes import Node
from unroll_dsl.types import Block, Dim, Field

_KEYWORDS = (
    Parameter("dtype", "torch.dtype | None", "None"),
    Parameter("device", "torch.device | str | None", "None"),
)


class BlockClasses:
    """Writes the class of each block that a network is made of; blocks of one text are one class."""

    def __init__(
        self, graph: Graph, definitions: Definitions, origin: Callable[[Node], str]
    ) -> None:
        self.templates = {template.name: template for template in graph.templates}
        self.definitions = definitions
        self.origin = origin
        self.classes: dict[str, Class] = {}  # by their names, those within others first
        self._names: dict[Block, str] = {}
        self._by_text: dict[str, str] = {}

    def class_of(self, block: Block) -> str:
        """The name of its class."""
        if block not in self._names:
            made = self._class(block)
            text = "\n".join(function_text(method) for method in made.methods)
            key = f"{block.name}\n{text}"
            if key not in self._by_text:
                word = self.definitions.scope.fresh(class_name(block.name))
                self._by_text[key] = word
                self.classes[word] = replace(made, name=word)
            self._names[block] = self._by_text[key]
        return self._names[block]

    def _class(self, block: Block) -> Class:
        body = self.definitions.bodies[block.key]
        forward = self._forward(body, block)
        words = " ".join(body.comment.split())
        head = str(replace(block, sizes=tuple(map(Dim.of, self.templates[block.name].sizes))))
        return Class(
            "BLOCK", words or f"`{head}`.", (self._init(block, attributes(forward.body)), forward)
        )

    def _init(self, block: Block, read: set[str]) -> Function:
        template, parts = self.templates[block.name], dict(block.parts)
        symbols = {size: name(identifier(size)) for size in template.sizes}
        modules = Modules(
            lambda dim: dim_expression(dim, symbols), lambda: Like(None), self.class_of, "nn.Conv2d"
        )
        body: list[Statement] = [Do(name("super().__init__()"))]
        body += [
            Assign((f"self.{word}",), name(identifier(size)))
            for size in template.sizes
            if (word := _attribute(size)) in read
        ]
        for part, layer in template.parts:
            body.append(Assign((f"self.{part}",), modules.made(layer, parts[part])))
        taken = tuple(Parameter(identifier(size), "int") for size in template.sizes)
        return Function("__init__", (SELF, *taken), "None", "", tuple(body), _KEYWORDS)

    def _forward(self, body: FunctionBody, block: Block) -> Function:
        names = [identifier(parameter) for parameter, _ in body.parameters]
        scope = Scope({*names, *self.definitions.names})
        given: dict[int, ast.expr] = {}
        for index, node in enumerate(body.nodes):
            match node.op:
                case ops.Argument(place):
                    given[index] = name(names[place])
                case ops.BlockLayer(word):
                    given[index] = name(f"self.{word}")

        def size(dim: Dim) -> ast.expr:
            own = dict(zip(block.sizes, self.templates[block.name].sizes, strict=True))
            if dim in own:
                return name(f"self.{_attribute(own[dim])}")
            return size_from(body, names, dim)

        def like() -> Like:
            return Like(name(names[0]), body.parameters[0][1].field is Field.COMPLEX)

        writer = Writer(
            body.nodes,
            body_facts(body),
            self.definitions.callee,
            given,
            scope,
            size,
            like,
            self.origin,
        )
        writer.write.one_batch = True
        (result,) = writer.run([body.result])
        taken = tuple(Parameter(word, "Tensor") for word in names)
        origin = self.origin(body.nodes[body.result])
        return Function(
            "forward", (SELF, *taken), "Tensor", "", (*writer.body, Return((result,), origin))
        )


def _attribute(size: str) -> str:
    """Where a block keeps a size of its own that it computes with."""
    return f"size_{identifier(size)}"
