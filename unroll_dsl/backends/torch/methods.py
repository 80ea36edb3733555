"""`start`, `forward`, `trajectory` and `loss` of a network."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from unroll_dsl.backends.resting import Rest
from unroll_dsl.backends.torch.backward import UNROLL, Backward
from unroll_dsl.backends.torch.blocks import Line, plan
from unroll_dsl.backends.torch.bodies import phase_body
from unroll_dsl.backends.torch.equilibrium import resting_lines
from unroll_dsl.backends.torch.expressions import as_float
from unroll_dsl.backends.torch.inputs import checks
from unroll_dsl.backends.torch.kernels import FIXED_POINT
from unroll_dsl.backends.torch.layout import Layout, place
from unroll_dsl.backends.torch.names import identifier
from unroll_dsl.backends.torch.phases import Body
from unroll_dsl.backends.torch.templates import call, fill, name, text, trailing
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.graph import Slot
from unroll_dsl.ir.nodes import Stage
from unroll_dsl.types import Array

Lines = list[Line]
After = Callable[[Body, str, str], Sequence[str]]


def _nothing(body: Body, phase: str, k: str) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Loop:
    """How the phases are run. `after` gives the lines to follow each call, from its body, the
    expression of its phase and that of its number; `counted`: it reads the number. `alike`: the last
    phases compute what the others do, though no output needs it. `early`: the phases up to that number
    have no derivatives. `short`: without the last one."""

    after: After = _nothing
    traced: bool = False
    counted: bool = False
    alike: bool = False
    early: bool = False
    short: bool = False


class Methods:
    """Writes the methods. The phases come first: what they read decides what `start` computes."""

    def __init__(self, layout: Layout, backward: Backward = UNROLL) -> None:
        self.layout = layout
        self.backward = backward
        self.graph = layout.graph
        self.nodes = layout.nodes
        self.inputs = [identifier(entry.name) for entry in self.graph.inputs]
        self.bodies: list[Body] = []
        self.traced: list[Body] = []
        for kind in layout.kinds:
            body = phase_body(layout, kind, traced=False)
            self.bodies.append(body)
            same = kind.same_work or self.graph.loss is None
            self.traced.append(body if same else phase_body(layout, kind, traced=True))
        self.first: Body | None = None  # of the first phase, where that has less to do
        if any(slot.first is not None for slot in self.graph.states):
            self.first = phase_body(layout, layout.kinds[0], first=True)
        self.outputs = self._outputs()
        self.loss = self._loss()
        self.start = self._start()  # last: it computes what the others have asked for

    # ---- the loop over phases -------------------------------------------------------------------

    def states_in(self) -> list[Slot]:
        """The states that some phase reads, so that they need a start."""
        bodies = [*self.bodies, *self.traced] if self.first is None else [self.first]
        read = {word for body in bodies for word in body.states_in}
        return [slot for slot in self.graph.states if slot.name in read]

    def call(self, body: Body, callee: str, k: str) -> str:
        """The call of a phase."""
        arguments = [identifier(word) for word in body.states_in]
        arguments += [self._argument(word) for word in body.arguments]
        arguments += [f"self.{word}" for word in body.sizes]
        if body.needs_k:
            arguments.append(k)
        if self.backward.checkpoint:
            return f"checkpoint({', '.join([callee, *arguments])}, use_reentrant=False)"
        return f"{callee}({', '.join(arguments)})"

    def _argument(self, word: str) -> str:
        """What the network passes for an argument of a phase."""
        attributes = {*self.layout.buffers.values()}
        attributes |= {
            identifier(p.name)
            for p in self.graph.parameters
            if not p.per_phase and p.limits is None
        }
        handed = {*self.layout.call_values.values(), *self.inputs}
        return f"self.{word}" if word in attributes and word not in handed else word

    def run(self, loop: Loop) -> Lines:
        """Lines that run the phases."""
        bodies = self.traced if loop.traced else self.bodies
        steady, tail = bodies[0], [] if loop.alike else bodies[1:]
        if self.first is not None:
            return self._run_after_first(self.first, steady, loop)
        count = len(tail) + loop.short
        with_class = self.layout.has_phase_class
        method = "" if not loop.traced or steady.kind.same_work else ".traced"
        lines: Lines = []
        if with_class:
            phases = f"list(self.phases)[:-{count}]" if count else "self.phases"
            if count == 1:
                phases = "phases"
                lines.append(Line("*phases, last = self.phases"))
            head = f"for phase in {phases}:"
            if steady.needs_k or loop.counted:
                head = f"for k, phase in enumerate({phases}, start=1):"
            callee = f"phase{method}"
        else:
            end = f"self.phases - {count}" if count else "self.phases"
            head = f"for _ in range({end}):"
            if steady.needs_k or loop.counted:
                head = f"for k in range(1, {end} + 1):"
                if count:
                    head = (
                        f"for k in range(1, self.phases{f' - {count - 1}' if count > 1 else ''}):"
                    )
            callee = f"self.{method_name(steady.kind.name)}{'_traced' if method else ''}"
        step = self._step(steady, callee, "phase", "k", loop, "    ")
        lines += [Line(head), *step] if step else []
        total = "len(self.phases)" if with_class else "self.phases"
        for back, body in zip(range(len(tail), 0, -1), tail, strict=True):
            method = "" if not loop.traced or body.kind.same_work else ".traced"
            phase = "last" if count == 1 else f"self.phases[-{back}]"
            if with_class:
                callee = f"{phase}{method}"
            else:
                callee = f"self.{method_name(body.kind.name)}{'_traced' if method else ''}"
            number = total if back == 1 else f"{total} - {back - 1}"
            indent = ""
            if back > 1:
                lines.append(Line(f"if {total} >= {back}:"))
                indent = "    "
            lines += self._step(body, callee, phase, number, loop, indent)
        return lines

    def _run_after_first(self, first: Body, body: Body, loop: Loop) -> Lines:
        """`run` where the first phase has a method of its own, and all others are alike."""
        counted = body.needs_k or loop.counted
        if self.layout.has_phase_class:
            begin = [Line("first, *phases = self.phases")]
            head = (
                "for k, phase in enumerate(phases, start=2):" if counted else "for phase in phases:"
            )
            callees = "first.begin", "phase"
        else:
            begin = []
            head = f"for {'k' if counted else '_'} in range(2, self.phases + 1):"
            callees = "self.first_phase", "self.phase"
        lines = self._step(first, callees[0], "first", "1", loop, "")
        return [
            *begin,
            *lines,
            Line(head),
            *self._step(body, callees[1], "phase", "k", loop, "    "),
        ]

    def _step(self, body: Body, callee: str, phase: str, k: str, loop: Loop, indent: str) -> Lines:
        targets = [identifier(word) for word in (*body.states_out, *body.traces_out)]
        call = self.call(body, callee, k)
        lines = [f"{', '.join(targets)} = {call}"] if targets else []
        lines += loop.after(body, phase, k)
        if loop.early and k != "self.phases":
            enabled = f"torch.is_grad_enabled() and {k} > early"
            head = f"with torch.set_grad_enabled({enabled}):"
            lines = [head, *(f"    {line}" for line in lines)]
        return [Line(f"{indent}{line}") for line in lines]

    def _with_gradient(self, loop: Loop) -> Lines:
        """`run`, with the derivatives that were asked for."""
        if self.backward.rest is not None:
            return self._resting(self.backward.rest)
        if self.backward.implicit:
            return self._implicit()
        if self.backward.through is None:
            return self.run(loop)
        early = f"early = self.phases - {self.backward.through}"
        made = replace(loop, counted=True, early=True)
        return [Line(early, "phases without derivatives"), *self.run(made)]

    def _implicit(self) -> Lines:
        """All phases but the last one without derivatives; that one with those of the fixed point."""
        body = self.bodies[0]
        states = [word for word in body.states_in if word in body.states_out]
        assert len(states) == len(body.states_in)
        before = self.run(Loop(alike=True, short=True))
        self.layout.functions.helpers.setdefault("fixed_point", FIXED_POINT)
        targets = ", ".join(map(identifier, body.states_out))
        given = ", ".join(map(identifier, states))
        arguments = [f"self.{method_name(body.kind.name)}", f"({given}{',' * (len(states) == 1)})"]
        places = [body.states_out.index(word) for word in states]
        arguments.append(f"({', '.join(map(str, places))}{',' * (len(places) == 1)})")
        arguments += [self._argument(word) for word in body.arguments]
        arguments += [f"self.{word}" for word in body.sizes]
        return [
            Line("with torch.no_grad():"),
            *(Line(f"    {line.text}", line.comment) for line in before),
            Line(f"{targets} = fixed_point({', '.join(arguments)})"),
        ]

    def _resting(self, rest: Rest) -> Lines:
        """The phase until it rests."""
        body = self.bodies[0]
        states = [slot for slot in self.graph.states if slot.name in body.states_in]
        states.sort(key=lambda slot: body.states_in.index(slot.name))
        arguments = [self._argument(word) for word in body.arguments]
        arguments += [f"self.{word}" for word in body.sizes]
        helpers, method = self.layout.functions.helpers, method_name(body.kind.name)
        return resting_lines(rest, helpers, method, body.states_out, states, arguments)

    def begin(self) -> Lines:
        """The line that calls `start`."""
        targets = self.start_targets
        if not targets:
            return []
        call = f"self.start({', '.join(self.inputs)})"
        return [Line(f"{', '.join(targets)} = {call}")]

    # ---- start ----------------------------------------------------------------------------------

    @property
    def start_targets(self) -> list[str]:
        values = [word for _, word in sorted(self.layout.call_values.items())]
        return [*values, *(identifier(slot.name) for slot in self.states_in())]

    def _start(self) -> Lines:
        layout = self.layout
        done: list[int] = []
        states = self.states_in()
        roots = [self._start_source(slot) for slot in states if self._start_is_read(slot)]
        # what a call value reads may be a call value itself, so ask until nothing is new
        while True:
            wanted = [i for i in sorted(layout.call_values) if i not in done]
            if not wanted:
                break
            for index in wanted:
                layout.given(self._below(index), Stage.CALL, self._in_start)
                done.append(index)
        layout.given(roots, Stage.CALL, self._in_start)
        values = [i for i in sorted(layout.call_values) if self.nodes[i].args]
        given = layout.given([*values, *roots], Stage.CALL, self._in_start)
        held = [i for i in layout.call_values if isinstance(self.nodes[i].op, ops.Learnable)]
        taken = {*self.inputs, *layout.call_values.values()}
        taken |= {identifier(slot.name) for slot in self.graph.states}
        block = layout.block(given, layout.local(taken), layout.size, layout.like)
        for index in sorted(held):
            parameter = layout.parameter(index)
            word = identifier(parameter.name)
            expr = layout.held(parameter, name(f"self.{word}"), self._bound)
            span = parameter.origin
            block.lines.append(Line(f"{word} = {text(expr)}", place(span)))
            block.given[index] = name(word)
        wishes = {index: layout.call_values[index] for index in values}
        block.run(values, None, wishes)
        for slot in states:
            (expr,) = self._initial(block_value=block.run, slot=slot, write=block.write)
            block.lines.append(
                Line(f"{identifier(slot.name)} = {text(expr)}", self._slot_origin(slot))
            )
        return block.lines

    def _start_is_read(self, slot: Slot) -> bool:
        """Not where a number is written over it: it then says no more than precision and device."""
        return any(node.op == ops.State(slot.name) for node in self.nodes)

    def _start_source(self, slot: Slot) -> int:
        """What the start of a state is computed from: a number that is spread is no value."""
        node = self.nodes[slot.initial]
        return node.args[0] if isinstance(node.op, ops.Expand) else slot.initial

    def _below(self, index: int) -> list[int]:
        return list(self.nodes[index].args) or [index]

    def _slot_origin(self, slot: Slot) -> str:
        return place(slot.origin)

    def _in_start(self, index: int) -> ast.expr | None:
        node = self.nodes[index]
        match node.op:
            case ops.Input(word):
                return name(identifier(word))
            case ops.Learnable(word):
                if self.layout.parameters[word].limits is not None:
                    self.layout.call_value(index)
                    return name(identifier(word))
                return name(f"self.{identifier(word)}")
            case _:
                return name(f"self.{self.layout.buffer(index)}")

    def _bound(self, limit: int) -> ast.expr:
        return self.layout.literal(limit) or name(f"self.{self.layout.buffer(limit)}")

    def _initial(self, block_value, slot: Slot, write) -> list[ast.expr]:  # type: ignore[no-untyped-def]
        """The start of a state, with the batch of the inputs if the state carries one."""
        layout, facts = self.layout, self.layout.facts
        if not self._start_is_read(slot):
            like = layout.like()
            return [like.make("full", ast.Tuple([], ast.Load()), ast.Constant(0))]
        batched = any(
            facts.batched[i] for i, n in enumerate(self.nodes) if n.op == ops.State(slot.name)
        )
        index = slot.initial
        node = self.nodes[index]
        if not batched or facts.batched[index]:
            found = block_value([index])
            if slot.name in facts.counters:
                return [as_float(found[0])]
            if facts.numbers[index]:
                return [write.filled(index, [], slot.type.field)]
            return list(found)
        batch = self._batch()
        sizes = [layout.size(dim) for dim in slot.type.shape]
        shape: list[ast.expr] = [ast.Starred(batch), *sizes]
        source = node.args[0] if isinstance(node.op, ops.Expand) else index
        if facts.numbers[source]:
            alike = self._alike(source, slot)
            if alike is not None:
                return [alike]
            expr = write.filled(source, shape, slot.type.field)
            return [_plain_batch(expr, batch) if not sizes else expr]
        (value,) = block_value([source])
        value = write.in_field(value, write.type(source).field, slot.type.field)
        if isinstance(node.op, ops.Expand):
            value = trailing(value, slot.type.rank)
        return [ast.Call(ast.Attribute(value, "expand"), shape if sizes else [batch], [])]

    def _alike(self, source: int, slot: Slot) -> ast.expr | None:
        """`torch.zeros_like(y)` for a state that begins at 0 and is of the shape of an input."""
        op = self.nodes[source].op
        if not isinstance(op, ops.Constant) or op.value not in (0, 1):
            return None
        maker = "torch.ones_like" if op.value else "torch.zeros_like"
        for entry in self.graph.inputs:
            if entry.type.shape == slot.type.shape and entry.type.field is slot.type.field:
                return call(maker, name(identifier(entry.name)))
        return None

    def _batch(self) -> ast.expr:
        entry = self.graph.inputs[0]
        word = identifier(entry.name)
        if not entry.type.rank:
            return name(f"{word}.shape")
        return name(f"{word}.shape[:-{entry.type.rank}]")

    # ---- forward and the others -----------------------------------------------------------------

    def _outputs(self) -> tuple[Lines, list[ast.expr]]:
        lines, values = self._after_phases(self.graph.outputs, {})
        pairs = zip(self.graph.outputs, values, strict=True)
        return lines, [self._for_each_sample(index, value) for index, value in pairs]

    def _for_each_sample(self, index: int, value: ast.expr) -> ast.expr:
        """An output; one that depends on no input has the batch axes of the inputs all the same."""
        facts = self.layout.facts
        type_ = self.nodes[index].type
        if facts.batched[index] or not self.graph.inputs or not isinstance(type_, Array):
            return value
        batch = self._batch()
        shape: list[ast.expr] = [ast.Starred(batch), *map(self.layout.size, type_.shape)]
        if facts.numbers[index]:
            like = self.layout.like()
            return like.make("full", ast.Tuple(shape, ast.Load()), value)
        if not type_.rank:
            shape = [batch]
        return ast.Call(ast.Attribute(value, "expand"), shape, [])

    def _after_phases(
        self, roots: Sequence[int], more: dict[int, ast.expr]
    ) -> tuple[Lines, list[ast.expr]]:
        layout = self.layout
        if not self.bodies:  # nothing is shared over phases: all is computed here
            return self._at_once(roots, more)
        given = layout.given(roots, Stage.OUTPUT, layout.outer_in_network, more)
        given |= more
        taken = {*self.inputs, *(identifier(slot.name) for slot in self.graph.states)}
        taken |= {*layout.call_values.values(), *(identifier(t.name) for t in self.graph.targets)}
        block = layout.block(given, layout.local(taken), layout.size, layout.like)
        values = block.run(list(roots))
        return block.lines, values

    def _at_once(
        self, roots: Sequence[int], more: dict[int, ast.expr]
    ) -> tuple[Lines, list[ast.expr]]:
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
        block = layout.block(given, layout.local(taken), layout.size, layout.like)
        for index in held:
            parameter = layout.parameter(index)
            word = identifier(parameter.name)
            expr = layout.held(parameter, name(f"self.{word}"), self._bound)
            block.lines.append(Line(f"{word} = {text(expr)}", place(parameter.origin)))
        values = block.run(list(roots))
        return block.lines, values

    def refused(self) -> Lines:
        """The lines that refuse inputs which do not fit, where they come in."""
        return checks(self.layout, self.graph.inputs, ())

    def forward(self) -> Lines:
        lines = self.begin() if self.bodies else []
        if not lines:
            lines = self.refused()
        if self.bodies:
            lines += self._with_gradient(Loop())
        before, values = self.outputs
        return [*lines, *before, Line(f"return {', '.join(text(v) for v in values)}")]

    def trajectory(self) -> Lines:
        def after(body: Body, phase: str, k: str) -> Sequence[str]:
            entries = ", ".join(f'"{word}": {self._tensor(word)}' for word in body.states_out)
            return (f"states.append({{{entries}}})",)

        return [
            *self.begin(),
            Line("states = []"),
            # phases with parameters of their own may lack some of them at the end
            *self.run(Loop(after, alike=not self.layout.has_phase_class)),
            Line("return states"),
        ]

    def _tensor(self, word: str) -> str:
        """A state as a tensor, also where it is a number."""
        if word not in self.layout.facts.counters:
            return identifier(word)
        like = self.layout.like()
        return text(like.make("as_tensor", name(identifier(word))))

    def _loss(self) -> Lines | None:
        graph = self.graph
        if graph.loss is None:
            return None
        if not self.bodies:
            return self._loss_at_once(graph.loss)
        sums = [
            index
            for index in plan(self.nodes, [graph.loss], lambda i: False).inside
            if isinstance(self.nodes[index].op, ops.PhaseSum)
        ]
        outputs = [self.nodes[i].op for i in graph.outputs]
        finals = [
            self.nodes[i].op
            for i in plan(self.nodes, [graph.loss], lambda i: False).inside
            if isinstance(self.nodes[i].op, ops.Final)
        ]
        simple = (
            not sums
            and all(isinstance(op, ops.Final) for op in outputs)
            and all(op in outputs for op in finals)
        )
        more: dict[int, ast.expr] = {}
        lines: Lines = []
        total_names: dict[int, str] = {}
        for number, index in enumerate(sums, start=1):
            total_names[index] = "total" if len(sums) == 1 else f"total_{number}"
            more[index] = name(total_names[index])
        before, (value,) = self._after_phases([graph.loss], more)
        result = [*before, Line(f"return {text(fill('v.mean()', v=value))}")]
        if simple and not (finals and self._reads_call_values(graph.loss)):
            targets = [identifier(op.name) for op in outputs if isinstance(op, ops.Final)]
            if targets and finals:
                lines.append(Line(f"{', '.join(targets)} = self({', '.join(self.inputs)})"))
            elif self._reads_call_values(graph.loss):
                lines.append(Line("BEGIN"))
            return [*lines, *result]
        lines = [Line("BEGIN")]
        for index in sums:
            lines.append(Line(f"{total_names[index]} = 0"))

        def after(body: Body, phase: str, k: str) -> Sequence[str]:
            found: list[str] = []
            for index in sums:
                found += self._add_to_sum(index, total_names[index], phase, k)
            return found

        if self.bodies:
            inside = plan(self.nodes, sums, lambda i: False).inside
            k = any(isinstance(self.nodes[i].op, ops.PhaseNumber) for i in inside)
            lines += self._with_gradient(Loop(after, traced=True, counted=k))
        return [*lines, *result]

    def _loss_at_once(self, loss: int) -> Lines:
        """The loss of a network without phases, from its outputs."""
        scope = self.layout.local([*self.inputs, *(identifier(t.name) for t in self.graph.targets)])
        words = [scope.fresh(self.nodes[i].label or "output") for i in self.graph.outputs]
        outputs = dict(zip(self.graph.outputs, words, strict=True))
        inside = plan(self.nodes, [loss], lambda i: i in outputs)
        lines: Lines = []
        if set(inside.given) & set(outputs):
            lines.append(Line(f"{', '.join(words)} = self({', '.join(self.inputs)})"))
        before, (value,) = self._at_once([loss], {i: name(word) for i, word in outputs.items()})
        return [*lines, *before, Line(f"return {text(fill('v.mean()', v=value))}")]

    def _reads_call_values(self, root: int) -> bool:
        found = plan(self.nodes, [root], lambda i: self.layout.is_outer(i, Stage.OUTPUT))
        return any(index in self.layout.call_values for index in found.given)

    def _add_to_sum(self, index: int, total: str, phase: str, k: str) -> list[str]:
        """The lines that add a phase's term to a sum over phases."""
        layout = self.layout

        def find(i: int) -> ast.expr:
            node = self.nodes[i]
            if isinstance(node.op, ops.Learnable) and layout.parameters[node.op.name].per_phase:
                parameter = layout.parameters[node.op.name]
                value = name(f"{phase}.{identifier(parameter.name)}")
                if parameter.limits is None:
                    return value
                return layout.held(parameter, value, self._bound)
            return layout.outer_in_network(i)

        argument = self.nodes[index].args[0]
        given = layout.given([argument], Stage.PHASE, find)
        for i, node in enumerate(self.nodes):
            if isinstance(node.op, ops.PhaseNumber):
                given[i] = name(k)
        taken = {*self.inputs, *(identifier(t.name) for t in self.graph.traces)}
        block = layout.block(given, layout.local(taken), layout.size, layout.like)
        (value,) = block.run([argument])
        lines = [line.text for line in block.lines]
        return [*lines, f"{total} = {total} + {text(value)}"]

    def loss_lines(self) -> Lines | None:
        """The body of `loss`, with the call of `start` where it is needed."""
        if self.loss is None:
            return None
        found = checks(self.layout, self.graph.targets, self.graph.inputs)
        for line in self.loss:
            found += self.begin() if line.text == "BEGIN" else [line]
        return found


def _plain_batch(expr: ast.expr, batch: ast.expr) -> ast.expr:
    """`x.new_ones((*x.shape[:-1],))` is `x.new_ones(x.shape[:-1])`."""
    for node in ast.walk(expr):
        if isinstance(node, ast.Call):
            for place, argument in enumerate(node.args):
                if isinstance(argument, ast.Tuple):
                    node.args[place] = batch
    return expr


def method_name(kind: str) -> str:
    """`LastPhase` as the name of a method: `last_phase`."""
    words = "".join(f"_{c.lower()}" if c.isupper() else c for c in kind)
    return words.lstrip("_")
