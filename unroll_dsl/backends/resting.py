"""Networks at rest: the phase is run until it leaves its states where they are (deep equilibrium).

S. Bai, J. Z. Kolter, V. Koltun: Deep equilibrium models. NeurIPS 2019.

What both backends share: how near to rest is near enough, after how many phases to give up, and which
programs have a fixed point that can be asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from unroll_dsl.backends.errors import NoFixedPoint, PhasesInvalid
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.ir.batches import batched
from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import PhaseNumber, PhaseSum
from unroll_dsl.ir.stages import reachable

Phases = int | Literal["fixed_point"]  # a number of them, or as many as it takes to rest

FIXED_POINT: Literal["fixed_point"] = "fixed_point"
TOLERANCE = 1e-6
MOST = 1000
DEPTH = 8  # phases that acceleration looks back


@dataclass(frozen=True, slots=True)
class Rest:
    """`tolerance`: a phase at rest moves no state by more, relative to its size. `phases`: at most so
    many are run."""

    tolerance: float = TOLERANCE
    phases: int = MOST


def resting(
    graph: Graph, phases: int | str | None, tol: float | None, max_phases: int | None
) -> Rest | None:
    """What `phases`, `tol` and `max_phases` of `compile` ask for; None: a number of phases.

    Raises
    ------
    ValueError
        For limits of a run that has none.
    UnrollError
        U0545 where the phases are no iteration of one map, U0513 for a number or a word that is none.
    """
    if not isinstance(phases, str):
        if tol is not None or max_phases is not None:
            raise ValueError('`tol` and `max_phases` are of phases="fixed_point"')
        return None
    if phases != FIXED_POINT:
        raise UnrollError([PhasesInvalid(repr(phases))])
    rest = Rest(
        TOLERANCE if tol is None else float(tol), MOST if max_phases is None else max_phases
    )
    if not 0 < rest.tolerance < math.inf:
        raise ValueError(f"`tol` is a number above 0, found {tol!r}")
    if isinstance(rest.phases, bool) or not isinstance(rest.phases, int) or rest.phases < 1:
        raise UnrollError([PhasesInvalid(repr(max_phases))])
    for why in (no_phases(graph), own(graph), counts(graph), sums(graph)):
        if why is not None:
            raise UnrollError([NoFixedPoint(graph.name, why)])
    return rest


# ---- why the phases of a program are no iteration of one map ---------------------------------------


def no_phases(graph: Graph) -> str | None:
    return None if graph.states else "it has no phases"


def own(graph: Graph) -> str | None:
    found = [p.name for p in graph.parameters if p.per_phase]
    return f"each phase has a `{found[0]}` of its own" if found else None


def counts(graph: Graph) -> str | None:
    roots = [slot.update for slot in graph.states]
    inside = [graph.nodes[index].op for index in reachable(graph.nodes, roots)]
    if any(isinstance(op, PhaseNumber) for op in inside):
        return "what its phases compute depends on `k`"
    varying = batched(graph)
    alike = [slot.name for slot in graph.states if not varying[slot.update]]
    return (
        f"its state `{alike[0]}` depends on no input, as one that counts phases" if alike else None
    )


def sums(graph: Graph) -> str | None:
    if graph.loss is None:
        return None
    inside = reachable(graph.nodes, [graph.loss])
    if any(isinstance(graph.nodes[index].op, PhaseSum) for index in inside):
        return "its loss sums over phases"
    return None
