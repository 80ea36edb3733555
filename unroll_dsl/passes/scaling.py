"""Maps applied: sums, scalings, products and adjoints move from the map to what it is applied to.

    %4 = scale_map %3, %1         %4 = apply %1, %2
    %5 = apply %4, %2        =>   %5 = mul %3, %4

`(c * M) @ x` is `c * (M @ x)`: one vector is scaled, not a matrix in every phase. The rules on maps
hold always. A scaled matrix is taken apart if it is written for this product alone: one that the
author named, or that is read elsewhere, is formed once and kept. `(M1 @ M2) @ x` becomes
`M1 @ (M2 @ x)` where the product of matrices is known no earlier than that with `x`; `(A' @ A) @ x`
stays as it is written where `A` is fixed.

Adjoints move inwards to the maps of the library and to bound ones: `(M1 @ M2)'` is `M2' @ M1'`,
`M''` is `M`.
"""

from __future__ import annotations

from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import (
    AddMap,
    AdjointMap,
    Apply,
    Builtin,
    ComposeMap,
    Contract,
    DiagonalMap,
    Elementwise,
    Eye,
    IdentityMap,
    Node,
    ScaleMap,
    Solve,
    Transpose,
)
from unroll_dsl.passes.regularity import regular, without_proven
from unroll_dsl.passes.rewrite import Rewriting, Rule, apply_rules, rank, rewrite, scalar
from unroll_dsl.source import Span
from unroll_dsl.types import Array, Form, LinearMap
from unroll_dsl.types.algebra import elementwise

_Made = Apply | Contract | Transpose | Solve | AdjointMap | ComposeMap


def scaling(graph: Graph) -> Graph:
    """Apply the rules of `RULES` to every node."""
    return without_proven(rewrite(graph, RULES))


# ---- shorthand: these apply the rules to what they make -----------------------------------------


def _make(new: Rewriting, op: _Made, *args: int, origin: Span | None) -> int:
    """A simplified value or map. Made once for the same arguments: maps that share parts, as
    `B + B` of `B = A + A`, must not be taken apart more often than they were put together."""
    if (op, args) not in new.made:
        new.made[op, args] = apply_rules(new, new.node(op, *args, origin=origin), RULES)
    return new.made[op, args]


def _apply(new: Rewriting, map_: int, x: int, origin: Span | None) -> int:
    """`map_ @ x` of a map or a matrix."""
    op = Contract() if isinstance(new.type(map_), Array) else Apply()
    return _make(new, op, map_, x, origin=origin)


def _adjoint(new: Rewriting, map_: int, origin: Span | None) -> int:
    """The adjoint of a map or a matrix."""
    op = Transpose() if isinstance(new.type(map_), Array) else AdjointMap()
    return _make(new, op, map_, origin=origin)


# ---- adjoints of maps ---------------------------------------------------------------------------


def _adjoint_of(new: Rewriting, node: Node) -> int | None:
    if not isinstance(node.op, AdjointMap):
        return None
    inner, origin = new.nodes[node.args[0]], node.origin
    match inner.op:
        case AdjointMap():
            return inner.args[0]
        case IdentityMap():
            return node.args[0]
        case DiagonalMap():
            conjugate = new.conj(inner.args[0], origin)
            if conjugate == inner.args[0]:
                return node.args[0]
            return new.make(DiagonalMap(), conjugate, origin=origin)
        case ComposeMap():
            outer, within = (_adjoint(new, a, origin) for a in inner.args)
            return new.make(ComposeMap(), within, outer, origin=origin)
        case AddMap():
            left, right = (_adjoint(new, a, origin) for a in inner.args)
            return new.make(inner.op, left, right, origin=origin)
        case ScaleMap():
            factor = new.conj(inner.args[0], origin)
            return new.make(ScaleMap(), factor, _adjoint(new, inner.args[1], origin), origin=origin)
        case _:
            return None


def _transpose_of(new: Rewriting, node: Node) -> int | None:
    if not isinstance(node.op, Transpose):
        return None
    inner = new.nodes[node.args[0]]
    match inner.op:
        case Transpose():
            return inner.args[0]
        case Eye() if new.array(node.args[0]).shape == new.array(node.args[0]).shape[::-1]:
            return node.args[0]
        case _:
            return None


# ---- maps applied -------------------------------------------------------------------------------


