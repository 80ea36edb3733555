"""What a matrix or map under `solve` is made of: scaled identities, diagonals and products.

    A' @ A / s + rho * I      (1 / s) * Gram(A)  +  rho * Identity
    c * B' @ diag(w) @ B      c * Gram(B, weight=w)
    diag(v) - 2 * I           Diagonal(v)  -  2 * Identity

It is read off the nodes, never from numbers; what has no such form is a `Dense` matrix or, if it
is a map without entries to look at, an `Opaque` one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from unroll_dsl.ir.nodes import (
    AddMap,
    Builtin,
    Constant,
    Contract,
    DiagonalMap,
    Elementwise,
    Eye,
    IdentityMap,
    Node,
    ScaleMap,
    Transpose,
)
from unroll_dsl.types import Array


@dataclass(frozen=True, slots=True)
class Identity:
    pass


@dataclass(frozen=True, slots=True)
class DiagonalTerm:
    """`entries` is the id of the array on the diagonal."""

    entries: int


@dataclass(frozen=True, slots=True)
class Gram:
    """`F' @ diag(weight) @ F` of a matrix `F`: `factor`, or its conjugate transpose if `turned`."""

    factor: int
    turned: bool = False
    weight: int | None = None


@dataclass(frozen=True, slots=True)
class Dense:
    """A matrix of which no more is known."""

    matrix: int


@dataclass(frozen=True, slots=True)
class Opaque:
    """A map that is neither identity nor diagonal, so that it has no entries to look at."""

    map: int


Core = Identity | DiagonalTerm | Gram | Dense | Opaque


@dataclass(frozen=True, slots=True)
class MapTerm:
    """`sign`, times `times`, divided by `over` (ids of scalars), times `core`, which is node
    `source`."""

    sign: int
    times: tuple[int, ...]
    over: tuple[int, ...]
    core: Core
    source: int


_MOST = 32  # sums of sums that share their parts would have terms without end


def terms(nodes: Sequence[Node], index: int) -> tuple[MapTerm, ...]:
    """The terms of the matrix or map `index`, in the order in which they are written."""
    found: list[MapTerm] = []
    waiting = [MapTerm(1, (), (), Dense(index), index)]
    while waiting:
        if len(found) + len(waiting) > _MOST:
            return (MapTerm(1, (), (), _rest(nodes, index), index),)
        term = waiting.pop()
        parts = _split(nodes, term)
        if parts is None:
            found.append(replace(term, core=_core(nodes, term.source)))
        else:
            waiting.extend(reversed(parts))
    return tuple(found)


def _split(nodes: Sequence[Node], term: MapTerm) -> tuple[MapTerm, ...] | None:
    """A term that is a sum or scaled as its parts, or None where it is neither."""

    def scalar(index: int) -> bool:
        type_ = nodes[index].type
        return isinstance(type_, Array) and type_.rank == 0

    def part(index: int, sign: int = 1) -> MapTerm:
        return replace(term, sign=term.sign * sign, source=index)

    node = nodes[term.source]
    match node.op, node.args:
        case ((Elementwise("add") | AddMap(1)), (left, right)):
            return part(left), part(right)
        case ((Elementwise("sub") | AddMap(-1)), (left, right)):
            return part(left), part(right, -1)
        case Elementwise("neg"), (inner,):
            return (part(inner, -1),)
        case ((Elementwise("mul") | ScaleMap()), (factor, inner)) if scalar(factor):
            return (_scaled(nodes, factor, part(inner)),)
        case Elementwise("mul"), (inner, factor) if scalar(factor):
            return (_scaled(nodes, factor, part(inner)),)
        case Elementwise("div"), (inner, divisor) if scalar(divisor):
            return (replace(part(inner), over=(*term.over, divisor)),)
        case _:
            return None


def _scaled(nodes: Sequence[Node], factor: int, term: MapTerm) -> MapTerm:
    """`term` times a scalar, with minus signs and reciprocals taken apart."""
    while True:
        node = nodes[factor]
        match node.op, node.args:
            case Elementwise("neg"), (inner,):
                term, factor = replace(term, sign=-term.sign), inner
            case Elementwise("div"), (above, below):
                term, factor = replace(term, over=(*term.over, below)), above
            case Constant(1), ():
                return term
            case Constant(-1), ():
                return replace(term, sign=-term.sign)
            case _:
                return replace(term, times=(*term.times, factor))


def _core(nodes: Sequence[Node], index: int) -> Core:
    node = nodes[index]
    match node.op:
        case Eye():
            type_ = node.type
            square = isinstance(type_, Array) and type_.shape[0] == type_.shape[1]
            return Identity() if square else Dense(index)
        case IdentityMap():
            return Identity()
        case DiagonalMap() | Builtin("diagonal_matrix"):
            return DiagonalTerm(node.args[0])
        case Contract():
            return _gram(nodes, node) or _rest(nodes, index)
        case _:
            return _rest(nodes, index)


def _rest(nodes: Sequence[Node], index: int) -> Core:
    return Dense(index) if isinstance(nodes[index].type, Array) else Opaque(index)


def _gram(nodes: Sequence[Node], node: Node) -> Gram | None:
    """`F' @ F`, `F @ F'` and `F' @ diag(w) @ F`, the weight being on either side."""
    left, right = node.args
    if nodes[left].op == Transpose() and nodes[left].args[0] == right:
        return Gram(right)
    if nodes[right].op == Transpose() and nodes[right].args[0] == left:
        return Gram(left, turned=True)
    # F' @ (w * F)
    weighted = _rows_scaled(nodes, right)
    if weighted is not None and nodes[left].op == Transpose():
        weight, factor = weighted
        if nodes[left].args[0] == factor:
            return Gram(factor, weight=weight)
    # (w * F)' @ F: what the columns of F' scaled by a real w become
    if nodes[left].op == Transpose():
        weighted = _rows_scaled(nodes, nodes[left].args[0])
        if weighted is not None and weighted[1] == right:
            return Gram(right, weight=weighted[0])
    return None


def _rows_scaled(nodes: Sequence[Node], index: int) -> tuple[int, int] | None:
    """Weight and matrix of `w * F`, w a vector."""
    node = nodes[index]
    if node.op != Elementwise("mul"):
        return None
    ranks = [t.rank if isinstance(t := nodes[a].type, Array) else -1 for a in node.args]
    match ranks:
        case [1, 2]:
            return node.args[0], node.args[1]
        case [2, 1]:
            return node.args[1], node.args[0]
        case _:
            return None
