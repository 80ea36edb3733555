"""Lets in an order in which each comes after those that it reads, typed."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

from unroll_dsl.semantics.checking import Checking
from unroll_dsl.semantics.errors import CycleOfLets
from unroll_dsl.semantics.scopes import Place, names_in
from unroll_dsl.syntax.nodes import Let
from unroll_dsl.types import UNKNOWN


def check_lets(checking: Checking) -> None:
    """Order and type the lets of a program; report those that read themselves."""
    lets = {
        name: symbol.definer
        for name, symbol in checking.symbols.items()
        if isinstance(symbol.definer, Let)
    }
    order, cyclic = _ordered(checking, lets)
    context = checking.context(Place.LET)
    for name in order:
        checking.let_types[name] = checking.inference.infer(lets[name].value, context)
        checking.dependences.of(lets[name].value)
    for name in cyclic:
        checking.let_types[name] = UNKNOWN
    checking.lets = tuple(lets[name] for name in order)


def _ordered(checking: Checking, lets: dict[str, Let]) -> tuple[tuple[str, ...], set[str]]:
    """The names of lets in order, and those that lie on a cycle."""
    reads = {
        name: {n.text: n.span for n in names_in(let.value) if n.text in lets}
        for name, let in lets.items()
    }
    cyclic: set[str] = set()
    while True:
        sorter = TopologicalSorter(
            {n: [r for r in reads[n] if r not in cyclic] for n in lets if n not in cyclic}
        )
        try:
            return tuple(sorter.static_order()), cyclic
        except CycleError as cycle:
            path = list(reversed(cycle.args[1]))[:-1]
            first = min(range(len(path)), key=lambda i: list(lets).index(path[i]))
            path = path[first:] + path[:first]
            steps = zip(path, path[1:] + path[:1], strict=True)
            checking.reporter.report(CycleOfLets(tuple((a, reads[a][b]) for a, b in steps)))
            cyclic.update(path)
