"""Programs derived from a program: one of its maps as a program of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from unroll_dsl.ir.graph import Entry, Graph
from unroll_dsl.ir.nodes import (
    AdjointMap,
    Apply,
    Contract,
    Input,
    Node,
    Solve,
    Stage,
    Transpose,
)
from unroll_dsl.ir.stages import reachable, stages
from unroll_dsl.passes.extract import restricted
from unroll_dsl.source import Span
from unroll_dsl.types import (
    Array,
    Field,
    LinearMap,
    adjoint,
    known_domain,
    map_backward,
    map_forward,
)

_ITERATIONS = 1000  # as many as conjugate gradients may want on an instance
_ROUNDING = 2e-15  # and the residual that they go on to


@dataclass(frozen=True, slots=True)
class AppliedMap:
    """A map that a program applies: forward and adjoint as programs with one input."""

    name: str
    domain: Array
    codomain: Array
    forward: Graph
    backward: Graph


def applied_maps(graph: Graph) -> tuple[AppliedMap, ...]:
    """Every map and matrix that the program applies to something and that no state changes."""
    found: dict[tuple[int, Array], AppliedMap] = {}
    known = stages(graph)
    for node in graph.nodes:
        match node.op:
            case Apply() | Solve():
                map_, argument = node.args[:2]
            case Contract():
                map_, argument = node.args
                matrix, vector = graph.nodes[map_].type, graph.nodes[argument].type
                if not (isinstance(matrix, Array) and matrix.rank == 2):
                    continue
                if not (isinstance(vector, Array) and vector.rank == 1):
                    continue
            case _:
                continue
        map_ = _without_adjoints(graph, map_)
        if known[map_] > Stage.CALL or _reads_inputs(graph, map_):
            continue
        for domain in _domain(graph, map_, node):
            found.setdefault((map_, domain), _split(graph, map_, domain, node.origin))
    return tuple(found.values())


def _without_adjoints(graph: Graph, index: int) -> int:
    while isinstance(graph.nodes[index].op, AdjointMap | Transpose):
        index = graph.nodes[index].args[0]
    return index


def _reads_inputs(graph: Graph, index: int) -> bool:
    read = reachable(graph.nodes, (index,))
    return any(isinstance(graph.nodes[i].op, Input) for i in read)


def _domain(graph: Graph, map_: int, node: Node) -> tuple[Array, ...]:
    """The space of the arguments of a map, from where it is applied."""
    type_ = graph.nodes[map_].type
    if isinstance(type_, Array):
        return (Array((type_.shape[1],), type_.field),)
    if not isinstance(type_, LinearMap):
        return ()
    known = known_domain(type_.structure)
    if known is not None:
        return (known,)
    argument = graph.nodes[node.args[1]].type
    assert isinstance(argument, Array)
    if map_ == node.args[0]:
        return (argument,) if isinstance(map_forward(type_.structure, argument), Array) else ()
    back = map_backward(type_.structure, argument)
    return (back,) if isinstance(back, Array) else ()


def _split(graph: Graph, map_: int, domain: Array, origin: Span | None) -> AppliedMap:
    type_ = graph.nodes[map_].type
    span = origin or Span(graph.file, 0, 0)
    if isinstance(type_, Array):
        codomain = Array((type_.shape[0],), type_.field)
        turned = Node(Transpose(), (map_,), Array(type_.shape[::-1], type_.field), origin)
    else:
        assert isinstance(type_, LinearMap)
        reached = map_forward(type_.structure, domain)
        assert isinstance(reached, Array)
        codomain = reached
        turned = Node(AdjointMap(), (map_,), LinearMap(adjoint(type_.structure)), origin)
    field = codomain.field
    domain = Array(domain.shape, domain.field.join(Field.REAL), domain.form)
    back_type = Array(domain.shape, domain.field.join(field), domain.form)
    op = Contract() if isinstance(type_, Array) else Apply()
    forward = _program(
        graph, "forward", domain, lambda x: [Node(op, (map_, x), codomain, origin)], span
    )
    backward = _program(
        graph,
        "adjoint",
        codomain,
        lambda y: [turned, Node(op, (y + 1, y), back_type, origin)],
        span,
    )
    name = origin.text if origin is not None else f"map {map_}"
    label = graph.nodes[map_].label
    map_origin = graph.nodes[map_].origin
    if label is not None:
        name = label
    elif map_origin is not None:
        name = map_origin.text
    return AppliedMap(name, domain, codomain, forward, backward)


def _program(
    graph: Graph, name: str, space: Array, add: Callable[[int], list[Node]], span: Span
) -> Graph:
    """`graph` with one input, no phases, and the last of the added nodes as its output."""
    start = len(graph.nodes)
    entry = Entry("argument", space, "", span)
    nodes = [*graph.nodes, Node(Input("argument"), (), space, span, "argument")]
    nodes += add(start)
    return restricted(
        graph, [len(nodes) - 1], name=f"{graph.name}_{name}", inputs=[entry], nodes=nodes
    )


def exact(graph: Graph) -> Graph:
    """The program with every system solved to rounding, whatever accuracy it is content with."""
    nodes = tuple(
        dataclasses.replace(node, op=Solve(_ROUNDING, _ITERATIONS))
        if isinstance(node.op, Solve)
        else node
        for node in graph.nodes
    )
    return dataclasses.replace(graph, nodes=nodes)
