"""Functions and blocks of a page as bodies of a graph, each built when it is first met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.builder import NodeList
from unroll_dsl.ir.expressions import Expressions
from unroll_dsl.ir.graph import FunctionBody
from unroll_dsl.semantics.model import BlockInstance, FunctionInstance
from unroll_dsl.syntax.nodes import BlockDefinition, Definition, Name
from unroll_dsl.types import Array, Dim, Type


class Functions:
    """The functions of a graph: one body for each definition and ranks of its arguments, and for each
    block at its sizes."""

    def __init__(self) -> None:
        self.bodies: list[FunctionBody] = []
        self._names: dict[FunctionInstance, str] = {}

    def name_of(self, instance: FunctionInstance) -> str:
        """The key of an instance; its body is built when first asked for."""
        if instance in self._names:
            return self._names[instance]
        build = Expressions(NodeList(), instance.types, instance.calls, self)
        body = _body(build, instance.definition, instance.arguments, {})
        taken = [other.name for other in self.bodies]
        key = candidate = instance.definition.name.text
        number = 2
        while candidate in taken:
            candidate, number = f"{key}_{number}", number + 1
        self._names[instance] = candidate
        self.bodies.append(replace(body, name=candidate))
        return candidate

    def add_block(self, instance: BlockInstance) -> None:
        """The body of a block at its sizes, once."""
        key = instance.block.key
        if any(body.name == key for body in self.bodies):
            return
        build = Expressions(NodeList(), instance.types, instance.calls, self)
        build.places = instance.places
        sizes = dict(zip(instance.template.sizes, instance.block.sizes, strict=True))
        body = _body(build, instance.definition, instance.arguments, sizes)
        self.bodies.append(replace(body, name=key, block=instance.block))


def _body(
    build: Expressions,
    definition: Definition | BlockDefinition,
    arguments: tuple[Type, ...],
    sizes: Mapping[str, Dim],
) -> FunctionBody:
    """The body of a definition for these arguments, which sees `sizes` besides."""
    names: dict[str, int] = {}
    parameters: list[tuple[str, Array]] = []
    given = zip(definition.parameters, arguments, strict=True)
    for index, (parameter, type_) in enumerate(given):
        assert isinstance(type_, Array)
        name = parameter.name.text
        names[name] = build.list.add(ops.Argument(index), (), type_, parameter.span, name)
        parameters.append((name, type_))

    def resolve(name: Name) -> int | None:
        if name.text in names:
            return names[name.text]
        return build.size(sizes[name.text], name.span) if name.text in sizes else None

    build.resolve = resolve
    for local in definition.locals:
        index = names[local.name.text] = build.value(local.value)
        if isinstance(build.list.type(index), Array):
            build.list.relabel(index, local.name.text)
    result = build.value(definition.value)
    nodes, word = tuple(build.list.nodes), definition.name.text
    comment, span = definition.comment, definition.span
    return FunctionBody(word, tuple(parameters), nodes, result, comment, span)
