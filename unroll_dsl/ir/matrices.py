"""Maps that are matrices: identities, diagonals and what is made of them, as matrix values.

A page adds `rho * I` to a matrix and multiplies one by `diag(v)`; there the map is wanted as the
matrix that it is. All functions append to a list of nodes and return the id of the matrix.
"""

from __future__ import annotations

from functools import reduce

from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.builder import NodeList
from unroll_dsl.source import Span
from unroll_dsl.types import Array, Field


def arithmetic(nodes: NodeList, word: str, first: int, second: int, want: Array, span: Span) -> int:
    """An elementwise operation of two values with the shape of `want`: complex where one of them is."""
    return nodes.add(
        ops.Elementwise(word),
        (first, second),
        Array(want.shape, _field(nodes, (first, second))),
        span,
    )


def product(nodes: NodeList, op: ops.Op, args: tuple[int, ...], want: Array, span: Span) -> int:
    """A matrix made of matrices: complex where one of them is, whatever stands beside it."""
    return nodes.add(op, args, Array(want.shape, _field(nodes, args)), span)


def _field(nodes: NodeList, args: tuple[int, ...]) -> Field:
    types = (nodes.type(a) for a in args)
    return reduce(Field.join, (type_.field for type_ in types if isinstance(type_, Array)))


def matrix_of(nodes: NodeList, index: int, want: Array, span: Span) -> int:
    """A node that is a map made of identities and diagonals, as a matrix of the shape of `want`.

    A map of anything else is a fault of the compiler: the types of the page have no matrix there.
    """
    node = nodes.nodes[index]
    match node.op:
        case ops.IdentityMap():
            return nodes.add(ops.Eye(), (), Array(want.shape), span)
        case ops.DiagonalMap():
            diagonal = nodes.type(node.args[0])
            assert isinstance(diagonal, Array)
            made = Array(want.shape, diagonal.field)
            return nodes.add(ops.Builtin("diagonal_matrix"), node.args, made, span)
        case ops.ScaleMap():
            inner = matrix_of(nodes, node.args[1], want, span)
            return arithmetic(nodes, "mul", node.args[0], inner, want, span)
        case ops.AddMap(sign):
            first, second = (matrix_of(nodes, a, want, span) for a in node.args)
            return arithmetic(nodes, "add" if sign > 0 else "sub", first, second, want, span)
        case ops.ComposeMap():
            first, second = (matrix_of(nodes, a, want, span) for a in node.args)
            return product(nodes, ops.Contract(), (first, second), want, span)
        case ops.AdjointMap():
            inner = matrix_of(nodes, node.args[0], want, span)
            return nodes.add(ops.Transpose(), (inner,), nodes.type(inner), span)
        case _:
            raise InternalError(f"{span}: not a matrix")
