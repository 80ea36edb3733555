"""What is known of a graph before its values have names: stages, phases, what comes from where."""

from __future__ import annotations

import ast
from dataclasses import replace

from unroll_dsl.backends.torch.blocks import plan
from unroll_dsl.backends.torch.facts import facts
from unroll_dsl.backends.torch.phases import PhaseKind, PhaseWork, kinds, works
from unroll_dsl.backends.torch.templates import number
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.graph import Graph, Parameter
from unroll_dsl.ir.nodes import Stage
from unroll_dsl.ir.stages import reachable, roots, stages
from unroll_dsl.passes.analysis.liveness import liveness
from unroll_dsl.types import Array


class Ground:
    """A graph, and what follows from it.

    Attributes
    ----------
    kinds, works
        The kinds of phases; what each makes, and what the first phase does where that is less.
    inference, training
        What has to exist for the outputs, and for the loss.
    """

    def __init__(self, graph: Graph, *, alike: bool = False) -> None:
        """`alike`: the last phases compute what the others do, though no output needs it."""
        self.graph = graph
        self.nodes = graph.nodes
        self.facts = facts(graph)
        self.stages = _stages(graph)
        self.parameters = {p.name: p for p in graph.parameters}
        self.constants = {c.name: c for c in graph.constants}
        self.inference = liveness(graph)
        with_loss = graph.loss is not None
        self.training = liveness(graph, training=True) if with_loss else self.inference
        self.kinds: tuple[PhaseKind, ...] = (
            kinds(graph, self.inference, self.training) if graph.states else ()
        )
        if alike:
            self.kinds = self.kinds[:1]
        self.has_phase_class = any(kind.parameters for kind in self.kinds)
        self.works: tuple[PhaseWork, ...] = works(
            graph,
            self.kinds,
            lambda wanted: (
                plan(graph.nodes, wanted, lambda i: self.is_outer(i, Stage.PHASE)).inside
            ),
            has_classes=self.has_phase_class,
        )

    def is_view(self, index: int) -> bool:
        """What is no value of its own, but written out over its arguments wherever it is read."""
        node = self.nodes[index]
        declared = isinstance(node.op, ops.Fixed | ops.Learnable | ops.State)
        return (
            (self.facts.numbers[index] and not declared)
            or (not isinstance(node.type, Array) and not self.is_module(index))
            or (isinstance(node.op, ops.Transpose) and node.label is None)
        )

    def is_module(self, index: int) -> bool:
        """A layer or a map from outside: an attribute that is called."""
        node = self.nodes[index]
        return isinstance(node.op, ops.Fixed | ops.Learnable) and not isinstance(node.type, Array)

    def is_outer(self, index: int, here: Stage) -> bool:
        """Whether a node comes from an earlier stage than `here`, or is a leaf."""
        if self.is_view(index):
            return False
        return self.stages[index] < here or not self.nodes[index].args

    def parameter(self, index: int) -> Parameter:
        op = self.nodes[index].op
        assert isinstance(op, ops.Learnable)
        return self.parameters[op.name]

    def literal(self, index: int) -> ast.expr | None:
        """A bound that is a literal number."""
        op = self.nodes[index].op
        if isinstance(op, ops.Constant):
            return number(op.value)
        if isinstance(op, ops.Elementwise) and op.function == "neg":
            inner = self.nodes[self.nodes[index].args[0]].op
            if isinstance(inner, ops.Constant):
                return number(-inner.value)
        return None

    def held_array(self) -> int | None:
        """The first array among the constants."""
        for constant in self.graph.constants:
            if isinstance(constant.type, Array):
                return next(i for i, n in enumerate(self.nodes) if n.op == ops.Fixed(constant.name))
        return None


def _stages(graph: Graph) -> tuple[Stage, ...]:
    """Stages as dependence tells; but what the first phase alone reads is computed there."""
    firsts = reachable(graph.nodes, [s.first for s in graph.states if s.first is not None])
    others = tuple(replace(slot, first=None) for slot in graph.states)
    alone = firsts - reachable(graph.nodes, roots(replace(graph, states=others)))
    return tuple(
        Stage.PHASE if index in alone and stage is Stage.CALL else stage
        for index, stage in enumerate(stages(graph))
    )
