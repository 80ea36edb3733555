"""The loop over phases, as `forward`, `trajectory` and `loss` run it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from unroll_dsl.backends.resting import Rest
from unroll_dsl.backends.torch.backward import Backward
from unroll_dsl.backends.torch.bodies import PhaseBody
from unroll_dsl.backends.torch.layout import Layout
from unroll_dsl.backends.torch.names import identifier
from unroll_dsl.backends.torch.phases import method_name
from unroll_dsl.backends.torch.templates import call, name
from unroll_dsl.backends.torch.tree import Assign, Body, For, If, Statement, With
from unroll_dsl.ir.graph import Slot

After = Callable[[PhaseBody, str, str], Body]


def _nothing(body: PhaseBody, phase: str, k: str) -> Body:
    return ()


@dataclass(frozen=True, slots=True)
class Loop:
    """How the phases are run. `after` gives what follows each call, from its body, the expression of its
    phase and that of its number; `counted`: it reads the number. `traced`: with what a loss reads.
    `alike`: the last phases compute what the others do, though no output needs it. `early`: the phases up
    to that number have no derivatives. `short`: without the last one."""

    after: After = _nothing
    traced: bool = False
    counted: bool = False
    alike: bool = False
    early: bool = False
    short: bool = False


class Loops:
    """Writes loops over the phases of a network."""

    def __init__(
        self,
        layout: Layout,
        bodies: Sequence[PhaseBody],
        inputs: Sequence[str],
        backward: Backward,
    ) -> None:
        self.layout = layout
        self.backward = backward
        self.bodies = [body for body in bodies if not body.work.first]
        self.first = next((body for body in bodies if body.work.first), None)
        self._inputs = inputs

    def with_gradient(self, loop: Loop) -> Body:
        """`run`, with the derivatives that were asked for."""
        if self.backward.rest is not None:
            return self._resting(self.backward.rest)
        if self.backward.implicit:
            return self._implicit()
        if self.backward.through is None:
            return self.run(loop)
        early = name(f"self.phases - {self.backward.through}")
        made = replace(loop, counted=True, early=True)
        return (Assign(("early",), early, "phases without derivatives"), *self.run(made))

    def run(self, loop: Loop) -> Body:
        """The statements that run the phases."""
        if self.first is not None:
            return self._run_after_first(self.first, loop)
        steady, tail = self.bodies[0], [] if loop.alike else self.bodies[1:]
        count = len(tail) + loop.short
        counted = steady.needs_k or loop.counted
        body: list[Statement] = []
        if self.layout.has_phase_class:
            phases = f"list(self.phases)[:-{count}]" if count else "self.phases"
            if count == 1:
                phases = "phases"
                body.append(Assign(("*phases", "last"), name("self.phases")))
            targets: tuple[str, ...] = ("phase",)
            over = phases
            if counted:
                targets, over = ("k", "phase"), f"enumerate({phases}, start=1)"
            callee = "phase"
        else:
            end = f"self.phases - {count}" if count else "self.phases"
            targets, over = ("_",), f"range({end})"
            if counted:
                more = f" - {count - 1}" if count > 1 else ""
                over = f"range(1, self.phases{more})" if count else "range(1, self.phases + 1)"
                targets = ("k",)
            callee = f"self.{method_name(steady.work.kind.name)}"
        inside = self._step(steady, callee, "phase", "k", loop)
        if inside:
            body.append(For(targets, name(over), inside))
        return (*body, *self._run_last(tail, loop))

    def _run_last(self, tail: Sequence[PhaseBody], loop: Loop) -> Body:
        """The phases that are of a kind of their own."""
        with_class = self.layout.has_phase_class
        total = "len(self.phases)" if with_class else "self.phases"
        found: list[Statement] = []
        for back, body in zip(range(len(tail), 0, -1), tail, strict=True):
            phase = "last" if len(tail) == 1 else f"self.phases[-{back}]"
            callee = phase if with_class else f"self.{method_name(body.work.kind.name)}"
            number = total if back == 1 else f"{total} - {back - 1}"
            step = self._step(body, callee, phase, number, loop)
            if back > 1 and step:  # what only a loss reads is no step of `forward`
                step = (If(name(f"{total} >= {back}"), step),)
            found += step
        return tuple(found)

    def _run_after_first(self, first: PhaseBody, loop: Loop) -> Body:
        """`run` where the first phase has a method of its own, and all others are alike."""
        body = self.bodies[0]
        counted = body.needs_k or loop.counted
        begin: Body = ()
        if self.layout.has_phase_class:
            begin = (Assign(("first", "*phases"), name("self.phases")),)
            targets: tuple[str, ...] = ("phase",)
            over = "phases"
            if counted:
                targets, over = ("k", "phase"), "enumerate(phases, start=2)"
            callees = "first.begin", "phase"
        else:
            targets, over = ("k" if counted else "_",), "range(2, self.phases + 1)"
            callees = "self.first_phase", "self.phase"
        step = self._step(first, callees[0], "first", "1", loop)
        again = self._step(body, callees[1], "phase", "k", loop)
        return (*begin, *step, For(targets, name(over), again))

    def _step(self, body: PhaseBody, callee: str, phase: str, k: str, loop: Loop) -> Body:
        targets = body.targets(traced=loop.traced)
        found: Body = ()
        if targets:
            found = (Assign(targets, self._call(body, callee, k, traced=loop.traced)),)
        found += loop.after(body, phase, k)
        if loop.early and k != "self.phases":
            enabled = name(f"torch.set_grad_enabled(torch.is_grad_enabled() and {k} > early)")
            return (With(enabled, found),)
        return found

    def _call(self, body: PhaseBody, callee: str, k: str, *, traced: bool) -> ast.expr:
        """The call of a phase."""
        arguments = [name(identifier(word)) for word in body.states_in]
        arguments += [name(self._passed(word)) for word in body.arguments]
        arguments += [name(f"self.{word}") for word in body.sizes]
        if body.needs_k:
            arguments.append(name(k))
        options: dict[str, ast.expr] = {}
        if traced and body.work.is_traced:
            options["traced"] = ast.Constant(True)
        function = name(callee)
        if self.backward.checkpoint:
            arguments.insert(0, function)
            function = name("checkpoint")
            options = {"use_reentrant": ast.Constant(False), **options}
        keywords = [ast.keyword(word, value) for word, value in options.items()]
        return ast.Call(function, arguments, keywords)

    def _passed(self, word: str) -> str:
        """What the network passes for an argument of a phase."""
        attributes = {*self.layout.buffers.values()}
        attributes |= {
            identifier(p.name)
            for p in self.layout.graph.parameters
            if not p.per_phase and p.limits is None
        }
        handed = {*self.layout.call_values.values(), *self._inputs}
        return f"self.{word}" if word in attributes and word not in handed else word

    def _implicit(self) -> Body:
        """All phases but the last one without derivatives; that one with those of the fixed point."""
        body = self.bodies[0]
        out = body.work.states
        states = [word for word in body.states_in if word in out]
        assert len(states) == len(body.states_in)
        before = self.run(Loop(alike=True, short=True))
        given = ast.Tuple([name(identifier(word)) for word in states], ast.Load())
        places = ast.Tuple([ast.Constant(out.index(word)) for word in states], ast.Load())
        passed = [name(self._passed(word)) for word in body.arguments]
        passed += [name(f"self.{word}") for word in body.sizes]
        phase = name(f"self.{method_name(body.work.kind.name)}")
        found = call("fixed_point", phase, given, places, *passed)
        targets = tuple(map(identifier, out))
        return (With(name("torch.no_grad()"), before), Assign(targets, found))

    def _resting(self, rest: Rest) -> Body:
        """The phase until it rests."""
        body = self.bodies[0]
        states = [slot for slot in self.layout.graph.states if slot.name in body.states_in]
        states.sort(key=lambda slot: body.states_in.index(slot.name))
        passed = [name(self._passed(word)) for word in body.arguments]
        passed += [name(f"self.{word}") for word in body.sizes]
        phase = name(f"self.{method_name(body.work.kind.name)}")
        return (resting_statement(rest, phase, body.work.states, states, passed),)


def resting_statement(
    rest: Rest,
    phase: ast.expr,
    targets: Sequence[str],
    states: Sequence[Slot],
    arguments: Sequence[ast.expr],
) -> Assign:
    """The statement that runs a phase until it rests. `targets`: what the phase makes, by name."""
    words = [slot.name for slot in states]
    given = _tuple(name(identifier(word)) for word in words)
    options = {
        "places": _tuple(ast.Constant(list(targets).index(word)) for word in words),
        "ranks": _tuple(ast.Constant(slot.type.rank) for slot in states),
        "tolerance": ast.Constant(rest.tolerance),
        "phases": name("self.phases"),
    }
    keywords = [ast.keyword(word, value) for word, value in options.items()]
    made = ast.Call(name("at_rest"), [phase, given, *arguments], keywords)
    return Assign(tuple(map(identifier, targets)), made)


def _tuple(values: Iterable[ast.expr]) -> ast.expr:
    return ast.Tuple(list(values), ast.Load())
