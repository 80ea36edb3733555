"""Pages as graphs, and what the interpreter makes of a graph: the values that a pass has to keep."""

from typing import Any

import numpy as np

from unroll_dsl.backends.numpy import Reference
from unroll_dsl.driver import check_source
from unroll_dsl.ir.graph import Graph
from unroll_dsl.passes.common import common
from unroll_dsl.passes.scaling import scaling
from unroll_dsl.source import SourceFile
from unroll_dsl.types import Array, Field


def built(text: str) -> Graph:
    """The graph of a page, as it is written."""
    checked = check_source(SourceFile("page.unroll", text))
    assert not checked.has_errors, [d.message() for d in checked.diagnostics]
    return checked.graph


def prepared(text: str) -> Graph:
    """The graph of a page with maps taken apart and equal values shared."""
    return common(scaling(common(built(text))))


def drawn(type_: Any, sizes: dict[str, int], rng: np.random.Generator) -> Any:
    shape = tuple(dim.substitute(sizes).value for dim in type_.shape)
    value = rng.standard_normal(shape)
    if type_.field is not Field.COMPLEX:
        return value
    return value + 1j * rng.standard_normal(shape)


def values(graph: Graph, sizes: dict[str, int], phases: int = 3, seed: int = 0) -> list[Any]:
    """All states after each phase, then the outputs, for constants and inputs drawn at random; constants with
    bounds are positive."""
    rng = np.random.default_rng(seed)
    constants = {}
    for c in graph.constants:
        if c.default is None and isinstance(c.type, Array):
            value = drawn(c.type, sizes, rng)
            constants[c.name] = np.abs(value) + 0.1 if c.limits else value
    inputs = [drawn(e.type, sizes, rng) for e in graph.inputs]
    reference = Reference(graph, phases, constants, {}, sizes)
    along = reference.trajectory(*inputs)
    found = [states[slot.name] for states in along for slot in graph.states]
    outputs = reference(*inputs)
    return [*found, *(outputs if isinstance(outputs, tuple) else (outputs,))]


def assert_same(before: Graph, after: Graph, sizes: dict[str, int], rtol: float = 1e-11) -> None:
    """Two graphs compute the same, and something that is not 0."""
    ours, theirs = values(after, sizes), values(before, sizes)
    assert any(np.abs(value).max() > 1e-3 for value in theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert np.abs(a - b).max(initial=0) <= rtol * max(np.abs(b).max(initial=0), 1e-300)
