"""The statements of a phase, as a method of the network or of a class of its own.

One body serves outputs and loss: what only a loss reads stands behind `if not traced: return ...`.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field

from unroll_dsl.backends.torch.blocks import plan
from unroll_dsl.backends.torch.expressions import Like
from unroll_dsl.backends.torch.functions import dim_expression
from unroll_dsl.backends.torch.layout import Layout, place, shape_of
from unroll_dsl.backends.torch.names import identifier
from unroll_dsl.backends.torch.phases import PhaseWork
from unroll_dsl.backends.torch.surveying import (
    becomes_batch,
    becomes_tensor,
    phase_roots,
    state_node,
    states_in,
)
from unroll_dsl.backends.torch.templates import fill, name, text
from unroll_dsl.backends.torch.tree import SELF, Assign, Body, Function, If, Parameter, Return
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.nodes import Stage
from unroll_dsl.types import Array, Dim, Field

_FIRST = "The first iteration, in which the states are zero."


@dataclass(frozen=True, slots=True)
class PhaseBody:
    """The body of one kind of phase: what it takes, in order, and what it does.

    `states_in` are names of the page; `arguments` are what it takes besides, by their names in Python,
    then `sizes` that no argument has, then `k`. `kinds` are annotations of those that are no tensors.
    """

    work: PhaseWork
    states_in: tuple[str, ...]
    arguments: tuple[str, ...]
    sizes: tuple[str, ...]
    needs_k: bool
    kinds: dict[str, str]
    body: Body

    def targets(self, *, traced: bool) -> tuple[str, ...]:
        """What the names of its results are, where it is called."""
        if not traced or not self.work.is_traced:
            return tuple(map(identifier, self.work.states))
        return tuple(map(identifier, (*self.work.traced_states, *self.work.traces)))

    def method(self, word: str) -> Function:
        """The method of that name."""
        given = [*map(identifier, self.states_in), *self.arguments]
        parameters = [Parameter(each, self.kinds.get(each, "Tensor")) for each in given]
        parameters += [Parameter(each, "int") for each in (*self.sizes, *["k"] * self.needs_k)]
        words = _FIRST if self.work.first else ""
        returns = annotation(self.targets(traced=False), self.kinds)
        if self.work.is_traced:
            parameters.append(Parameter("traced", "bool", "False"))
            more = (*self.work.traces, *self._more_states())
            words = (
                f"One iteration; where `traced`, with what the loss reads of it: {', '.join(more)}."
            )
            many = "tuple[Tensor, ...]"
            returns = many if returns.startswith("tuple") else f"{returns} | {many}"
        return Function(word, (SELF, *parameters), returns, words, self.body)

    def _more_states(self) -> tuple[str, ...]:
        return tuple(word for word in self.work.traced_states if word not in self.work.states)


def annotation(words: Sequence[str], kinds: dict[str, str]) -> str:
    """The annotation of a function that returns these, of which some are no tensors."""
    found = [kinds.get(word, "Tensor") for word in words]
    return found[0] if len(found) == 1 else f"tuple[{', '.join(found)}]"


def joined(body: Body) -> Body:
    """`x = e` before `return x` is `return e`."""
    match body:
        case (*before, Assign((target,), value, origin), Return((ast.Name(word),))) if (
            word == target
        ):
            return (*before, Return((value,), origin))
        case _:
            return body


def phase_body(layout: Layout, work: PhaseWork) -> PhaseBody:
    """Write what a kind of phase computes."""
    return _PhaseWriter(layout, work).run()


@dataclass(slots=True)
class _Taken:
    """What a phase takes besides its states: the types of arguments, which of them are attributes of the
    network, sizes, and learnables of its own."""

    types: dict[str, object] = field(default_factory=dict)
    attributes: set[str] = field(default_factory=set)
    sizes: list[str] = field(default_factory=list)
    learnables: dict[str, Array] = field(default_factory=dict)  # of the phase, as it reads them


class _PhaseWriter:
    def __init__(self, layout: Layout, work: PhaseWork) -> None:
        self.layout = layout
        self.nodes = layout.nodes
        self.work = work
        self.states_in = states_in(layout, work)
        self.taken = _Taken()
        self.previous: dict[int, str] = {}
        self.own: list[int] = []  # learnables of the phase that have a constraint
        self.before: dict[
            str, ast.expr
        ] = {}  # states as the phase began, for what is made like them

    def run(self) -> PhaseBody:
        layout, work, graph = self.layout, self.work, self.layout.graph
        roots = phase_roots(graph, work, traced=False)
        later = phase_roots(graph, work, traced=True) if work.is_traced else []
        before = self._before()
        given = layout.given([*roots, *later, *before.values()], Stage.PHASE, self._place)
        held = [self._hold(index, given) for index in self.own]
        taken = [*self.taken.types, *map(identifier, self.states_in), "k", "traced"]
        scope = layout.local([*taken, *(each.targets[0] for each in held)])
        for index, node in enumerate(self.nodes):
            if isinstance(node.op, ops.PhaseNumber):
                given[index] = name("k")
        block = layout.block(given, scope, self._size, self._like)
        block.body += held
        wishes = {i: identifier(word) for word, i in work.updates.items() if self._renames(i)}
        more = [*later, *before.values()] if later else []
        values, rest, last = block.run_in_two(
            [*roots, *before.values()], more, self.previous, wishes
        )
        self.before = dict(zip(before, values[len(roots) :], strict=True))
        results = self._results(work.states, values[: len(roots)])
        body: Body = (*block.body, Return(tuple(results)))
        if work.is_traced:
            whole = self._results(work.traced_states, last[: len(later)])
            test = fill("not traced")
            body = (*block.body, If(test, (Return(tuple(results)),)), *rest, Return(tuple(whole)))
        found = plan(self.nodes, [*roots, *later], lambda i: layout.is_outer(i, Stage.PHASE))
        return PhaseBody(
            work,
            self.states_in,
            self._arguments(),
            tuple(self.taken.sizes),
            any(isinstance(self.nodes[i].op, ops.PhaseNumber) for i in found.inside),
            self._kinds(),
            joined(body),
        )

    def _arguments(self) -> tuple[str, ...]:
        """What is passed besides states, what the network holds last."""
        attributes = [word for word in self.taken.types if word in self.taken.attributes]
        return (*(word for word in self.taken.types if word not in attributes), *attributes)

    def _kinds(self) -> dict[str, str]:
        """The annotations of what is no tensor."""
        found = dict.fromkeys(self._numbers(), "float")
        found |= {identifier(word): "float" for word in self.layout.facts.counters}
        types = self.taken.types.items()
        return found | {word: "nn.Module" for word, t in types if not isinstance(t, Array)}

    def _results(self, words: Sequence[str], values: list[ast.expr]) -> list[ast.expr]:
        """The states as they are handed on, then traces as they are."""
        found = list(values)
        for place_, word in enumerate(words):
            was = self.before.get(word, name(identifier(word)))
            if becomes_tensor(self.layout, self.work, word):
                found[place_] = fill("x.new_full((), v)", x=was, v=found[place_])
            if becomes_batch(self.layout, self.work, word):
                found[place_] = fill("v.expand_as(x)", v=found[place_], x=was)
        return found

    def _before(self) -> dict[str, int]:
        """The nodes of states like which their next values are made: the phase reads them to its end."""
        likened = [
            word
            for word in self.work.traced_states
            if becomes_tensor(self.layout, self.work, word)
            or becomes_batch(self.layout, self.work, word)
        ]
        found = {word: state_node(self.layout, word) for word in likened}
        return {word: index for word, index in found.items() if index is not None}

    def _renames(self, index: int) -> bool:
        """An update that is a value of its own is called like its state."""
        node, updates = self.nodes[index], self.work.updates
        words = [word for word, update in updates.items() if update == index]
        if len(words) != 1 or not node.args or not isinstance(node.type, Array):
            return False
        # where nothing reads the state, its name still says what the value is to be like
        unread = state_node(self.layout, words[0]) is None
        return not (unread and becomes_tensor(self.layout, self.work, words[0]))

    def _place(self, index: int) -> ast.expr | None:
        layout, node = self.layout, self.nodes[index]
        match node.op:
            case ops.State(word):
                self.previous[index] = identifier(word)
                return name(identifier(word))
            case ops.Learnable(word) if layout.parameters[word].per_phase:
                parameter, stored = layout.parameters[word], f"self.{identifier(word)}"
                if isinstance(node.type, Array) and not parameter.number:
                    self.taken.learnables[stored] = node.type
                if parameter.limits is None:
                    return name(stored)
                self.own.append(index)
                return name(identifier(word))
            case _:
                pass
        found = layout.outer_in_network(index)
        if layout.has_phase_class or isinstance(found, ast.Name):
            return name(self._argument(found, node.type))
        return found

    def _argument(self, found: ast.expr, type_: object) -> str:
        """The name of an argument for a value of the network: `self.A` comes in as `A`."""
        word = text(found).removeprefix("self.")
        if not isinstance(found, ast.Name):
            self.taken.attributes.add(word)
        self.taken.types.setdefault(word, type_)
        return word

    def _hold(self, index: int, given: dict[int, ast.expr]) -> Assign:
        """`theta = nonnegative(self.theta)`, at the top of the phase."""
        parameter = self.layout.parameter(index)
        word = identifier(parameter.name)

        def bound(limit: int) -> ast.expr:
            literal = self.layout.literal(limit)
            if literal is not None:
                return literal
            return self._place(limit) or name("bound")

        expr = self.layout.held(parameter, name(f"self.{word}"), bound)
        given[index] = name(word)
        return Assign((word,), expr, place(parameter.origin))

    def _arrays(self) -> list[tuple[str, Array]]:
        counters = self.layout.facts.counters
        types = {s.name: s.type for s in self.layout.graph.states if s.name not in counters}
        states = [(identifier(w), types[w]) for w in self.states_in if w in types]
        numbers = self._numbers()
        taken = [(w, t) for w, t in self.taken.types.items() if isinstance(t, Array)]
        return [*states, *((word, type_) for word, type_ in taken if word not in numbers)]

    def _numbers(self) -> set[str]:
        """The arguments that are numbers of Python, which have neither dtype nor device."""
        return {identifier(c.name) for c in self.layout.graph.constants if c.number}

    def _size(self, dim: Dim) -> ast.expr:
        symbols: dict[str, ast.expr] = {}
        for symbol in dim.symbols:
            found = shape_of(symbol, self._arrays())
            word = identifier(symbol)
            if found is None and self.layout.has_phase_class:
                found = name(word)
                if word not in self.taken.sizes:
                    self.taken.sizes.append(word)
            symbols[symbol] = found or name(f"self.{word}")
        return dim_expression(dim, symbols)

    def _like(self) -> Like:
        """A tensor that the phase has anyway, a real one if there is one; else an input comes in for it."""
        arrays = [*self._arrays(), *self.taken.learnables.items()]
        for word, type_ in arrays:
            if type_.field is not Field.COMPLEX:
                return Like(name(word))
        for word, _ in arrays:
            return Like(name(word), True)
        found = self.layout.like()
        if self.layout.has_phase_class and found.tensor is not None:
            field = Field.COMPLEX if found.is_complex else Field.REAL
            word = self._argument(found.tensor, Array((), field))
            return Like(name(word), found.is_complex)
        return found
