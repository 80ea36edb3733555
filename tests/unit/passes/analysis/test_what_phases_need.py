"""Phases that make what liveness says, of what it says, have the outputs of phases that make everything."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from tests.unit.passes.pages import built, drawn
from unroll_dsl.backends.numpy import Reference
from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Fixed, Input, Learnable
from unroll_dsl.ir.stages import reachable
from unroll_dsl.passes.analysis.liveness import Variant, liveness, unused, variants

HEAD = """algorithm p
dims n
input y, b : vector[n]
fixed W, V : matrix[n, n]
learnable s : scalar per phase = 0.3 * k
learnable t : scalar per phase = 0.1 + k
learnable u : scalar = 0.7
"""
PAGES = {
    "one state": "state x : vector[n] = y\nphase (4):\n    x <- s * (W @ x) + b\noutput x\n",
    "a multiplier that the end does not need": (
        "state x, z, v : vector[n] = 0\nphase (4):\n    x <- W @ (z - v) + y\n    z <- tanh(x + v) * s\n"
        "    v <- v + t * (x - z)\noutput x\n"
    ),
    "momentum": (
        "state x, v : vector[n] = y\nphase (4):\n    x <- tanh(W @ v) * s\n    v <- x + t * (x - prev(x))\noutput x\n"
    ),
    "a line of delays": (
        "state a, c, d : vector[n] = b\nphase (4):\n    d <- prev(c)\n    c <- prev(a)\n"
        "    a <- s * (W @ a) + y\noutput d\n"
    ),
    "states that swap": (
        "state a : vector[n] = y\nstate c : vector[n] = b\nphase (4):\n    a <- prev(c)\n    c <- s * prev(a)\n"
        "output a\n"
    ),
    "one that nobody reads": (
        "state x, z : vector[n] = y\nphase (4):\n    x <- u * (W @ x)\n    z <- t * (V @ x)\noutput x\n"
    ),
    "a start that is overwritten": (
        "state x, z : vector[n] = V @ y\nphase (4):\n    z <- W @ b * t\n    x <- z + b * s\noutput x, u * z\n"
    ),
}


def run(graph: Graph, phases: int, chosen: tuple[Variant, ...] | None) -> list[Any]:
    """The outputs; with `chosen` each phase sees and makes nothing else."""
    rng = np.random.default_rng(0)
    sizes = {"n": 3}
    constants = {c.name: drawn(c.type, sizes, rng) for c in graph.constants if c.default is None}
    inputs = [drawn(e.type, sizes, rng) for e in graph.inputs]
    reference = Reference(graph, phases, constants, {}, sizes)
    slots = {slot.name: slot for slot in graph.states}
    initial = reference._evaluate(tuple(s.initial for s in slots.values()), inputs)
    states = dict(zip(slots, initial, strict=True))
    for k in range(1, phases + 1):
        reads, updates = list(slots), list(slots)
        if chosen is not None:
            reads, updates = [*chosen[k - 1].reads], [*chosen[k - 1].updates]
        seen = {name: states[name] for name in reads}
        made = reference._evaluate(tuple(slots[n].update for n in updates), inputs, state=seen, k=k)
        states = dict(zip(updates, made, strict=True))
    return list(reference._evaluate(graph.outputs, inputs, final=states))


@pytest.mark.parametrize("phases", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("name", PAGES)
def test_what_is_made_is_enough(name: str, phases: int) -> None:
    graph = built(HEAD + PAGES[name])
    chosen = variants(liveness(graph), phases)
    assert len(chosen) == phases
    for ours, theirs in zip(run(graph, phases, chosen), run(graph, phases, None), strict=True):
        assert np.allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize("name", PAGES)
def test_the_last_phases_make_no_more(name: str) -> None:
    """Without any one of its states, the last phase has no outputs to give, and the one before no last phase."""
    graph = built(HEAD + PAGES[name])
    found = liveness(graph)
    chosen = variants(found, 4)
    needed = {s.name for s in graph.states} & {
        graph.nodes[i].op.name
        for i in reachable(graph.nodes, graph.outputs)
        if hasattr(graph.nodes[i].op, "name")
    }
    if found.tail:
        assert set(chosen[-1].updates) == needed
    for before, after in pairwise(chosen):
        assert set(after.reads) <= set(before.updates)


@pytest.mark.parametrize("phases", [None, 1, 2, 5])
@pytest.mark.parametrize("name", PAGES)
def test_names_are_those_that_are_reached(name: str, phases: int | None) -> None:
    graph = built(HEAD + PAGES[name])
    found = liveness(graph, phases=phases)
    chosen = (found.steady, *found.tail) if phases is None else variants(found, phases)
    slots = {slot.name: slot for slot in graph.states}
    per_phase = {p.name for p in graph.parameters if p.per_phase}
    whole = set(reachable(graph.nodes, graph.outputs))
    for variant in chosen:
        ids = reachable(graph.nodes, [slots[n].update for n in variant.updates])
        own = {graph.nodes[i].op.name for i in ids if isinstance(graph.nodes[i].op, Learnable)}
        assert set(variant.parameters) == own & per_phase
        whole |= ids
    first = chosen if phases is None else chosen[:1]
    for variant in first:
        whole |= set(reachable(graph.nodes, [slots[n].initial for n in variant.reads]))
    for kind, told in (
        (Input, found.inputs),
        (Fixed, found.constants),
        (Learnable, found.parameters),
    ):
        reached = {graph.nodes[i].op.name for i in whole if isinstance(graph.nodes[i].op, kind)}
        assert set(told) == reached, kind


@pytest.mark.parametrize("first", [True, False])
def test_what_is_unused_wherever_it_is_declared(first: bool) -> None:
    states = ["state i : scalar = 0\n", "state x : vector[n] = y\n"]
    text = "".join(states if first else states[::-1])
    graph = built(f"{HEAD}{text}phase (3):\n    i <- i + 1\n    x <- s * (W @ x)\noutput x\n")
    assert unused(graph) == ("b", "V", "t", "u", "i")
