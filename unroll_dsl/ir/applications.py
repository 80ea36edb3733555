"""How often the parts of a linear map are applied where the map is applied once.

    let C = B + B' @ B        C @ x applies B twice and B' once, and
    let D = C + C' @ C        D @ x applies C twice and C' once

What the same part makes of the same value is counted once: `B + B` of `B = A + A` applies A once.
"""

from __future__ import annotations

from collections.abc import Sequence

from unroll_dsl.ir.nodes import (
    AddMap,
    AdjointMap,
    Apply,
    ComposeMap,
    IdentityMap,
    Node,
    ScaleMap,
    Solve,
)

_Made = AddMap | AdjointMap | ComposeMap | ScaleMap


def as_written(nodes: Sequence[Node]) -> list[int]:
    """For each map how often parts are applied where each is, every time that it is written; a bound from above."""
    counts: list[int] = []
    for node in nodes:
        made = isinstance(node.op, _Made)
        counts.append(1 + sum(counts[a] for a in _parts(node)) if made else 1)
    return counts


def too_long(nodes: Sequence[Node], most: int) -> int | None:
    """The first node that applies a map, of which one application takes more than `most` of its parts."""
    counts, seen = as_written(nodes), set[int]()
    for index, node in enumerate(nodes):
        if not isinstance(node.op, Apply | Solve) or counts[node.args[0]] <= most:
            continue
        if node.args[0] not in seen and not _Applied(nodes, most).takes_few(node.args[0]):
            return index
        seen.add(node.args[0])
    return None


class _Enough(Exception):
    pass


class _Applied:
    """Applies maps to values that are no more than numbers, a new one for each new result."""

    def __init__(self, nodes: Sequence[Node], most: int) -> None:
        self.nodes = nodes
        self.most = most
        self.made: dict[tuple[int, bool, int], int] = {}
        self.count = 0

    def takes_few(self, map_: int) -> bool:
        try:
            self.apply(map_, False, -1)
        except _Enough:
            return False
        return True

    def apply(self, map_: int, adjoint: bool, value: int) -> int:
        """The value that a map, or its adjoint, makes of a value."""
        node, key = self.nodes[map_], (map_, adjoint, value)
        match node.op:
            case IdentityMap():
                return value
            case AdjointMap():
                return self.apply(node.args[0], not adjoint, value)
            case _ if key in self.made:
                return self.made[key]
            case ComposeMap():
                for part in node.args if adjoint else node.args[::-1]:
                    value = self.apply(part, adjoint, value)
                self.made[key] = value
                return value
            case _:
                for part in _parts(node):
                    self.apply(part, adjoint, value)
        self.count += 1
        if self.count > self.most:
            raise _Enough
        self.made[key] = self.count
        return self.count


def _parts(node: Node) -> tuple[int, ...]:
    """The maps of which a map is made."""
    match node.op:
        case AddMap() | ComposeMap() | AdjointMap():
            return node.args
        case ScaleMap():
            return node.args[1:]
        case _:
            return ()
