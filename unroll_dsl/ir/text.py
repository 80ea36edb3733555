"""The IR as text, for people (`--emit ir`) and for tests of passes; `from_text` reads it back.

    algorithm ista "ista.unroll"
    dims m, n
    input y : vector[m] ; ista.unroll:5
    ...
    state x : vector[n] = %9 then %16 ; ista.unroll:13
    output %18
    phases 100

    %0 = input y : vector[m] [call] ; ista.unroll:5 y
    %4 = builtin[spectral_norm] %1 : scalar [set-up] ; ista.unroll:8
    %16 = invoke[soft] %14, %15 : vector[n] [phase] ; ista.unroll:15 x

What stands behind `;` is where the node comes from and the name that the author gave to it. A type
of a linear map is written `map`: it follows from the operation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import assert_never

from unroll_dsl.ir.bodies import blocks_in
from unroll_dsl.ir.graph import (
    Constant,
    Domain,
    Entry,
    FunctionBody,
    Graph,
    Limits,
    Parameter,
    Random,
)
from unroll_dsl.ir.nodes import (
    AddMap,
    AdjointMap,
    Apply,
    ApplyLayer,
    Argument,
    BlockLayer,
    Builtin,
    ComposeMap,
    Contract,
    ConvolveFew,
    ConvolvePair,
    DiagonalMap,
    Elementwise,
    Expand,
    Eye,
    IdentityMap,
    Invoke,
    LayerSteps,
    Named,
    Node,
    Op,
    Operator,
    PairKernel,
    PhaseNumber,
    PhaseSum,
    ScaleMap,
    Size,
    Solve,
    SplitLayer,
    Stage,
    Transpose,
)
from unroll_dsl.ir.nodes import Constant as ConstantOp
from unroll_dsl.ir.read import from_text
from unroll_dsl.ir.stages import stages
from unroll_dsl.operators.model import Static
from unroll_dsl.source import Span
from unroll_dsl.types import Declared, Dim, LinearMap, Type
from unroll_dsl.types.blocks import Template

__all__ = ["from_text", "op_text", "to_text"]

_STAGES = {
    Stage.SETUP: "set-up",
    Stage.CALL: "call",
    Stage.PHASE: "phase",
    Stage.OUTPUT: "output",
}


def to_text(graph: Graph) -> str:
    """The graph line by line; equal graphs give equal text."""
    return "\n".join(_lines(graph)) + "\n"


_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")  # `apply_layer` of `ApplyLayer`


def op_text(op: Op) -> str:
    """The operation of a node without its arguments: `apply`, `state x`, `builtin[sum, axis=1]`."""
    if isinstance(op, Named):
        return f"{type(op).__name__.lower()} {op.name}"
    match op:
        case ConstantOp(value):
            return f"constant {value!r}"
        case Size(dim):
            return f"size {dim}"
        case Argument(index):
            return f"argument {index}"
        case BlockLayer(name):
            return f"part {name}"
        case Elementwise(function):
            return function
        case Builtin(function, statics):
            return f"builtin[{_with_statics(function, statics)}]"
        case Operator(operator, statics):
            return f"operator[{_with_statics(operator, statics)}]"
        case Invoke(function):
            return f"invoke[{function}]"
        case AddMap(sign):
            return "add_map" if sign > 0 else "sub_map"
        case Solve(tolerance, iterations):
            limits = {"tolerance": tolerance, "iterations": iterations}
            words = ", ".join(f"{key}={n!r}" for key, n in limits.items() if n is not None)
            return f"solve[{words}]" if words else "solve"
        case LayerSteps(start, stop):
            return f"layer_steps[{start}:{stop}]"
        case (
            PhaseNumber()
            | Expand()
            | Eye()
            | Transpose()
            | Contract()
            | Apply()
            | ApplyLayer()
            | ConvolveFew()
            | ConvolvePair()
            | PairKernel()
            | PhaseSum()
            | IdentityMap()
            | DiagonalMap()
            | AdjointMap()
            | ComposeMap()
            | ScaleMap()
            | SplitLayer()
        ):
            return _CAPITAL.sub("_", type(op).__name__).lower()
        case _:
            assert_never(op)


def type_text(type_: Type) -> str:
    match type_:
        case LinearMap(Declared(domain, codomain)):
            return f"linear {domain} -> {codomain}"
        case LinearMap():
            return "map"
        case _:
            return str(type_)


def _lines(graph: Graph) -> Iterator[str]:
    for line in graph.comment.splitlines():
        yield f"# {line}".rstrip()
    yield f'algorithm {graph.name} "{graph.file.name}"'
    if graph.dims:
        shown = (name if size is None else f"{name} = {size}" for name, size in graph.dims)
        yield f"dims {', '.join(shown)}"
    for template in graph.templates:
        yield from _template(template, graph)
    for entry in graph.inputs:
        yield f"input {_entry(entry)}"
    for constant in graph.constants:
        yield f"fixed {_declaration(constant)}{_tail(constant.origin, constant.comment)}"
    for parameter in graph.parameters:
        yield f"{_parameter(parameter)}{_tail(parameter.origin, parameter.comment)}"
    for slot in graph.states:
        first = "" if slot.first is None else f" first %{slot.first}"
        ends = f"= %{slot.initial}{first} then %{slot.update}"
        yield f"state {slot.name} : {slot.type} {ends}{_tail(slot.origin, slot.comment)}"
    for trace in graph.traces:
        yield f"trace {trace.name} = %{trace.node}{_tail(trace.origin, '')}"
    if graph.outputs:
        yield f"output {_ids(graph.outputs)}"
    for entry in graph.targets:
        yield f"target {_entry(entry)}"
    if graph.loss is not None:
        yield f"loss %{graph.loss}"
    for name, type_ in graph.variables:
        yield f"variable {name} : {type_}"
    if graph.objective is not None:
        yield f"objective %{graph.objective}"
    if graph.phases is not None:
        yield f"phases {graph.phases}"
    for body in graph.functions:
        yield ""
        yield from _function(body)
    yield ""
    for index, (node, stage) in enumerate(zip(graph.nodes, stages(graph), strict=True)):
        yield _node(index, node, f" [{_STAGES[stage]}]")


def _template(template: Template, graph: Graph) -> Iterator[str]:
    """A block as it is written, and the sizes at which it is used with the channels that these give."""
    yield f"block {template.name}[{', '.join(template.sizes)}]({template.arguments})"
    for name, layer in template.parts:
        yield f"    part {name} : {layer}"
    for block in sorted(blocks_in(graph), key=str):
        if block.name == template.name:
            ends = "" if block.channels is None else f" : {' -> '.join(map(str, block.channels))}"
            yield f"    at {', '.join(map(str, block.sizes))}{ends}"


def _function(body: FunctionBody) -> Iterator[str]:
    for line in body.comment.splitlines():
        yield f"# {line}".rstrip()
    parameters = ", ".join(f"{name} : {type_}" for name, type_ in body.parameters)
    yield f"def {body.name}({parameters}) = %{body.result}{_tail(body.origin, '')}"
    for index, node in enumerate(body.nodes):
        yield f"    {_node(index, node, '')}"


def _node(index: int, node: Node, stage: str) -> str:
    words = op_text(node.op)
    if node.args:
        words += f" {_ids(node.args)}"
    tail = _tail(node.origin, node.label or "")
    return f"%{index} = {words} : {type_text(node.type)}{stage}{tail}"


def _ids(ids: tuple[int, ...]) -> str:
    return ", ".join(f"%{index}" for index in ids)


def _tail(origin: Span | None, note: str) -> str:
    """Place and name or comment. A comment of several lines stays on one."""
    place = f"{origin.file.name}:{origin.line}" if origin is not None else ""
    if not place and not note:
        return ""
    shown = note.replace("\\", "\\\\").replace("\n", "\\n")
    return f" ; {place or '-'}{' ' if shown else ''}{shown}"


def _entry(entry: Entry) -> str:
    domain = _domain(entry.domain)
    return f"{entry.name} : {entry.type}{domain}{_tail(entry.origin, entry.comment)}"


def _domain(domain: Domain | None) -> str:
    if domain is None:
        return ""
    lower = (
        "" if domain.lower is None else f" >{'' if domain.lower_strict else '='} {domain.lower!r}"
    )
    upper = (
        "" if domain.upper is None else f" <{'' if domain.upper_strict else '='} {domain.upper!r}"
    )
    return lower + upper


def _declaration(constant: Constant) -> str:
    words = f"{constant.name} : {type_text(constant.type)}{_limits(constant.limits)}"
    return words if constant.default is None else f"{words} = %{constant.default}"


def _parameter(parameter: Parameter) -> str:
    words = "learnable" if parameter.trainable else "frozen"
    words += f" {parameter.name} : {type_text(parameter.type)}{_limits(parameter.limits)}"
    if parameter.per_phase:
        words += " per phase"
    match parameter.initial:
        case None:
            return words
        case Random(name, arguments):
            return f"{words} ~ {name}({', '.join(map(repr, arguments))})"
        case index:
            return f"{words} = %{index}"


def _limits(limits: Limits | None) -> str:
    if limits is None:
        return ""
    words = ""
    if limits.lower is not None:
        words += f" {'>' if limits.lower_strict else '>='} %{limits.lower}"
    if limits.upper is not None:
        words += f" {'<' if limits.upper_strict else '<='} %{limits.upper}"
    return words


def _with_statics(name: str, statics: tuple[tuple[str, Static], ...]) -> str:
    return ", ".join([name, *(f"{key}={_static(value)}" for key, value in statics)])


def _static(value: Static) -> str:
    """An int bare, several in parentheses, a word in quotes, a dimension in braces."""
    match value:
        case Dim():
            return f"{{{value}}}"
        case str():
            return f'"{value}"'
        case tuple():
            return f"({' '.join(map(str, value))})"
        case int():
            return str(value)
