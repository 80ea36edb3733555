"""The graph as people draw it: one vertex for each declaration and each line of the author.

Vertices carry plain attributes (no nodes of the IR), so that DOT, SVG and LaTeX can be written from
them by anyone:

    kind    input, fixed, learnable, state, local, update, final, target, output, trace, loss,
            objective
    label   what to write on it
    type    the type in words
    stage   set-up, call, phase, output
    line    the line of the source, or None
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import (
    Named,
    Node,
    PhaseNumber,
    Stage,
)
from unroll_dsl.ir.stages import stages

if TYPE_CHECKING:
    import networkx

_WORDS = {
    Stage.SETUP: "set-up",
    Stage.CALL: "call",
    Stage.PHASE: "phase",
    Stage.OUTPUT: "output",
}


@dataclass(frozen=True, slots=True)
class _Vertex:
    key: str
    kind: str
    label: str


def statement_graph(graph: Graph) -> networkx.DiGraph[str]:
    """Who reads whom, at the level of statements: an edge for each name that a line reads.

    Values without a name are folded into the line that they stand in. Keys of vertices are
    `kind:name`, with a number where one name is given more than once. The vertex of a state is its
    value as the phase begins; an edge with `feedback=True` leads to it from its update.
    """
    import networkx

    picture: networkx.DiGraph[str] = networkx.DiGraph()
    found_stages = stages(graph)
    vertices = _vertices(graph)
    below: list[tuple[str, ...]] = []  # for each node: the vertices that it reads directly
    for index, node in enumerate(graph.nodes):
        reads = tuple(dict.fromkeys(key for a in node.args for key in below[a]))
        vertex = vertices.get(index)
        if vertex is None:
            below.append(reads)
            continue
        below.append((vertex.key,))
        _add(picture, vertex, node, found_stages[index])
        for key in reads:
            picture.add_edge(key, vertex.key, feedback=False)
    for slot in graph.states:
        state = f"state:{slot.name}"
        if state not in picture:
            _add(picture, _Vertex(state, "state", slot.name), graph.nodes[slot.update], Stage.PHASE)
        for key in below[slot.update]:
            if key != state:
                picture.add_edge(key, state, feedback=True)
        for key in below[slot.initial]:
            picture.add_edge(key, state, feedback=False)
        final = f"final:{slot.name}"
        if final in picture:
            for key in below[slot.update]:
                picture.add_edge(key, final, feedback=False)
    for kind, ids in (
        ("output", graph.outputs),
        ("loss", () if graph.loss is None else (graph.loss,)),
        ("objective", () if graph.objective is None else (graph.objective,)),
    ):
        for number, index in enumerate(ids):
            key = f"{kind}:{number}"
            _add(picture, _Vertex(key, kind, kind), graph.nodes[index], found_stages[index])
            for source in below[index]:
                picture.add_edge(source, key, feedback=False)
    return picture


def order(graph: Graph) -> tuple[str, ...]:
    """The statements of a graph in an order in which each comes after those that it reads.

    Raises `InternalError` with the names on it where there is a cycle besides that of the phases.
    """
    import networkx

    picture = statement_graph(graph)
    forward = networkx.DiGraph()
    forward.add_nodes_from(picture)
    forward.add_edges_from((a, b) for a, b, back in picture.edges(data="feedback") if not back)
    place = {key: number for number, key in enumerate(picture)}
    try:
        return tuple(networkx.lexicographical_topological_sort(forward, key=place.__getitem__))
    except networkx.NetworkXUnfeasible:
        cycle = " -> ".join(edge[0] for edge in networkx.find_cycle(forward))
        raise InternalError(f"graph `{graph.name}`: statements read each other: {cycle}") from None


def _vertices(graph: Graph) -> dict[int, _Vertex]:
    """The nodes that a statement or a declaration stands for."""
    updates = {slot.update: slot.name for slot in graph.states}
    traces = {trace.node: trace.name for trace in graph.traces}
    found: dict[int, _Vertex] = {}
    taken: set[str] = set()
    for index, node in enumerate(graph.nodes):
        if isinstance(node.op, Named):
            kind, name = type(node.op).__name__.lower(), node.op.name
            found[index] = _Vertex(f"{kind}:{name}", kind, name)  # one however often it is read
            continue
        if node.op == PhaseNumber():
            found[index] = _Vertex("phase_number:k", "phase_number", "k")
            continue
        if index in updates:
            kind, name = "update", updates[index]
        elif index in traces:
            kind, name = "trace", traces[index]
        elif node.label is not None:
            kind, name = "local", node.label
        else:
            continue
        key, number = f"{kind}:{name}", 2
        while key in taken:
            key, number = f"{kind}:{name}:{number}", number + 1
        taken.add(key)
        found[index] = _Vertex(key, kind, name)
    return found


def _add(picture: networkx.DiGraph[str], vertex: _Vertex, node: Node, stage: Stage) -> None:
    picture.add_node(
        vertex.key,
        kind=vertex.kind,
        label=vertex.label,
        type=str(node.type),
        stage=_WORDS[stage],
        line=None if node.origin is None else node.origin.line,
    )