def _applied(new: Rewriting, node: Node) -> int | None:
    if not isinstance(node.op, Apply):
        return None
    map_, x = node.args
    inner, origin = new.nodes[map_], node.origin
    match inner.op:
        case IdentityMap():
            return x
        case DiagonalMap():
            return new.elementwise("mul", inner.args[0], x, origin=origin)
        case ScaleMap():
            factor, rest = inner.args
            return new.elementwise("mul", factor, _apply(new, rest, x, origin), origin=origin)
        case ComposeMap():
            outer, within = inner.args
            return _apply(new, outer, _apply(new, within, x, origin), origin)
        case AddMap(sign):
            left, right = (_apply(new, part, x, origin) for part in inner.args)
            return new.elementwise("add" if sign > 0 else "sub", left, right, origin=origin)
        case _:
            return None


def _composed_identity(new: Rewriting, node: Node) -> int | None:
    if not isinstance(node.op, ComposeMap):
        return None
    for kept, other in (node.args, node.args[::-1]):
        if isinstance(new.nodes[other].op, IdentityMap) and isinstance(new.type(kept), LinearMap):
            return kept
    return None


def _composed_diagonals(new: Rewriting, node: Node) -> int | None:
    if not isinstance(node.op, ComposeMap):
        return None
    first, second = (new.nodes[a] for a in node.args)
    match first.op, second.op:
        case DiagonalMap(), DiagonalMap() if _multiply(
            *(new.array(m.args[0]) for m in (first, second))
        ):
            entries = new.elementwise("mul", first.args[0], second.args[0], origin=node.origin)
            return new.make(DiagonalMap(), entries, origin=node.origin)
        case _:
            return None


def _multiply(first: Array, second: Array) -> bool:
    """Whether the entries of two diagonals may be multiplied before they act: where they stand beside
    each other as they do beside the argument. A number a channel and a mask do not: with as many
    channels as rows the one would be taken for a number a row."""
    if first.shape == second.shape or not first.rank or not second.rank:
        return True
    larger = first if first.rank > second.rank else second
    return larger.form is not Form.MASK and isinstance(elementwise(first, second), Array)


def _composed_scaling(new: Rewriting, node: Node) -> int | None:
    """`(c * M) @ N` and `M @ (c * N)` are `c * (M @ N)`."""
    if not isinstance(node.op, ComposeMap):
        return None
    left, right = (new.nodes[a] for a in node.args)
    match left.op, right.op:
        case ScaleMap(), _:
            factor, args = left.args[0], (left.args[1], node.args[1])
        case _, ScaleMap():
            factor, args = right.args[0], (node.args[0], right.args[1])
        case _:
            return None
    inner = _make(new, ComposeMap(), *args, origin=node.origin)
    return new.make(ScaleMap(), factor, inner, origin=node.origin)


# ---- matrices applied ---------------------------------------------------------------------------


def _scaled_matrix(new: Rewriting, node: Node) -> int | None:
    """`(c * M) @ x`, `(M / c) @ x`, `(-M) @ x` and those of `(c * M)'`, for a vector x."""
    if not isinstance(node.op, Contract) or [rank(new, a) for a in node.args] != [2, 1]:
        return None
    found = _formed_for(new, node)
    if found is None or found[0].label is not None:
        return None
    return _scalar_out(new, node, *found, right=False)


def _scaled_factor(new: Rewriting, node: Node) -> int | None:
    """`(c * M) @ N` and `M @ (c * N)` of matrices: the product without c may be known earlier."""
    if not isinstance(node.op, Contract) or [rank(new, a) for a in node.args] != [2, 2]:
        return None
    for position, index in enumerate(node.args):
        inner, turned = new.nodes[index], False
        if isinstance(inner.op, Transpose):
            inner, turned = new.nodes[inner.args[0]], True
        found = _scalar_out(new, node, inner, turned, right=position == 1)
        if found is not None:
            return found
    return None


def _scalar_out(
    new: Rewriting, node: Node, scaled: Node, turned: bool, *, right: bool
) -> int | None:
    """The product `node` without the scalar in one of its factors, times that scalar. `scaled` is
    the right or left factor, or, if `turned`, that of which the factor is the adjoint."""

    def product(rest: int) -> int:
        factor = _adjoint(new, rest, node.origin) if turned else rest
        args = (node.args[0], factor) if right else (factor, node.args[1])
        return _make(new, Contract(), *args, origin=node.origin)

    def scale(index: int) -> int:
        return new.conj(index, node.origin) if turned else index

    match scaled.op, scaled.args:
        case Elementwise("mul"), (c, rest) if scalar(new, c):
            return new.elementwise("mul", scale(c), product(rest), origin=node.origin)
        case Elementwise("mul"), (rest, c) if scalar(new, c):
            return new.elementwise("mul", scale(c), product(rest), origin=node.origin)
        case Elementwise("div"), (rest, c) if scalar(new, c):
            return new.elementwise("div", product(rest), scale(c), origin=node.origin)
        case Elementwise("neg"), (rest,):
            return new.elementwise("neg", product(rest), origin=node.origin)
        case _:
            return None


