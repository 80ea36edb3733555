"""What a matrix or map under `solve` is made of: a sum of scaled identities, diagonals and products.

    A' @ A / s + rho * I      (1 / s) * Gram(A)  +  rho * Identity
    c * B' @ diag(w) @ B      c * Gram(B, weight=w)
    diag(v) - 2 * I           Diagonal(v)  -  2 * Identity

It is read off the nodes, never from numbers; what has no such form is a `Dense` matrix or, if it is a
map without entries to look at, an `Opaque` one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unroll_dsl.ir.nodes import (
    AddMap,
    AdjointMap,
    Builtin,
    ComposeMap,
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
class Diagonal:
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
    """A matrix, or a map made of matrices, of which no more is known."""

    matrix: int


@dataclass(frozen=True, slots=True)
class Opaque:
    """A map without a dense form."""

    map: int


Core = Identity | Diagonal | Gram | Dense | Opaque


@dataclass(frozen=True, slots=True)
class Term:
    """`sign`, times `times`, divided by `over` (ids of scalars), times `core`."""

    sign: int
    times: tuple[int, ...]
    over: tuple[int, ...]
    core: Core


def terms(nodes: Sequence[Node], index: int) -> tuple[Term, ...]:
    """The terms of the matrix or map `index`, in the order in which they are written."""
    found: list[Term] = []
    waiting = [Term(1, (), (), Dense(index))]
    while waiting:
        term = waiting.pop()
        assert isinstance(term.core, Dense)
        parts = _split(nodes, term, term.core.matrix)
        if parts is None:
            core = _core(nodes, term.core.matrix)
            found.append(Term(term.sign, term.times, term.over, core))
        else:
            waiting.extend(reversed(parts))
    return tuple(found)


def _split(nodes: Sequence[Node], term: Term, index: int) -> tuple[Term, ...] | None:
    """`index` as a sum or a scaled matrix, or None where it is neither."""

    def scalar(position: int) -> bool:
        type_ = nodes[position].type
        return isinstance(type_, Array) and type_.rank == 0

    def part(
        core: int, sign: int = 1, times: tuple[int, ...] = (), over: tuple[int, ...] = ()
    ) -> Term:
        return Term(term.sign * sign, term.times + times, term.over + over, Dense(core))

    node = nodes[index]
    match node.op, node.args:
        case (Elementwise("add") | AddMap(1)), (left, right):
            return part(left), part(right)
        case (Elementwise("sub") | AddMap(-1)), (left, right):
            return part(left), part(right, -1)
        case Elementwise("neg"), (inner,):
            return (part(inner, -1),)
        case (Elementwise("mul") | ScaleMap()), (factor, inner) if scalar(factor):
            # 1 / c, as a map divided by c is scaled
            return (_scaled(nodes, factor, part(inner)),)
        case Elementwise("mul"), (inner, factor) if scalar(factor):
            return (_scaled(nodes, factor, part(inner)),)
        case Elementwise("div"), (inner, divisor) if scalar(divisor):
            return (part(inner, over=(divisor,)),)
        case _:
            return None


def _scaled(nodes: Sequence[Node], factor: int, term: Term) -> Term:
    """`term` times a scalar, with minus signs and reciprocals taken apart."""
    node = nodes[factor]
    match node.op, node.args:
        case Elementwise("neg"), (inner,):
            return _scaled(nodes, inner, Term(-term.sign, term.times, term.over, term.core))
        case Elementwise("div"), (above, below):
            over = Term(term.sign, term.times, (*term.over, below), term.core)
            return _scaled(nodes, above, over)
        case _:
            return Term(term.sign, (*term.times, factor), term.over, term.core)


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
            return Diagonal(node.args[0])
        case Contract() | ComposeMap():
            return _gram(nodes, node) or _rest(nodes, index)
        case _:
            return _rest(nodes, index)


def _rest(nodes: Sequence[Node], index: int) -> Core:
    return Dense(index) if has_entries(nodes, index) else Opaque(index)


def has_entries(nodes: Sequence[Node], index: int) -> bool:
    """Whether a matrix or map can be written out as a matrix: no operator of the library or bound
    one is part of it."""
    waiting, seen = [index], set[int]()
    while waiting:
        index = waiting.pop()
        if index in seen or isinstance(nodes[index].type, Array):
            continue
        seen.add(index)
        match nodes[index].op:
            case IdentityMap() | DiagonalMap():
                pass
            case AdjointMap() | ComposeMap() | AddMap() | ScaleMap():
                waiting.extend(nodes[index].args)
            case _:
                return False
    return True


def _gram(nodes: Sequence[Node], node: Node) -> Gram | None:
    """`F' @ F`, `F @ F'` and `F' @ diag(w) @ F`, the weight being on either side."""
    left, right = node.args
    if not all(isinstance(nodes[a].type, Array) for a in node.args):
        return None
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
