"""`start`, the phases, `forward`, `trajectory` and `loss` of a network."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from unroll_dsl.backends.torch.backward import UNROLL, Backward
from unroll_dsl.backends.torch.blocks import plan
from unroll_dsl.backends.torch.bodies import PhaseBody, joined, phase_body
from unroll_dsl.backends.torch.inputs import checks
from unroll_dsl.backends.torch.layout import Layout
from unroll_dsl.backends.torch.loops import Loop, Loops
from unroll_dsl.backends.torch.names import identifier
from unroll_dsl.backends.torch.phases import method_name
from unroll_dsl.backends.torch.starting import Start, batch_of, bound, held_statement
from unroll_dsl.backends.torch.surveying import phase_sums
from unroll_dsl.backends.torch.templates import call, fill, name, text
from unroll_dsl.backends.torch.tree import (
    SELF,
    Assign,
    Body,
    Do,
    Function,
    Parameter,
    Return,
    Statement,
)
from unroll_dsl.backends.torch.tree.reading import attributes
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.nodes import Stage
from unroll_dsl.types import Array


class Methods:
    """Writes the methods of a network but for its constructor."""

    def __init__(self, layout: Layout, backward: Backward = UNROLL) -> None:
        self.layout = layout
        self.graph = layout.graph
        self.nodes = layout.nodes
        self.start = Start(layout)
        self.inputs = self.start.inputs
        self.bodies = [phase_body(layout, work) for work in layout.works]
        self.loops = Loops(layout, self.bodies, self.inputs, backward)

    def phases(self) -> list[tuple[PhaseBody, Function]]:
        """The methods of phases that have something to do, each with its body."""
        found = []
        for body in self.bodies:
            kind = body.work.kind.name
            if self.layout.has_phase_class:
                word = "begin" if body.work.first else "forward"
            else:
                word = "first_phase" if body.work.first else method_name(kind)
            if body.work.traced_states or body.work.traces:
                found.append((body, body.method(word)))
        return found

    def methods(self) -> tuple[Function, ...]:
        """All of them, in the order of their calls."""
        before = self.start.body() if self.start.targets else ()
        phases = [] if self.layout.has_phase_class else [method for _, method in self.phases()]
        forward, trajectory, loss = self._forward(), self._trajectory(), self._loss()
        bodies = [before, forward, trajectory or (), loss or (), *(m.body for m in phases)]
        sizes = {word for body in bodies for word in attributes(body)}
        refused = checks(self.layout, self.graph.inputs, (), sizes)
        found = [self.start.method(before, refused)] if self.start.targets else []
        if not self.start.targets:
            forward = (*refused, *forward)
        inputs = [Parameter(word, "Tensor") for word in self.inputs]
        count = len(self.graph.outputs)
        returns = "Tensor" if count == 1 else f"tuple[{', '.join(['Tensor'] * count)}]"
        found += [*phases, Function("forward", (SELF, *inputs), returns, "", joined(forward))]
        if trajectory is not None:
            words = "The states after each phase."
            returns = "list[dict[str, Tensor]]"
            found.append(Function("trajectory", (SELF, *inputs), returns, words, trajectory))
        if loss is not None:
            refused = checks(self.layout, self.graph.targets, self.graph.inputs, sizes)
            targets = [Parameter(identifier(t.name), "Tensor") for t in self.graph.targets]
            words = "The training loss, averaged over the batch."
            body = (*refused, *loss)
            found.append(Function("loss", (SELF, *inputs, *targets), "Tensor", words, body))
        return tuple(found)

    # ---- outputs --------------------------------------------------------------------------------

    def _forward(self) -> Body:
        body: Body = self.start.call() if self.bodies else ()
        if self.bodies:
            body += self.loops.with_gradient(Loop())
        before, values = self._after_phases(self.graph.outputs, {})
        pairs = zip(self.graph.outputs, values, strict=True)
        returned = Return(tuple(self._for_each_sample(index, value) for index, value in pairs))
        return (*body, *before, returned)

    def _for_each_sample(self, index: int, value: ast.expr) -> ast.expr:
        """An output; one that depends on no input has the batch axes of the inputs all the same."""
        facts = self.layout.facts
        type_ = self.nodes[index].type
        if facts.batched[index] or not self.graph.inputs or not isinstance(type_, Array):
            return value
        batch = batch_of(self.layout)
        shape: list[ast.expr] = [ast.Starred(batch), *map(self.layout.size, type_.shape)]
        if facts.numbers[index]:
            like = self.layout.like()
            return like.make("full", ast.Tuple(shape, ast.Load()), value)
        if not type_.rank:
            shape = [batch]
        return ast.Call(ast.Attribute(value, "expand"), shape, [])

    def _after_phases(
        self, roots: Sequence[int], more: dict[int, ast.expr]
    ) -> tuple[Body, list[ast.expr]]:
        """Statements for values after the phases, and their expressions; those of `more` are at hand."""
        layout = self.layout
        if not self.bodies:  # nothing is shared over phases: all is computed here
            return self._at_once(roots, more)
        given = layout.given(roots, Stage.OUTPUT, layout.outer_in_network, more)
        given |= more
        taken = {*self.inputs, *(identifier(slot.name) for slot in self.graph.states)}
        taken |= {*layout.call_values.values(), *(identifier(t.name) for t in self.graph.targets)}
        taken |= {text(expr) for expr in more.values()}
        block = layout.block(given, layout.local(taken), layout.size, layout.like)
        values = block.run(list(roots))
        return tuple(block.body), values

    def _at_once(
        self, roots: Sequence[int], more: dict[int, ast.expr]
    ) -> tuple[Body, list[ast.expr]]:
        """`_after_phases` for a network without phases."""
        layout = self.layout
        held: list[int] = []

        def find(index: int) -> ast.expr:
            op = self.nodes[index].op
            if isinstance(op, ops.Learnable) and layout.parameters[op.name].limits is not None:
                held.append(index)
                return name(identifier(op.name))
            return layout.outer_in_network(index)

        given = {**layout.given(roots, Stage.CALL, find, more), **more}
        taken = {*self.inputs, *(identifier(t.name) for t in self.graph.targets)}
        taken |= {text(expr) for expr in more.values()}
        taken |= {identifier(layout.parameter(index).name) for index in held}
        block = layout.block(given, layout.local(taken), layout.size, layout.like)
        block.body += [held_statement(layout, layout.parameter(index)) for index in held]
        values = block.run(list(roots))
        return tuple(block.body), values

    # ---- trajectory -----------------------------------------------------------------------------

    def _trajectory(self) -> Body | None:
        if not self.bodies:
            return None

        def after(body: PhaseBody, phase: str, k: str) -> Body:
            words = body.work.states
            entries = ast.Dict([ast.Constant(w) for w in words], [self._tensor(w) for w in words])
            return (Do(call("states.append", entries)),)

        # phases with parameters of their own may lack some of them at the end
        loop = Loop(after, alike=not self.layout.has_phase_class)
        empty = Assign(("states",), ast.List([], ast.Load()))
        return (*self.start.call(), empty, *self.loops.run(loop), Return((name("states"),)))

    def _tensor(self, word: str) -> ast.expr:
        """A state as a tensor, also where it is a number."""
        if word not in self.layout.facts.counters:
            return name(identifier(word))
        return self.layout.like().make("as_tensor", name(identifier(word)))

    # ---- loss -----------------------------------------------------------------------------------

    def _loss(self) -> Body | None:
        """From the outputs alone where they are all that it reads; else it runs the phases itself."""
        loss = self.graph.loss
        if loss is None:
            return None
        sums = phase_sums(self.graph, loss) if self.bodies else []
        found = plan(self.nodes, [loss], lambda i: i in self.graph.outputs)
        others = [self.nodes[i].op for i in found.inside]
        if sums or any(isinstance(op, ops.Final) for op in others) or self._reads_call_values(loss):
            return self._loss_of_phases(loss, sums)
        return self._loss_of_outputs(loss, bool(found.given))

    def _loss_of_outputs(self, loss: int, is_read: bool) -> Body:
        words = self._output_names()
        before: Body = ()
        if is_read:
            call_ = ast.Call(name("self"), [name(word) for word in self.inputs], [])
            before = (Assign(tuple(words), call_),)
        more = {i: name(w) for i, w in zip(self.graph.outputs, words, strict=True)}
        inside, (value,) = self._after_phases([loss], more)
        return (*before, *inside, Return((fill("v.mean()", v=value),)))

    def _output_names(self) -> list[str]:
        """The names of outputs where a loss reads them."""
        targets = {identifier(t.name) for t in self.graph.targets}
        scope = self.layout.local({*self.inputs, *targets, *self.layout.call_values.values()})
        found = []
        for index in self.graph.outputs:
            node = self.nodes[index]
            label = node.op.name if isinstance(node.op, ops.Final) else node.label
            found.append(scope.fresh(label or "output"))
        return found

    def _loss_of_phases(self, loss: int, sums: Sequence[int]) -> Body:
        totals = ["total"] if len(sums) == 1 else [f"total_{n}" for n in range(1, len(sums) + 1)]
        found: list[Statement] = [*self.start.call()]
        found += [Assign((word,), ast.Constant(0)) for word in totals]
        added = dict(zip(sums, totals, strict=True))

        def after(body: PhaseBody, phase: str, k: str) -> Body:
            each = (self._add_to_sum(index, word, phase, k) for index, word in added.items())
            return tuple(statement for part in each for statement in part)

        inside = plan(self.nodes, sums, lambda i: False).inside
        counted = any(isinstance(self.nodes[i].op, ops.PhaseNumber) for i in inside)
        found += self.loops.with_gradient(Loop(after, traced=True, counted=counted))
        before, (value,) = self._after_phases([loss], {i: name(w) for i, w in added.items()})
        return (*found, *before, Return((fill("v.mean()", v=value),)))

    def _reads_call_values(self, loss: int) -> bool:
        """Whether a loss reads, besides the outputs, what only `start` gives."""
        if not self.bodies:
            return False
        layout, outputs = self.layout, self.graph.outputs
        found = plan(self.nodes, [loss], lambda i: i in outputs or layout.is_outer(i, Stage.OUTPUT))
        return any(i in layout.call_values for i in found.given if i not in outputs)

    def _add_to_sum(self, index: int, total: str, phase: str, k: str) -> Body:
        """The statements that add a phase's term to a sum over phases."""
        layout = self.layout

        def find(i: int) -> ast.expr:
            op = self.nodes[i].op
            if isinstance(op, ops.Learnable) and layout.parameters[op.name].per_phase:
                parameter = layout.parameters[op.name]
                value = name(f"{phase}.{identifier(parameter.name)}")
                if parameter.limits is None:
                    return value
                return layout.held(parameter, value, lambda limit: bound(layout, limit))
            return layout.outer_in_network(i)

        argument = self.nodes[index].args[0]
        given = layout.given([argument], Stage.PHASE, find)
        for i, node in enumerate(self.nodes):
            if isinstance(node.op, ops.PhaseNumber):
                given[i] = name(k)
        taken = {*self.inputs, *(identifier(t.name) for t in self.graph.traces)}
        taken |= {*layout.call_values.values(), *(identifier(s.name) for s in self.graph.states)}
        block = layout.block(given, layout.local(taken), layout.size, layout.like)
        (value,) = block.run([argument])
        added = fill("total + term", total=name(total), term=value)
        return (*(_bare(each) for each in block.body), Assign((total,), added))


def _bare(statement: Statement) -> Statement:
    """A statement of a loop over phases, where comments would stand for those of the phases."""
    return (
        Assign(statement.targets, statement.value) if isinstance(statement, Assign) else statement
    )
