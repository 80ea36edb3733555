"""Which values are known to be positive: from literals, constraints and arithmetic.

`rho > 0` makes `A' @ A + rho * I` positive definite, which decides how `solve` factorises it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from unroll_dsl.ir.graph import Domain, Graph, Limits
from unroll_dsl.ir.nodes import (
    Builtin,
    Constant,
    Elementwise,
    Expand,
    Fixed,
    Input,
    Learnable,
    Node,
    PhaseNumber,
    Size,
)
from unroll_dsl.types import Array, Field


class Sign(IntEnum):
    """Of all entries of a real value. The order is that of knowledge."""

    UNKNOWN = 0
    NONNEGATIVE = 1
    POSITIVE = 2


def signs(graph: Graph, *, trusting: bool = False) -> tuple[Sign, ...]:
    """What is known of the sign of each node, in one sweep; `trusting` the inputs to be in their domains, which
    a network does not look at: for what is refused otherwise, or only slower."""
    found: list[Sign] = []
    named: dict[type, dict[str, Sign]] = {Fixed: {}, Learnable: {}, Input: {}}
    if trusting:
        named[Input] = {e.name: _of_domain(e.domain) for e in graph.inputs if e.domain is not None}
    # a limit is a node too, computed before anything that is read under it
    limited: list[tuple[type, str, Limits]] = [
        *((Fixed, c.name, c.limits) for c in graph.constants if c.limits is not None),
        *((Learnable, p.name, p.limits) for p in graph.parameters if p.limits is not None),
    ]
    bounds = {limits.lower for _, _, limits in limited if limits.lower is not None}
    literal = {index: _literal(graph.nodes, index) for index in bounds}
    for kind, name, limits in limited:
        if limits.lower is not None:
            sign = literal[limits.lower]
            if sign is Sign.NONNEGATIVE and limits.lower_strict:
                sign = Sign.POSITIVE
            named[kind][name] = sign
    for node in graph.nodes:
        found.append(_sign(node, found, named, graph.nodes))
    return tuple(found)


def _literal(nodes: Sequence[Node], index: int) -> Sign:
    match nodes[index].op:
        case Constant(value):
            return _of_number(value)
        case _:
            return Sign.UNKNOWN


def _of_domain(domain: Domain) -> Sign:
    if domain.lower is None or domain.lower < 0:
        return Sign.UNKNOWN
    return Sign.POSITIVE if domain.lower > 0 or domain.lower_strict else Sign.NONNEGATIVE


def _of_number(value: float) -> Sign:
    if value > 0:
        return Sign.POSITIVE
    return Sign.NONNEGATIVE if value == 0 else Sign.UNKNOWN


_POSITIVE = frozenset({"exp", "softplus", "sigmoid"})
_NONNEGATIVE = frozenset(
    {"relu", "sumsq", "norm2", "norm1", "norm_inf", "norm0", "spectral_norm", "sqrt"}
)
_KEEPING = frozenset({"sqrt", "abs", "sum", "mean", "max", "min", "real", "sort", "quantile"})


def _sign(
    node: Node, found: Sequence[Sign], named: dict[type, dict[str, Sign]], nodes: Sequence[Node]
) -> Sign:
    if not isinstance(node.type, Array) or node.type.field is Field.COMPLEX:
        return Sign.UNKNOWN
    args = [found[a] for a in node.args]
    match node.op:
        case Constant(value):
            return _of_number(value)
        case Size(dim):
            return Sign.POSITIVE if all(c > 0 for _, c in dim.terms) else Sign.UNKNOWN
        case PhaseNumber():
            return Sign.POSITIVE
        case Fixed(name) | Learnable(name) | Input(name):
            return named[type(node.op)].get(name, Sign.UNKNOWN)
        case Expand():
            return args[0]
        case Elementwise("add"):
            return max(args) if min(args) > Sign.UNKNOWN else Sign.UNKNOWN
        case Elementwise("mul"):
            if node.args[0] == node.args[1]:
                return max(args[0], Sign.NONNEGATIVE)
            return min(args)
        case Elementwise("div"):
            # where the divisor vanishes there is no finite value whose sign could be wrong
            return args[0] if args[1] > Sign.UNKNOWN else Sign.UNKNOWN
        case Elementwise("pow"):
            return _power(args[0], nodes[node.args[1]])
        case Elementwise("maximum"):
            return max(args)
        case Elementwise("minimum"):
            return min(args)
        case Elementwise("where"):
            return min(args[1:])
        case Elementwise(word) | Builtin(word):
            return _function(word, args)
        case _:
            return Sign.UNKNOWN


def _power(base: Sign, exponent: Node) -> Sign:
    if base > Sign.UNKNOWN:
        return base
    match exponent.op:
        case Constant(value) if value % 2 == 0:
            return Sign.NONNEGATIVE
        case _:
            return Sign.UNKNOWN


def _function(word: str, args: Sequence[Sign]) -> Sign:
    if word in _POSITIVE:
        return Sign.POSITIVE
    known = args[0] if args and word in _KEEPING else Sign.UNKNOWN
    at_least = Sign.NONNEGATIVE if word in _NONNEGATIVE or word == "abs" else Sign.UNKNOWN
    return max(known, at_least)
