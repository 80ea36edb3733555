"""`start`: what is known once a call, and the states before the first phase."""

from __future__ import annotations

import ast

from unroll_dsl.backends.torch.blocks import Block
from unroll_dsl.backends.torch.bodies import annotation, joined
from unroll_dsl.backends.torch.expressions import as_float
from unroll_dsl.backends.torch.layout import Layout, place
from unroll_dsl.backends.torch.names import identifier
from unroll_dsl.backends.torch.surveying import start_is_read, start_source, states_read
from unroll_dsl.backends.torch.templates import call, name, trailing
from unroll_dsl.backends.torch.tree import SELF, Assign, Body, Function, Parameter, Return
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.graph import Parameter as Learnable
from unroll_dsl.ir.graph import Slot
from unroll_dsl.ir.nodes import Stage


class Start:
    """Writes `start`. `targets` are the names of what it gives."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.nodes = layout.nodes
        self.inputs = tuple(identifier(entry.name) for entry in layout.graph.inputs)
        self.states = states_read(layout) if layout.works else []
        values = [word for _, word in sorted(layout.call_values.items())] if layout.works else []
        self.targets = (*values, *(identifier(slot.name) for slot in self.states))

    def call(self) -> Body:
        """The statement that calls it."""
        if not self.targets:
            return ()
        return (Assign(self.targets, call("self.start", *map(name, self.inputs))),)

    def method(self, body: Body, refused: Body) -> Function:
        """The method, from what `body` gave and what refuses inputs before."""
        kinds = {identifier(word): "float" for word in self.layout.facts.counters}
        words = "The states at the start."
        values = len(self.layout.call_values)
        if values:
            more = ", and the states at the start" if len(self.targets) > values else ""
            words = f"What all phases share{more}."
        parameters = (SELF, *(Parameter(word, "Tensor") for word in self.inputs))
        returned = Return(tuple(map(name, self.targets)))
        whole = joined((*refused, *body, returned))
        return Function("start", parameters, annotation(self.targets, kinds), words, whole)

    def body(self) -> Body:
        """What it computes, but for what it refuses and returns."""
        layout = self.layout
        roots = [start_source(layout, slot) for slot in self.states if start_is_read(layout, slot)]
        values = [i for i in sorted(layout.call_values) if self.nodes[i].args]
        given = layout.given([*values, *roots], Stage.CALL, self._place)
        held = [i for i in layout.call_values if isinstance(self.nodes[i].op, ops.Learnable)]
        taken = {*self.inputs, *layout.call_values.values()}
        taken |= {identifier(slot.name) for slot in layout.graph.states}
        block = layout.block(given, layout.local(taken), layout.size, layout.like)
        for index in sorted(held):
            block.body.append(held_statement(layout, layout.parameter(index)))
            block.given[index] = name(identifier(layout.parameter(index).name))
        block.run(values, None, {index: layout.call_values[index] for index in values})
        for slot in self.states:
            expr = self._initial(block, slot)
            block.body.append(Assign((identifier(slot.name),), expr, place(slot.origin)))
        return tuple(block.body)

    def _place(self, index: int) -> ast.expr | None:
        match self.nodes[index].op:
            case ops.Input(word):
                return name(identifier(word))
            case ops.Learnable(word):
                bare = self.layout.parameters[word].limits is None
                return name(f"self.{identifier(word)}" if bare else identifier(word))
            case _:
                return name(f"self.{self.layout.buffer(index)}")

    def _initial(self, block: Block, slot: Slot) -> ast.expr:
        """The start of a state, with the batch of the inputs if the state carries one."""
        layout, facts, write = self.layout, self.layout.facts, block.write
        if not start_is_read(layout, slot):
            return layout.like().make("full", ast.Tuple([], ast.Load()), ast.Constant(0))
        index = slot.initial
        node = self.nodes[index]
        batched = any(
            facts.batched[i] for i, n in enumerate(self.nodes) if n.op == ops.State(slot.name)
        )
        if not batched or facts.batched[index]:
            (found,) = block.run([index])
            if slot.name in facts.counters:
                return as_float(found)
            return write.filled(index, [], slot.type.field) if facts.numbers[index] else found
        batch = batch_of(layout)
        sizes = [layout.size(dim) for dim in slot.type.shape]
        shape: list[ast.expr] = [ast.Starred(batch), *sizes]
        source = start_source(layout, slot)
        if facts.numbers[source]:
            alike = self._alike(source, slot)
            if alike is not None:
                return alike
            expr = write.filled(source, shape, slot.type.field)
            return expr if sizes else _plain_batch(expr, batch)
        (value,) = block.run([source])
        value = write.in_field(value, write.type(source).field, slot.type.field)
        if isinstance(node.op, ops.Expand):
            value = trailing(value, slot.type.rank)
        return ast.Call(ast.Attribute(value, "expand"), shape if sizes else [batch], [])

    def _alike(self, source: int, slot: Slot) -> ast.expr | None:
        """`torch.zeros_like(y)` for a state that begins at 0 and is of the shape of an input."""
        op = self.nodes[source].op
        if not isinstance(op, ops.Constant) or op.value not in (0, 1):
            return None
        maker = "torch.ones_like" if op.value else "torch.zeros_like"
        for entry in self.layout.graph.inputs:
            if entry.type.shape == slot.type.shape and entry.type.field is slot.type.field:
                return call(maker, name(identifier(entry.name)))
        return None


def held_statement(layout: Layout, parameter: Learnable) -> Assign:
    """`theta = nonnegative(self.theta)`, in a method of the network."""
    word = identifier(parameter.name)
    value = layout.held(parameter, name(f"self.{word}"), lambda limit: bound(layout, limit))
    return Assign((word,), value, place(parameter.origin))


def bound(layout: Layout, limit: int) -> ast.expr:
    """A limit of a learnable, in a method of the network."""
    return layout.literal(limit) or name(f"self.{layout.buffer(limit)}")


def batch_of(layout: Layout) -> ast.expr:
    """The batch axes of the first input."""
    entry = layout.graph.inputs[0]
    word = identifier(entry.name)
    rank = entry.type.rank
    return name(f"{word}.shape[:-{rank}]" if rank else f"{word}.shape")


def _plain_batch(expr: ast.expr, batch: ast.expr) -> ast.expr:
    """`x.new_ones((*x.shape[:-1],))` is `x.new_ones(x.shape[:-1])`."""
    for node in ast.walk(expr):
        if isinstance(node, ast.Call):
            for position, argument in enumerate(node.args):
                if isinstance(argument, ast.Tuple):
                    node.args[position] = batch
    return expr
