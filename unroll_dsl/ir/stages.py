"""The stage of every node, and what a node is reached from: both by dependence alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import (
    AddMap,
    AdjointMap,
    Apply,
    ApplyLayer,
    Argument,
    BlockLayer,
    Builtin,
    ComposeMap,
    Constant,
    Contract,
    ConvolveFew,
    ConvolvePair,
    DiagonalMap,
    Elementwise,
    Expand,
    Eye,
    Final,
    Fixed,
    IdentityMap,
    Input,
    Invoke,
    LayerSteps,
    Learnable,
    Node,
    Op,
    Operator,
    PairKernel,
    PhaseNumber,
    PhaseSum,
    ScaleMap,
    Size,
    Solve,
    SplitLayer,
    Stage,
    State,
    Target,
    Traced,
    Transpose,
    Variable,
)


def stages(graph: Graph) -> tuple[Stage, ...]:
    """The stage of each node of `graph.nodes`: the latest stage of anything that it depends on.

    =======  =======================================================================
    SETUP    `Fixed`, `Size`, `Constant`, operators of the library, the identity
    CALL     `Input`, learnables shared over phases
    PHASE    `State`, `PhaseNumber`, learnables per phase, `Traced`
    OUTPUT   `Final`, `Target`, `Variable`, a `PhaseSum` and what reads it
    =======  =======================================================================

    An *initial value* (`Parameter.initial`, `Constant.default`, limits) is evaluated once, when the
    network is made, whatever its stage says: a `Learnable` in it stands for that learnable's own
    initial value, and `k` for the number of the phase whose parameter is made. Only
    `Slot.initial`, the value at which a state starts, is evaluated when its stage says.
    """
    per_phase = graph.per_phase
    found: list[Stage] = []
    for node in graph.nodes:
        stage = own_stage(node.op, per_phase)
        for argument in node.args:
            stage = max(stage, found[argument])
        found.append(stage)
    return tuple(found)


def own_stage(op: Op, per_phase: frozenset[str]) -> Stage:
    """The stage that an operation asks for by itself; `per_phase` names such learnables."""
    match op:
        case Learnable(name):
            return Stage.PHASE if name in per_phase else Stage.CALL
        case Input():
            return Stage.CALL
        case State() | PhaseNumber() | Traced():
            return Stage.PHASE
        case Final() | Target() | Variable() | PhaseSum():
            return Stage.OUTPUT
        case Constant() | Size() | Fixed() | Argument() | BlockLayer():
            return Stage.SETUP
        case (
            Elementwise()
            | Builtin()
            | Invoke()
            | Expand()
            | Eye()
            | Transpose()
            | Contract()
            | Apply()
            | Solve()
            | ApplyLayer()
            | ConvolvePair()
            | PairKernel()
            | ConvolveFew()
            | LayerSteps()
        ):
            return Stage.SETUP
        case (
            Operator()
            | IdentityMap()
            | DiagonalMap()
            | AdjointMap()
            | ComposeMap()
            | AddMap()
            | ScaleMap()
            | SplitLayer()
        ):
            return Stage.SETUP
        case _:
            assert_never(op)


def reachable(nodes: Sequence[Node], roots: Iterable[int]) -> frozenset[int]:
    """The ids of `roots` and of everything that they are computed from."""
    seen: set[int] = set()
    waiting = list(roots)
    while waiting:
        index = waiting.pop()
        if index not in seen:
            seen.add(index)
            waiting.extend(nodes[index].args)
    return frozenset(seen)


def roots(graph: Graph) -> tuple[int, ...]:
    """The ids that the declarations, outputs, loss and objective of a graph refer to, in order."""
    found: list[int | None] = []
    for constant in graph.constants:
        if constant.limits is not None:
            found += [constant.limits.lower, constant.limits.upper]
        found.append(constant.default)
    for parameter in graph.parameters:
        if parameter.limits is not None:
            found += [parameter.limits.lower, parameter.limits.upper]
        found.append(parameter.initial if isinstance(parameter.initial, int) else None)
    for slot in graph.states:
        found += [slot.initial, slot.update, slot.first]
    found += [trace.node for trace in graph.traces]
    found += graph.outputs
    found += [graph.loss, graph.objective]
    return tuple(index for index in found if index is not None)
