"""Where the statements of a program stand in its picture: layers from left to right.

Sugiyama's method in its plain form: layers by longest path, then sweeps that move each vertex to the
mean height of its neighbours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx

_GROUPS = {"set-up": 0, "call": 1, "phase": 2, "output": 3}


def positions(picture: networkx.DiGraph[str]) -> dict[str, tuple[float, float]]:
    """A place (column, row) for each vertex; rows of a column are 1 apart and centred on 0.

    What belongs to a later stage stands to the right of all that belongs to an earlier one, so that
    set-up, call, phase and output are bands of the picture.
    """
    import networkx

    forward = networkx.DiGraph()
    forward.add_nodes_from(picture)
    forward.add_edges_from(
        (a, b)
        for a, b, back in picture.edges(data="feedback")
        if not back and _group(picture, a) <= _group(picture, b)
    )
    columns: dict[str, int] = {}
    begin = 0
    for group in range(4):
        members = [v for v in picture if _group(picture, v) == group]
        if not members:
            continue
        inside = forward.subgraph(members)
        depth: dict[str, int] = {}
        for vertex in networkx.topological_sort(inside):
            depth[vertex] = max((depth[u] + 1 for u in inside.predecessors(vertex)), default=0)
        for vertex in members:
            columns[vertex] = begin + depth[vertex]
        begin += max(depth.values()) + 1
    rows: dict[int, list[str]] = {}
    for vertex in picture:
        rows.setdefault(columns[vertex], []).append(vertex)
    height = {v: float(i) for members in rows.values() for i, v in enumerate(members)}
    for sweep in range(12):
        order = sorted(rows) if sweep % 2 == 0 else sorted(rows, reverse=True)
        for column in order:
            members = rows[column]
            around = {v: [*forward.predecessors(v), *forward.successors(v)] for v in members}
            wish = {
                v: sum(height[u] for u in around[v]) / len(around[v]) if around[v] else height[v]
                for v in members
            }
            members.sort(key=lambda v: (wish[v], v))
            middle = (len(members) - 1) / 2
            for index, vertex in enumerate(members):
                height[vertex] = index - middle
    return {vertex: (float(columns[vertex]), height[vertex]) for vertex in picture}


def _group(picture: networkx.DiGraph[str], vertex: str) -> int:
    kind = picture.nodes[vertex]["kind"]
    if kind in ("output", "loss", "objective", "final", "target", "variable"):
        return 3
    return _GROUPS[picture.nodes[vertex]["stage"]]
