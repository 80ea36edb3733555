"""Whether there are the entries that a program takes, once sizes are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from unroll_dsl.backends.errors import EntriesOutside
from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Builtin, Node
from unroll_dsl.operators.entries import chosen, lies_inside
from unroll_dsl.types import Array, Dim


def missing_entries(graph: Graph, sizes: Mapping[str, int]) -> list[Diagnostic]:
    """An error for each `x[2:5]` that there is not."""
    found = list(_outside(graph.nodes, sizes))
    for body in graph.functions:
        found += _outside(body.nodes, sizes)
    return found


def _outside(nodes: tuple[Node, ...], sizes: Mapping[str, int]) -> Iterator[Diagnostic]:
    for node in nodes:
        match node.op:
            case Builtin("entries", statics):
                array = nodes[node.args[0]].type
                assert isinstance(array, Array)
                places = zip(chosen(array, dict(statics)), array.shape, strict=True)
                for axis, (place, size) in enumerate(places, start=1):
                    ends = place if isinstance(place, tuple) else (place, place)
                    first, last, most = (d.substitute(sizes) for d in (*ends, size))
                    if lies_inside((first, last), most) is False:
                        shown = _text((first, last) if isinstance(place, tuple) else (first,))
                        yield EntriesOutside(shown, axis, str(size), str(most), node.origin)
            case _:
                pass


def _text(ends: Iterable[Dim]) -> str:
    return ":".join(map(str, ends))
