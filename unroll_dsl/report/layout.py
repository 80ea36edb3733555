"""Where the statements of a program stand in its picture, and how its arrows run.

Sugiyama's method (Sugiyama, Tagawa, Toda, 1981): layers by longest path; an arrow that crosses a layer
takes a place of its own there, so that it passes between the boxes; sweeps that order each layer by
the mean height of its neighbours; then heights, as near to that mean as the order leaves room.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx

_GROUPS = {"set-up": 0, "call": 1, "phase": 2, "output": 3}
_BOX, _ARROW = 0.5, 0.18  # half of the height that each needs
_SWEEPS = 24

Point = tuple[float, float]
Edge = tuple[str, str]


@dataclass(frozen=True, slots=True)
class BoxLayout:
    """Columns are 1 apart, boxes of a column at least 1; heights are centred on 0.

    `routes` has the points that an arrow passes, both boxes' centres included; arrows back to the
    next phase's states have none.
    """

    places: Mapping[str, Point]
    routes: Mapping[Edge, Sequence[Point]]


def layout(picture: networkx.DiGraph[str]) -> BoxLayout:
    """Place each vertex and route each arrow.

    What belongs to a later stage stands to the right of all that belongs to an earlier one, so that
    set-up, call, phase and output are bands of the picture.
    """
    forward = [(a, b) for a, b, back in picture.edges(data="feedback") if not back]
    columns = _columns(picture, forward)
    chains: dict[Edge, list[Hashable]] = {}
    column: dict[Hashable, int] = {vertex: at for vertex, at in columns.items()}  # noqa: C416
    for a, b in forward:
        between: list[Hashable] = [(a, b, at) for at in range(columns[a] + 1, columns[b])]
        column.update({place: columns[a] + 1 + i for i, place in enumerate(between)})
        chains[a, b] = [a, *between, b]
    height = _heights(column, chains.values())
    places = {vertex: (float(columns[vertex]), height[vertex]) for vertex in picture}
    routes = {
        edge: [(float(column[place]), height[place]) for place in chain]
        for edge, chain in chains.items()
    }
    return BoxLayout(places, routes)


def _columns(picture: networkx.DiGraph[str], forward: Sequence[Edge]) -> dict[str, int]:
    import networkx

    columns: dict[str, int] = {}
    begin = 0
    for group in range(4):
        members = [v for v in picture if _group(picture, v) == group]
        if not members:
            continue
        inside = networkx.DiGraph()
        inside.add_nodes_from(members)
        inside.add_edges_from((a, b) for a, b in forward if a in inside and b in inside)
        depth: dict[str, int] = {}
        for vertex in networkx.topological_sort(inside):
            depth[vertex] = max((depth[u] + 1 for u in inside.predecessors(vertex)), default=0)
        last = max(depth.values())
        for vertex in members:
            # what nothing of its band reads stands beside what reads it, not at the far left
            free = group < 2 and not any(True for _ in inside.successors(vertex))
            columns[vertex] = begin + (last if free else depth[vertex])
        begin += last + 1
    return columns


def _heights(
    column: Mapping[Hashable, int], chains: Iterable[Sequence[Hashable]]
) -> dict[Hashable, float]:
    around: dict[Hashable, list[Hashable]] = {place: [] for place in column}
    for chain in chains:
        for a, b in pairwise(chain):
            around[a].append(b)
            around[b].append(a)
    layers: dict[int, list[Hashable]] = {}
    for place in column:
        layers.setdefault(column[place], []).append(place)
    height = {place: float(i) for layer in layers.values() for i, place in enumerate(layer)}
    for sweep in range(_SWEEPS):
        for at in sorted(layers, reverse=bool(sweep % 2)):
            layer = layers[at]
            wish = {
                place: sum(height[other] for other in around[place]) / len(around[place])
                if around[place]
                else height[place]
                for place in layer
            }
            if sweep < _SWEEPS // 2:  # afterwards the order stays, and heights settle
                layer.sort(key=lambda place: (wish[place], str(place)))
            for place, found in zip(layer, _spread(layer, wish), strict=True):
                height[place] = found
    ends = [height[place] for place in column if isinstance(place, str)]
    middle = (max(ends) + min(ends)) / 2
    return {place: found - middle for place, found in height.items()}


def _spread(layer: Sequence[Hashable], wish: Mapping[Hashable, float]) -> list[float]:
    """The heights nearest to those wished for that keep the order and leave room for each: isotonic
    regression, by pooling neighbours that are too close."""
    room = [_BOX if isinstance(place, str) else _ARROW for place in layer]
    offsets = [0.0]
    for below, above in pairwise(room):
        offsets.append(offsets[-1] + below + above)
    pools: list[tuple[float, int]] = []  # mean of the free heights, how many
    for place, offset in zip(layer, offsets, strict=True):
        mean, count = wish[place] - offset, 1
        while pools and pools[-1][0] > mean:
            other, more = pools.pop()
            mean = (mean * count + other * more) / (count + more)
            count += more
        pools.append((mean, count))
    free = [mean for mean, count in pools for _ in range(count)]
    return [value + offset for value, offset in zip(free, offsets, strict=True)]


def _group(picture: networkx.DiGraph[str], vertex: str) -> int:
    kind = picture.nodes[vertex]["kind"]
    if kind in ("output", "loss", "objective", "final", "target", "variable"):
        return 3
    return _GROUPS[picture.nodes[vertex]["stage"]]