def _product_applied(new: Rewriting, node: Node) -> int | None:
    """`(M1 @ M2) @ x` is `M1 @ (M2 @ x)`, for a vector x, where the product is not kept."""
    if not isinstance(node.op, Contract) or [rank(new, a) for a in node.args] != [2, 1]:
        return None
    x = node.args[1]
    found = _formed_for(new, node)
    if found is None or new.stages[node.args[0]] < max(new.stages[a] for a in node.args):
        return None
    inner, turned = found
    if not isinstance(inner.op, Contract) or any(rank(new, a) != 2 for a in inner.args):
        return None
    first, second = inner.args
    if turned:
        first, second = (_adjoint(new, a, node.origin) for a in (second, first))
    return _apply(new, first, _apply(new, second, x, node.origin), node.origin)


def _scaled_solve(new: Rewriting, node: Node) -> int | None:
    """`solve(c * M, b)` is `solve(M, b) / c`."""
    if not isinstance(node.op, Solve):
        return None
    matrix, b = node.args
    inner, origin = new.nodes[matrix], node.origin

    def solved(rest: int) -> int:
        return _make(new, Solve(), rest, b, origin=origin)

    def divisor(c: int) -> int:
        return regular("regular", c, new, origin)

    match inner.op, inner.args:
        case ((Elementwise("mul") | ScaleMap()), (c, rest)) if scalar(new, c):
            return new.elementwise("div", solved(rest), divisor(c), origin=origin)
        case Elementwise("mul"), (rest, c) if scalar(new, c):
            return new.elementwise("div", solved(rest), divisor(c), origin=origin)
        case Elementwise("div"), (rest, c) if scalar(new, c):
            return new.elementwise("mul", solved(rest), c, origin=origin)
        case Elementwise("neg"), (rest,):
            return new.elementwise("neg", solved(rest), origin=origin)
        case _:
            return None


def _diagonal_matrix(new: Rewriting, node: Node) -> int | None:
    """`diag(v) @ M` scales the rows of M, `M @ diag(v)` its columns: no product of matrices."""
    if not isinstance(node.op, Contract):
        return None
    left, right = (new.nodes[a] for a in node.args)
    match left.op, right.op:
        case Builtin("diagonal_matrix"), _:
            return new.elementwise("mul", left.args[0], node.args[1], origin=node.origin)
        case _, Builtin("diagonal_matrix") if rank(new, node.args[0]) == 2:
            rows = _adjoint(new, node.args[0], node.origin)
            entries = new.conj(right.args[0], node.origin)
            scaled = new.elementwise("mul", entries, rows, origin=node.origin)
            return _adjoint(new, scaled, node.origin)
        case _:
            return None


def _identity_matrix(new: Rewriting, node: Node) -> int | None:
    if not isinstance(node.op, Contract):
        return None
    for eye, kept in (node.args, node.args[::-1]):
        type_ = new.array(eye)
        square = type_.rank == 2 and type_.shape[0] == type_.shape[1]
        if square and isinstance(new.nodes[eye].op, Eye) and new.type(kept) == node.type:
            return kept
    return None


def _formed_for(new: Rewriting, node: Node) -> tuple[Node, bool] | None:
    """The matrix of a product, if it is formed for it alone; and whether it stands there
    transposed."""
    matrix = node.args[0]
    if matrix in new.shared:
        return None
    if not isinstance(new.nodes[matrix].op, Transpose):
        return new.nodes[matrix], False
    inner = new.nodes[matrix].args[0]
    return None if inner in new.shared else (new.nodes[inner], True)


RULES: tuple[Rule, ...] = (
    Rule("adjoint of a map moves inwards", _adjoint_of),
    Rule("transpose of a transpose", _transpose_of),
    Rule("composed with the identity", _composed_identity),
    Rule("scalar out of a composed map", _composed_scaling),
    Rule("composed diagonals multiply", _composed_diagonals),
    Rule("map applied part by part", _applied),
    Rule("product with the identity", _identity_matrix),
    Rule("product with a diagonal matrix", _diagonal_matrix),
    Rule("scalar out of a matrix that is applied", _scaled_matrix),
    Rule("scalar out of a product of matrices", _scaled_factor),
    Rule("scalar out of the matrix of a system", _scaled_solve),
    Rule("product of matrices applied from the right", _product_applied),
)
