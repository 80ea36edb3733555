"""The statements of a phase, as a method of the network or of a class of its own."""

from __future__ import annotations

import ast

from unroll_dsl.backends.torch.blocks import Line, plan
from unroll_dsl.backends.torch.expressions import Like
from unroll_dsl.backends.torch.functions import dim_expression
from unroll_dsl.backends.torch.layout import Layout, place, shape_of
from unroll_dsl.backends.torch.names import identifier
from unroll_dsl.backends.torch.phases import Body, Kind
from unroll_dsl.backends.torch.templates import fill, name, text
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.nodes import Stage
from unroll_dsl.types import Array, Dim, Field


def phase_body(layout: Layout, kind: Kind, *, traced: bool = False, first: bool = False) -> Body:
    """Write what a kind of phase computes, for `forward` or, `traced`, for a loss; as `first` phase
    where that has less to do."""
    return _PhaseWriter(layout, kind, traced, first).run()


class _PhaseWriter:
    def __init__(self, layout: Layout, kind: Kind, traced: bool, first: bool) -> None:
        self.layout = layout
        self.graph = layout.graph
        self.nodes = layout.nodes
        self.variant = kind.training if traced else kind.inference
        traces = {trace.name: trace for trace in self.graph.traces}
        updates = {slot.name: slot.update for slot in self.graph.states}
        if first:
            updates |= {s.name: s.first for s in self.graph.states if s.first is not None}
        self.updates = updates
        wanted = [updates[word] for word in self.variant.updates]
        wanted += [traces[word].node for word in self.variant.traces]
        inside = set(plan(self.nodes, wanted, lambda i: layout.is_outer(i, Stage.PHASE)).inside)
        # a trajectory takes all states that a phase with parameters of its own computes anyway
        generous = layout.has_phase_class or kind is layout.kinds[0]
        out = [
            slot.name
            for slot in self.graph.states
            if slot.name in self.variant.updates or (generous and updates[slot.name] in inside)
        ]
        reads = [word for word in self.variant.reads if not first or self._reads(wanted, word)]
        self.body = Body(kind, traced, reads, out, list(self.variant.traces))
        self.roots = [updates[word] for word in out]
        self.roots += [traces[word].node for word in self.variant.traces]
        self.shared: dict[str, object] = {}  # arguments besides states, with their types
        self.attributes: set[str] = set()  # those among them that the network holds
        self.previous: dict[int, str] = {}
        self.own: list[int] = []  # learnables of the phase that have a constraint

    def run(self) -> Body:
        layout, body = self.layout, self.body
        given = layout.given(self.roots, Stage.PHASE, self._place)
        scope = layout.local([*self.shared, *map(identifier, body.states_in), "k"])
        for index in self.own:
            scope.take(identifier(layout.parameter(index).name))
        for index, node in enumerate(self.nodes):
            if isinstance(node.op, ops.PhaseNumber):
                given[index] = name("k")
        block = layout.block(given, scope, self._size, self._like)
        for index in self.own:
            self._hold(index, block.lines, given)
            block.given[index] = given[index]
        wishes = {i: identifier(word) for word, i in self.updates.items() if self._renames(i)}
        results = block.run(self.roots, self.previous, wishes)
        for position, word in enumerate(body.states_out):
            results[position] = self._as_tensor(word, results[position])
            if not layout.facts.batched[self.updates[word]] and self._state_batched(word):
                results[position] = fill(
                    "v.expand_as(x)", v=results[position], x=name(identifier(word))
                )
        body.lines = block.lines
        body.results = results
        attributes = [word for word in self.shared if word in self.attributes]
        numbers = {identifier(c.name): "float" for c in self.graph.constants if c.number}
        numbers |= {identifier(word): "float" for word in layout.facts.counters}
        modules = {w: "nn.Module" for w, t in self.shared.items() if not isinstance(t, Array)}
        body.kinds = numbers | modules
        body.arguments = [word for word in self.shared if word not in attributes] + attributes
        found = plan(self.nodes, self.roots, lambda i: layout.is_outer(i, Stage.PHASE))
        body.needs_k = any(isinstance(self.nodes[i].op, ops.PhaseNumber) for i in found.inside)
        return body

    def _as_tensor(self, word: str, value: ast.expr) -> ast.expr:
        """A number that becomes the value of a state is a tensor like the one that the state was."""
        facts = self.layout.facts
        if word in facts.counters or not facts.numbers[self.updates[word]]:
            return value
        if word not in self.body.states_in:
            self.body.states_in.append(word)
        return fill("x.new_full((), v)", x=name(identifier(word)), v=value)

    def _state_batched(self, word: str) -> bool:
        for index, node in enumerate(self.nodes):
            if node.op == ops.State(word):
                return self.layout.facts.batched[index]
        return False

    def _reads(self, wanted: list[int], word: str) -> bool:
        """Whether a state is read by what is wanted."""
        found = plan(self.nodes, wanted, lambda i: self.layout.is_outer(i, Stage.PHASE))
        return any(self.nodes[i].op == ops.State(word) for i in found.given)

    def _renames(self, index: int) -> bool:
        """An update that is a value of its own is called like its state."""
        node = self.nodes[index]
        count = list(self.updates.values()).count(index)
        return bool(node.args) and count == 1 and isinstance(node.type, Array)

    def _place(self, index: int) -> ast.expr | None:
        layout, node = self.layout, self.nodes[index]
        match node.op:
            case ops.State(word):
                if word not in self.body.states_in:
                    self.body.states_in.append(word)
                self.previous[index] = identifier(word)
                return name(identifier(word))
            case ops.Learnable(word) if layout.parameters[word].per_phase:
                if layout.parameters[word].limits is not None:
                    self.own.append(index)
                    return name(identifier(word))
                return name(f"self.{identifier(word)}")
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
            self.attributes.add(word)
        self.shared.setdefault(word, type_)
        return word

    def _hold(self, index: int, lines: list[Line], given: dict[int, ast.expr]) -> None:
        """`theta = nonnegative(self.theta)`, at the top of the phase."""
        parameter = self.layout.parameter(index)
        word = identifier(parameter.name)

        def bound(limit: int) -> ast.expr:
            literal = self.layout.literal(limit)
            if literal is not None:
                return literal
            return self._place(limit) or name("bound")

        expr = self.layout.held(parameter, name(f"self.{word}"), bound)
        span = parameter.origin
        lines.append(Line(f"{word} = {text(expr)}", place(span)))
        given[index] = name(word)

    def _arrays(self) -> list[tuple[str, Array]]:
        counters = self.layout.facts.counters
        types = {s.name: s.type for s in self.graph.states if s.name not in counters}
        states = [(identifier(w), types[w]) for w in self.body.states_in if w in types]
        shared = [(word, type_) for word, type_ in self.shared.items() if isinstance(type_, Array)]
        return [*states, *shared]

    def _size(self, dim: Dim) -> ast.expr:
        symbols: dict[str, ast.expr] = {}
        for symbol in dim.symbols:
            found = shape_of(symbol, self._arrays())
            if found is None:
                self.layout.size_attributes.add(symbol)
                found = name(f"self.{identifier(symbol)}")
                if self.layout.has_phase_class:
                    found = name(identifier(symbol))
                    if identifier(symbol) not in self.body.sizes:
                        self.body.sizes.append(identifier(symbol))
            symbols[symbol] = found
        return dim_expression(dim, symbols)

    def _like(self) -> Like:
        arrays = self._arrays()
        for word, type_ in arrays:
            if type_.field is not Field.COMPLEX:
                return Like(name(word))
        for word, _ in arrays:
            return Like(name(word), True)
        return self.layout.like()
