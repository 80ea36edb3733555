"""Which nodes of a place become statements, what they are called, and in what order."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from unroll_dsl.backends.torch.expressions import Expressions, Invoke, Like
from unroll_dsl.backends.torch.facts import Facts
from unroll_dsl.backends.torch.names import Scope, identifier
from unroll_dsl.backends.torch.naming import factor_name, name_for
from unroll_dsl.backends.torch.templates import name as name_of
from unroll_dsl.backends.torch.tree import Assign, Define, Return, Statement
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.nodes import Node
from unroll_dsl.types import Array, Dim

_LONG = 100  # parts of an expression: what is longer is cut into statements
_END = 1 << 60  # the position of what stands after the last statement


@dataclass(slots=True)
class Plan:
    """The nodes that a place computes, from its roots down to what it is given.

    `inside` are nodes to compute, in order; `given` those that it gets from outside; `uses` counts
    readers within the place.
    """

    inside: list[int]
    given: list[int]
    uses: dict[int, int] = field(default_factory=dict)


def plan(nodes: Sequence[Node], roots: Sequence[int], is_given: Callable[[int], bool]) -> Plan:
    """Find what has to be computed for `roots`; `is_given` tells what comes from outside."""
    inside: set[int] = set()
    given: set[int] = set()
    uses: dict[int, int] = {}
    pending = list(roots)
    for root in roots:
        uses[root] = uses.get(root, 0) + 1
    while pending:
        index = pending.pop()
        if index in inside or index in given:
            continue
        if is_given(index):
            given.add(index)
            continue
        inside.add(index)
        for argument in nodes[index].args:
            uses[argument] = uses.get(argument, 0) + 1
            pending.append(argument)
        if isinstance(nodes[index].op, ops.Solve):
            for read in _read_by_map(nodes, nodes[index].args[0]):
                uses[read] = uses.get(read, 0) + 1  # an iteration reads it many times
    return Plan(sorted(inside), sorted(given), uses)


def _read_by_map(nodes: Sequence[Node], map_: int) -> set[int]:
    """The arrays that a map is made of."""
    found, seen, pending = set[int](), set[int](), [map_]
    while pending:
        index = pending.pop()
        if isinstance(nodes[index].type, Array):
            found.add(index)
        elif index not in seen:
            seen.add(index)
            pending.extend(nodes[index].args)
    return found


def is_cheap(node: Node, is_number: bool) -> bool:
    """What may be written out again wherever it is read: views, numbers, maps."""
    if is_number or not isinstance(node.type, Array):
        return True
    return isinstance(node.op, ops.Transpose)


class Block:
    """Statements of one place.

    Parameters
    ----------
    nodes, facts, invoke
        The graph (or a function's body), what is known of its nodes, how the functions of it are called.
    given
        The expression of nodes that come from outside.
    scope
        Names that are taken.
    size, like
        The expression of a dimension, and what gives dtype and device to new tensors.
    origin
        The provenance comment of a node.
    stands_for
        Nodes that stand for others.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        facts: Facts,
        invoke: Invoke,
        given: Mapping[int, ast.expr],
        scope: Scope,
        size: Callable[[Dim], ast.expr],
        like: Callable[[], Like],
        origin: Callable[[Node], str],
        stands_for: Mapping[int, int] | None = None,
    ) -> None:
        self.nodes = nodes
        self.facts = facts
        self.given = dict(given)
        self.scope = scope
        self.origin = origin
        self.body: list[Statement] = []
        self.names: dict[int, str] = {}  # nodes that have a statement, once it is written
        self._bases: dict[str, str] = {}  # author's names in Python
        self._wanted: dict[int, str] = {}  # names of statements still to be written
        self._here = ""  # the origin of the statement that is being written
        self._spared: set[int] = set()
        self.write = Expressions(
            nodes,
            facts,
            invoke,
            self._known,
            size,
            like,
            self._bind,
            self._define,
            stands_for or {},
        )
        self.write.is_spared = self.is_spared

    def _known(self, index: int) -> ast.expr | None:
        if index in self.names:
            return name_of(self.names[index])
        return self.given.get(index)

    def _bind(self, expr: ast.expr) -> ast.expr:
        name = self.scope.fresh("value")
        self.body.append(Assign((name,), expr, self._here))
        return name_of(name)

    def _define(
        self, make: Callable[[ast.expr, Callable[[ast.expr], ast.expr]], ast.expr]
    ) -> ast.expr:
        """A function of `v`, or of another name where that is taken: a lambda, or a definition where its result needs lines."""
        body: list[Statement] = []

        def bind(expr: ast.expr) -> ast.expr:
            word = self.scope.fresh("value")
            body.append(Assign((word,), expr))
            return name_of(word)

        argument = self.scope.inner("v")
        result = make(name_of(argument), bind)
        if not body:
            return ast.Lambda(
                ast.arguments([], [ast.arg(argument)], None, [], [], None, []), result
            )
        word = self.scope.fresh("system")
        self.body.append(Define(word, argument, (*body, Return((result,)))))
        return name_of(word)

    def run(
        self,
        roots: Sequence[int],
        previous: Mapping[int, str] | None = None,
        wishes: Mapping[int, str] | None = None,
    ) -> list[ast.expr]:
        """Write the statements for `roots` and give the expression of each.

        `previous` are nodes that come in under a name that a statement may take over: the states.
        `wishes` are Python's names for nodes, before their labels.
        """
        return self.run_in_two(roots, (), previous, wishes)[0]

    def run_in_two(
        self,
        roots: Sequence[int],
        later: Sequence[int],
        previous: Mapping[int, str] | None = None,
        wishes: Mapping[int, str] | None = None,
    ) -> tuple[list[ast.expr], list[Statement], list[ast.expr]]:
        """`run` for `roots`, then for `later`: the expressions of the first, the statements that only the
        second ones take, which are not in `body`, and the expressions of these."""
        previous, wishes = previous or {}, wishes or {}
        is_given = self._is_known
        found = plan(self.nodes, [*roots, *later], is_given)
        soon = plan(self.nodes, roots, is_given)
        first = set(soon.inside)
        named = self._statements(found, wishes)
        named.sort(key=lambda index: (index not in first, index))
        self._name(named, found, [*roots, *later], previous, wishes)
        if later:
            self._spared = {i for i in first if soon.uses[i] == 1 and i not in roots}
        self._write([i for i in named if i in first])
        values = [self.write.value(root) for root in roots]
        self._spared = set()
        body, self.body = self.body, []
        self._write([i for i in named if i not in first])
        last = [self.write.value(root) for root in later]
        rest, self.body = self.body, body
        return values, rest, last

    def _is_known(self, index: int) -> bool:
        return index in self.given or index in self.names

    def _write(self, named: Sequence[int]) -> None:
        for index in named:
            wanted = self._wanted.pop(index)
            self._here = self.origin(self.nodes[index])
            self.body.append(Assign((wanted,), self.write.compute(index), self._here))
            self.names[index] = wanted
        self._here = ""

    def is_spared(self, index: int) -> bool:
        """Whether a value that has a name only for what comes `later` is read no more before that."""
        return index in self._spared and self.nodes[index].label is None

    def _statements(self, found: Plan, wishes: Mapping[int, str]) -> list[int]:
        """The nodes that become statements, in order: also what would be too long for one line of code."""
        named: list[int] = []
        lengths: dict[int, int] = {}  # of the expression that a node is, written out
        for index in found.inside:
            node = self.nodes[index]
            lengths[index] = 1 + sum(lengths.get(argument, 1) for argument in node.args)
            too_long = lengths[index] > _LONG and isinstance(node.type, Array) and bool(node.args)
            if self._is_statement(index, found, wishes) or too_long:
                named.append(index)
                lengths[index] = 1
        return named

    def _is_statement(self, index: int, found: Plan, wishes: Mapping[int, str]) -> bool:
        node = self.nodes[index]
        if not isinstance(node.type, Array):
            return False
        if index in wishes:
            return True
        if self.facts.numbers[index]:
            return False
        if node.label is not None and node.args:
            return True
        return found.uses.get(index, 0) > 1 and not is_cheap(node, False)

    def _name(
        self,
        named: list[int],
        found: Plan,
        roots: Sequence[int],
        previous: Mapping[int, str],
        wishes: Mapping[int, str],
    ) -> None:
        """Choose a name for each statement. A name may be taken over from a value that is read no
        more; one that is still read is set aside first (`x_prev = x`)."""
        position = {index: place for place, index in enumerate(named)}
        last = self._last_reads(named, roots, {*position, *previous})
        bases: dict[str, list[int]] = {}
        for index, base in previous.items():
            bases.setdefault(base, []).append(index)
        for index in named:
            if index in wishes:
                base = wishes[index]
                self.scope.take(base)
            else:
                base = self._base(
                    name_for(self.nodes, index), previous, factor_name(self.nodes[index])
                )
            bases.setdefault(base, []).append(index)
        set_aside: list[tuple[str, str]] = []
        for base, holders in bases.items():
            for index, after in zip(holders, [*holders[1:], None], strict=True):
                clash = after is not None and last.get(index, -1) > position[after]
                if index in previous:
                    if clash:
                        kept = self.scope.fresh(f"{base.rstrip('_')}_prev")
                        set_aside.append((kept, base))
                        self.given[index] = name_of(kept)
                    continue
                self._wanted[index] = self.scope.fresh(base) if clash else base
        if set_aside:
            left, right = zip(*set_aside, strict=True)
            values = [name_of(word) for word in right]
            whole = values[0] if len(values) == 1 else ast.Tuple(values, ast.Load())
            self.body.append(Assign(left, whole))

    def _base(self, wish: str, previous: Mapping[int, str], otherwise: str | None = None) -> str:
        """The Python name for a label: the same one for the same label."""
        if wish not in self._bases:
            wanted = identifier(wish)
            if wanted in previous.values():
                self._bases[wish] = wanted
            else:
                self._bases[wish] = self.scope.fresh(wish, otherwise)
        return self._bases[wish]

    def _last_reads(
        self, named: list[int], roots: Sequence[int], interesting: set[int]
    ) -> dict[int, int]:
        """For each interesting node the position of the last statement that reads it.

        What a system under conjugate gradients is made of is read to the end: its gradient applies the
        system again, after the last statement.
        """
        last: dict[int, int] = {}
        names = set(named)

        def read(start: int, place: int) -> None:
            pending, seen = self._reads(start, place), set()
            while pending:
                index, until = read_ = pending.pop()
                if read_ in seen:
                    continue
                seen.add(read_)
                if index in interesting:
                    last[index] = max(last.get(index, -1), until)
                if index not in names and index not in self.given:
                    pending.extend(self._reads(index, until))

        for place, index in enumerate(named):
            read(index, place)
        for root in roots:
            if root in interesting:
                last[root] = _END
            if root not in names and root not in self.given:
                read(root, _END)
        return last

    def _reads(self, index: int, place: int) -> list[tuple[int, int]]:
        """The arguments of a node, and the position up to which each is read."""
        node = self.nodes[index]
        if isinstance(node.op, ops.Solve):
            map_, *others = node.args
            return [(map_, _END), *((argument, place) for argument in others)]
        return [(argument, place) for argument in node.args]
