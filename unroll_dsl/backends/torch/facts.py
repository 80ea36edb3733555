"""What the emitter has to know of each node: does it carry the batch, is it a plain number?"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.batches import batched
from unroll_dsl.ir.bodies import consists_of
from unroll_dsl.ir.graph import FunctionBody, Graph, Slot
from unroll_dsl.ir.nodes import Node
from unroll_dsl.passes.analysis.signs import Sign, signs
from unroll_dsl.types import SCALAR

ARITHMETIC = frozenset({"add", "sub", "mul", "div", "pow", "neg"})


@dataclass(frozen=True, slots=True)
class Facts:
    """`batched[i]`: node i depends on an input. `numbers[i]`: it is a Python number. `counters`:
    the states that are, since they come from numbers alone, as the `t` of FISTA does."""

    batched: tuple[bool, ...]
    numbers: tuple[bool, ...]
    counters: frozenset[str] = frozenset()


def facts(graph: Graph) -> Facts:
    """Facts of all nodes."""
    declared = {c.name for c in graph.constants if c.number}
    declared |= {p.name for p in graph.parameters if p.number}
    known = signs(graph)
    roots = [
        i
        for i, node in enumerate(graph.nodes)
        if node.op == ops.Elementwise("sqrt") and known[node.args[0]] > Sign.UNKNOWN
    ]
    read = {node.op.name for node in graph.nodes if isinstance(node.op, ops.Final)}
    states = {s.name for s in graph.states if s.type == SCALAR and s.name not in read}
    while True:
        numbers = _numbers(graph.nodes, declared | states, roots)
        kept = {s.name for s in graph.states if all(numbers[i] for i in _ends(s))} & states
        if kept == states:
            return Facts(batched(graph), tuple(numbers), frozenset(states))
        states = kept


def _ends(slot: Slot) -> list[int]:
    """The values that a state takes."""
    return [i for i in (slot.initial, slot.update, slot.first) if i is not None]


def _numbers(
    nodes: Sequence[Node], declared: Container[str] = (), roots: Container[int] = ()
) -> list[bool]:
    """Which values are numbers where those `declared` are, and square roots among `roots`."""
    found: list[bool] = []
    for index, node in enumerate(nodes):
        match node.op:
            case ops.Constant() | ops.Size() | ops.PhaseNumber():
                found.append(True)
            case ops.Fixed(name) | ops.Learnable(name) | ops.State(name):
                found.append(name in declared)
            case ops.Elementwise("sqrt"):
                found.append(index in roots and found[node.args[0]])
            case ops.Elementwise(name) if name in ARITHMETIC or name == "complex":
                found.append(all(found[argument] for argument in node.args))
            case _:
                found.append(False)
    return found


def body_facts(body: FunctionBody) -> Facts:
    """In a function every argument may carry the batch."""
    numbers = _numbers(body.nodes)
    return Facts(tuple(not number for number in numbers), tuple(numbers))


def is_elementwise(body: FunctionBody, bodies: dict[str, FunctionBody]) -> bool:
    """Whether a function only computes entry by entry, so that callers can align its arguments."""
    return consists_of(body, bodies, (ops.Constant, ops.Argument, ops.Elementwise))


def takes_numbers(
    body: FunctionBody,
    bodies: dict[str, FunctionBody],
    known: dict[str, tuple[bool, ...]] | None = None,
) -> tuple[bool, ...]:
    """For each parameter of a function: may a Python number be passed for it?

    Arithmetic and comparisons with a tensor take numbers; anything else wants a tensor. `known` keeps the
    answers for functions that are called, so that each is asked once.
    """
    known = {} if known is None else known
    if body.name not in known:
        known[body.name] = _take_numbers(body, bodies, known)
    return known[body.name]


def _take_numbers(
    body: FunctionBody, bodies: dict[str, FunctionBody], known: dict[str, tuple[bool, ...]]
) -> tuple[bool, ...]:
    safe = [True] * len(body.parameters)
    is_tensor = _certainly_tensors(body)
    for node in body.nodes:
        for position, argument in enumerate(node.args):
            leaf = body.nodes[argument].op
            if not isinstance(leaf, ops.Argument):
                continue
            others = [a for i, a in enumerate(node.args) if i != position]
            match node.op:
                case ops.Elementwise(name) if name in ARITHMETIC | _COMPARISONS:
                    fine = any(is_tensor[a] for a in others)
                case ops.Elementwise("maximum" | "minimum"):
                    fine = any(is_tensor[a] for a in others)
                case ops.Elementwise("where"):
                    fine = position > 0 and any(is_tensor[a] for a in others[1:])
                case ops.Invoke(name):
                    fine = takes_numbers(bodies[name], bodies, known)[position]
                case _:
                    fine = False
            safe[leaf.index] = safe[leaf.index] and fine
    return tuple(safe)


_COMPARISONS = frozenset({"eq", "ne", "lt", "le", "gt", "ge"})


def _certainly_tensors(body: FunctionBody) -> list[bool]:
    """Nodes that are tensors even if every scalar argument is a number."""
    found: list[bool] = []
    for node in body.nodes:
        match node.op:
            case ops.Argument(index):
                found.append(body.parameters[index][1].rank > 0)
            case ops.Constant() | ops.Size():
                found.append(False)
            case ops.Elementwise():
                found.append(any(found[a] for a in node.args))
            case _:
                found.append(True)
    return found
