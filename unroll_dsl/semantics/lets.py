"""Lets in an order in which each comes after those that it reads, typed."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from unroll_dsl.semantics.checking import Checking
from unroll_dsl.semantics.errors import CycleOfLets
from unroll_dsl.semantics.scopes import Place, Reporter, names_in
from unroll_dsl.source import Span
from unroll_dsl.syntax.nodes import Let
from unroll_dsl.types import UNKNOWN


def check_lets(checking: Checking) -> None:
    """Order and type the lets of a program. Report what is made of itself: through lets, or through the
    defaults and the classical values of what is declared."""
    found = {name: symbol.value for name, symbol in checking.symbols.items()}
    values = {name: value for name, value in found.items() if value is not None}
    reads = {
        name: {read.text: read.span for read in names_in(value) if read.text in values}
        for name, value in values.items()
    }
    cyclic = _cycles(reads, checking.reporter)
    for name in cyclic:
        checking.dependences.leave_out(name)
    lets = {
        name: symbol.definer
        for name, symbol in checking.symbols.items()
        if isinstance(symbol.definer, Let)
    }
    left = {n: [r for r in reads[n] if r in lets and r not in cyclic] for n in lets}
    order = TopologicalSorter({n: r for n, r in left.items() if n not in cyclic}).static_order()
    checking.lets = tuple(lets[name] for name in order)
    context = checking.context(Place.LET)
    for let in checking.lets:
        checking.let_types[let.name.text] = checking.inference.infer(let.value, context)
        checking.dependences.of(let.value)
    for name in cyclic & lets.keys():
        checking.let_types[name] = UNKNOWN


def _cycles(reads: Mapping[str, Mapping[str, Span]], reporter: Reporter) -> set[str]:
    """The names on cycles, each of which is reported once."""
    cyclic: set[str] = set()
    while True:
        left = {n: [r for r in reads[n] if r not in cyclic] for n in reads if n not in cyclic}
        try:
            TopologicalSorter(left).prepare()
            return cyclic
        except CycleError as cycle:
            path = list(reversed(cycle.args[1]))[:-1]
            first = min(range(len(path)), key=lambda i: list(reads).index(path[i]))
            path = path[first:] + path[:first]
            steps = zip(path, path[1:] + path[:1], strict=True)
            reporter.report(CycleOfLets(tuple((a, reads[a][b]) for a, b in steps)))
            cyclic.update(path)
