"""Values inside a program that no input and no state changes: what is known of each phase beforehand.

They are what a reader of a trained network looks at first: its steps, thresholds and momenta, whether
declared or computed of what is declared (`let mu = softplus(w * (k - 1) + c)`), its filters, its
shrinkage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll_dsl.backends.numpy import Reference
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.graph import Graph, Random
from unroll_dsl.ir.stages import reachable
from unroll_dsl.spec import Spec

Values = NDArray[Any]

_MOVING = (
    ops.Input,
    ops.State,
    ops.Final,
    ops.Target,
    ops.Traced,
    ops.Variable,
    ops.Argument,
    ops.PhaseSum,
)


@dataclass(frozen=True, slots=True)
class Learned:
    """A trained network and its classical start, both as references that can be asked for any value.

    Attributes
    ----------
    values
        The learnables by name, as `Spec.values` gives them.
    """

    spec: Spec
    phases: int
    values: Mapping[str, Any]
    trained: Reference
    classical: Reference

    def by_phase(self, node: int, *, classical: bool = False) -> Values:
        """The value of a node of the graph in each phase, shape [phases, ...]."""
        reference = self.classical if classical else self.trained
        return np.stack([reference.before_inputs((node,), k)[0] for k in range(1, self.phases + 1)])

    @property
    def graph(self) -> Graph:
        return self.trained.graph


def learned(
    spec: Spec,
    phases: int | None,
    values: Mapping[str, Any],
    *,
    bind: Mapping[str, Any],
    dims: Mapping[str, int],
    start: Mapping[str, Any],
) -> Learned:
    """Put the values of a trained network, and the classical ones, where they can be asked for.

    `start` are values that learnables started from in place of those of the program.
    """
    trained = spec.reference(phases, bind=bind, init=values, dims=dims)
    classical = spec.reference(phases, bind=bind, init=start, dims=dims)
    return Learned(spec, trained.phases, values, trained, classical)


def quiet(graph: Graph) -> frozenset[int]:
    """The nodes that depend on no input and no state."""
    moving = _dependent(graph, lambda op: isinstance(op, _MOVING))
    return frozenset(range(len(graph.nodes))) - moving


def taught(graph: Graph) -> frozenset[int]:
    """The nodes that training changes: those that depend on a learnable."""
    names = {p.name for p in graph.parameters if p.trainable}
    return _dependent(graph, lambda op: isinstance(op, ops.Learnable) and op.name in names)


def _dependent(graph: Graph, is_source: Callable[[ops.Op], bool]) -> frozenset[int]:
    """The sources, and all nodes that are computed from one."""
    found: set[int] = set()
    for index, node in enumerate(graph.nodes):
        if is_source(node.op) or found.intersection(node.args):
            found.add(index)
    return frozenset(found)


def begins_at_random(graph: Graph, nodes: Iterable[int]) -> bool:
    """Whether any of the nodes depends on a learnable without a classical value."""
    drawn = {p.name for p in graph.parameters if isinstance(p.initial, Random)}
    read = (graph.nodes[index].op for index in reachable(graph.nodes, nodes))
    return any(isinstance(op, ops.Learnable) and op.name in drawn for op in read)


def is_classical(graph: Graph) -> bool:
    """Whether every learnable has a classical value, so that the untrained network is an algorithm."""
    return not any(isinstance(p.initial, Random) and p.trainable for p in graph.parameters)
