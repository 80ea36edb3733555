"""Text to graph: the list of stages of the front end, and no other logic.

    source.py -> syntax -> semantics -> ir -> what is never needed

Nothing here imports torch, numpy or networkx: checking a file takes milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from unroll_dsl.diagnostics.model import MOST_ERRORS, Diagnostic, first_of
from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.ir.applications import too_long
from unroll_dsl.ir.build import build
from unroll_dsl.ir.graph import Graph
from unroll_dsl.passes.analysis.liveness import unused
from unroll_dsl.resources import grammar_path
from unroll_dsl.semantics import TypedProgram, check
from unroll_dsl.semantics.errors import MapTooLong, SizeWithoutEnd, Unused
from unroll_dsl.semantics.measures import read_by_measures
from unroll_dsl.semantics.model import Sort
from unroll_dsl.source import SourceFile, Span
from unroll_dsl.syntax import parse
from unroll_dsl.syntax.nodes import Program
from unroll_dsl.syntax.reading import read_source
from unroll_dsl.types import SizeTooLong

MOST_APPLICATIONS = 500  # of the maps that one is made of; more would be lines of generated code


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known of a file: as many stages as it passed, and everything to report.

    `typed` is there as soon as there is a tree, with the types of what could be typed; `graph` of a program
    without errors alone.
    """

    file: SourceFile | None
    program: Program | None
    typed: TypedProgram | None
    graph: Graph | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def has_errors(self) -> bool:
        return any(diagnostic.is_error for diagnostic in self.diagnostics)


@cache
def prelude() -> Program:
    """The definitions that every program may call: grammars/prelude.unroll."""
    source = read_source(grammar_path("prelude.unroll"))
    if not isinstance(source, SourceFile):
        raise InternalError(source.message())
    result = parse(SourceFile("prelude.unroll", source.text))  # wherever it is installed
    if result.program is None or result.diagnostics:
        raise InternalError("; ".join(d.message() for d in result.diagnostics))
    return result.program


def check_path(path: Path, name: str | None = None) -> Checked:
    """Check a file on disk; messages call it `name`, or by its path as given."""
    source = read_source(path)
    if not isinstance(source, SourceFile):
        return Checked(None, None, None, None, (source,))
    return check_source(source if name is None else SourceFile(name, source.text))


def check_source(source: SourceFile) -> Checked:
    """Parse, check and build; every stage reports, and the next runs if it can."""
    parsed = parse(source)
    found = first_of(parsed.diagnostics)
    if parsed.program is None or sum(d.is_error for d in found) == MOST_ERRORS:
        return Checked(source, parsed.program, None, None, found)
    return check_program(parsed.program, found)


def check_program(program: Program, diagnostics: tuple[Diagnostic, ...] = ()) -> Checked:
    """Check a tree; `diagnostics` are what the parser has reported."""
    try:
        typed, found = check(program, prelude())
        diagnostics = (*diagnostics, *found)
        if any(d.is_error for d in diagnostics):
            return Checked(program.file, program, typed, None, diagnostics)
        graph = build(typed)
    except SizeTooLong as error:  # of sizes that are multiplied by what a line does with them
        endless = SizeWithoutEnd(program.name.span, str(error))
        return Checked(program.file, program, None, None, (*diagnostics, endless))
    longest = _too_long(graph)
    if longest is not None:
        return Checked(program.file, program, typed, None, (*diagnostics, longest))
    diagnostics = first_of((*diagnostics, *_unused(typed, graph)))
    return Checked(program.file, program, typed, graph, diagnostics)


def _too_long(graph: Graph) -> Diagnostic | None:
    """What is wrong with a map that is made of others far more often than anyone would wait for."""
    for nodes in (graph.nodes, *(body.nodes for body in graph.functions)):
        index = too_long(nodes, MOST_APPLICATIONS)
        if index is not None:
            place = nodes[index].origin or Span(graph.file, 0, 0)
            return MapTooLong(place, MOST_APPLICATIONS)
    return None


def _unused(typed: TypedProgram, graph: Graph) -> tuple[Diagnostic, ...]:
    """A warning for each declaration that can reach neither the outputs, a loss nor the objective, nor
    makes data."""
    measured_of = read_by_measures(typed.program)
    symbols = [typed.symbols[name] for name in unused(graph) if name in typed.symbols]
    # what is learned with the data alone is no part of the network, which would have to hold it
    symbols = [s for s in symbols if s.sort is Sort.LEARNABLE or s.name not in measured_of]
    return tuple(Unused(s.span, s.name, s.sort.value) for s in symbols)
