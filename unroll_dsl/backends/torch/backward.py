"""How the derivatives of a loss are computed: what a training step keeps, and how far it goes back.

    unroll      through all phases (UNROLL)
    truncated   through the last phases alone (TRUNCATED)
    implicit    of the fixed point that the phases come near to, from the last one alone (IMPLICIT)

All give the same network: values, parameters and their names do not differ.
"""

from __future__ import annotations

from dataclasses import dataclass

from unroll_dsl.backends.errors import GradientRefused, PhasesInvalid
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.ir.batches import batched
from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import PhaseNumber, PhaseSum
from unroll_dsl.ir.stages import reachable


@dataclass(frozen=True, slots=True)
class Backward:
    """`checkpoint`: states between phases are kept alone. `implicit`: see above. `through`: the number
    of last phases that have derivatives; None: all."""

    checkpoint: bool = False
    implicit: bool = False
    through: int | None = None


UNROLL = Backward()


def backward(graph: Graph, checkpoint: str | None, gradient: str | int) -> Backward:
    """What the arguments of `compile` ask for.

    Raises
    ------
    ValueError
        For words that it does not have.
    UnrollError
        Where a program has no such gradient, with the reason.
    """
    if checkpoint not in (None, "phase"):
        raise ValueError(f'checkpoint is "phase" or None, found {checkpoint!r}')
    kept = checkpoint == "phase"
    if gradient == "unroll":
        return Backward(kept)
    if gradient == "implicit":
        if kept:
            raise ValueError('gradient="implicit" keeps one phase: leave out checkpoint')
        _refuse(graph, gradient, (_no_phases(graph), _own(graph), _counts(graph), _sums(graph)))
        return Backward(implicit=True)
    if isinstance(gradient, int) and not isinstance(gradient, bool):
        if gradient < 1:
            raise UnrollError([PhasesInvalid(str(gradient))])
        _refuse(graph, "truncated", (_no_phases(graph), _own(graph)))
        return Backward(kept, through=gradient)
    raise ValueError(
        f'gradient is "unroll", "implicit" or the number of last phases, found {gradient!r}'
    )


def _refuse(graph: Graph, gradient: str, found: tuple[str | None, ...]) -> None:
    problems = [GradientRefused(graph.name, gradient, why) for why in found if why is not None]
    if problems:
        raise UnrollError(problems[:1])


def _no_phases(graph: Graph) -> str | None:
    return None if graph.states else "it has no phases"


def _own(graph: Graph) -> str | None:
    own = [p.name for p in graph.parameters if p.per_phase]
    return f"each phase has a `{own[0]}` of its own" if own else None


def _counts(graph: Graph) -> str | None:
    """Why the phases are no iteration of one map, if so."""
    roots = [slot.update for slot in graph.states]
    inside = [graph.nodes[index].op for index in reachable(graph.nodes, roots)]
    if any(isinstance(op, PhaseNumber) for op in inside):
        return "what its phases compute depends on `k`"
    varying = batched(graph)
    alike = [slot.name for slot in graph.states if not varying[slot.update]]
    return (
        f"its state `{alike[0]}` depends on no input, as one that counts phases" if alike else None
    )


def _sums(graph: Graph) -> str | None:
    if graph.loss is None:
        return None
    inside = reachable(graph.nodes, [graph.loss])
    if any(isinstance(graph.nodes[index].op, PhaseSum) for index in inside):
        return "its loss sums over phases"
    return None
