"""Terms of the loss: what a sum over phases adds is computed by the phase.

    trace d = %4                          trace d = %8
    %5 = traced d : image[32, h, w]       %7 = abs %4 : image[32, h, w]
    %6 = abs %5 : image[32, h, w]     =>  %8 = sum %7 : scalar
    %7 = sum %6 : scalar                  %9 = traced d : scalar
    %8 = phase_sum %7 : scalar            %10 = phase_sum %9 : scalar

A phase then hands out a number a sample in place of images, and with checkpoints none of these images is
kept. Left alone where a term reads the loss's own parameters, which phases do not see.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from unroll_dsl.ir.graph import Graph, Trace
from unroll_dsl.ir.nodes import Node, PhaseSum, Target, Traced
from unroll_dsl.ir.stages import reachable
from unroll_dsl.passes.dead import dead
from unroll_dsl.passes.rewrite import with_nodes


def terms(graph: Graph) -> Graph:
    """Move what sums over phases add into traces of their own."""
    traced = {
        index: _names(graph, node.args[0])
        for index, node in enumerate(graph.nodes)
        if isinstance(node.op, PhaseSum)
    }
    moving = {index: names for index, names in traced.items() if _moves(graph, index)}
    read = {name for index, names in traced.items() if index not in moving for name in names}
    old = tuple(trace for trace in graph.traces if trace.name in read)
    origins = {trace.name: trace for trace in graph.traces}
    taken = read | _declared(graph)
    new: list[Trace] = []
    nodes: list[Node] = []
    where: list[int] = []
    for index, node in enumerate(graph.nodes):
        arguments = tuple(where[a] for a in node.args)
        if index in moving:
            name = _fresh(moving[index], taken)
            term = _inline(graph, node.args[0], origins, nodes, where)
            new.append(Trace(name, term, origins[moving[index][0]].origin))
            arguments = (len(nodes),)
            nodes.append(replace(nodes[term], op=Traced(name), args=()))
        where.append(len(nodes))
        nodes.append(replace(node, args=arguments))
    moved = with_nodes(replace(graph, traces=old), nodes, where)
    return dead(replace(moved, traces=(*moved.traces, *new)))  # old terms read traces that are gone


def _names(graph: Graph, root: int) -> list[str]:
    """The traces that a term reads, in order."""
    found = (graph.nodes[i].op for i in sorted(reachable(graph.nodes, (root,))))
    return list(dict.fromkeys(op.name for op in found if isinstance(op, Traced)))


def _moves(graph: Graph, index: int) -> bool:
    """Whether a phase can compute the term, and does not do so already."""
    (root,) = graph.nodes[index].args
    below = [graph.nodes[i].op for i in reachable(graph.nodes, (root,))]
    plain = isinstance(graph.nodes[root].op, Traced)
    return (
        not plain
        and any(isinstance(op, Traced) for op in below)
        and not any(isinstance(op, Target) for op in below)
    )


def _declared(graph: Graph) -> set[str]:
    """Names that are something else than a trace."""
    groups = (graph.inputs, graph.constants, graph.parameters, graph.states, graph.targets)
    return {entry.name for group in groups for entry in group}


def _fresh(names: Iterable[str], taken: set[str]) -> str:
    """The name of the one trace that a term reads, or of its own; `taken` learns it."""
    names = list(names)
    word = names[0] if len(names) == 1 and names[0] not in taken else "term"
    found, count = word, 1
    while found in taken:
        count += 1
        found = f"{word}_{count}"
    taken.add(found)
    return found


def _inline(
    graph: Graph, root: int, traces: Mapping[str, Trace], nodes: list[Node], where: list[int]
) -> int:
    """Append the nodes of a term with the traces in it replaced by what they trace."""
    inside: dict[int, int] = {}
    for index in sorted(reachable(graph.nodes, (root,))):
        node = graph.nodes[index]
        if isinstance(node.op, Traced):
            inside[index] = where[traces[node.op.name].node]
        elif all(inside[a] == where[a] for a in node.args):
            inside[index] = where[index]
        else:
            inside[index] = len(nodes)
            nodes.append(replace(node, args=tuple(inside[a] for a in node.args)))
    return inside[root]
