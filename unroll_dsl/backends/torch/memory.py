"""How values that are computed at set-up lie in memory: optimisers and file formats want them contiguous."""

from __future__ import annotations

from collections.abc import Sequence

from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.nodes import Node
from unroll_dsl.operators.model import Kind
from unroll_dsl.operators.registry import function
from unroll_dsl.types import Array


def is_contiguous(nodes: Sequence[Node], index: int) -> bool:
    """Whether the tensor of a node is contiguous for certain, where what is bound is.

    torch lays out the result of elementwise arithmetic as its arguments lie: `A.mT / 2` is transposed in
    memory. Factorisations and inverses come as libraries of Fortran leave them.
    """
    node = nodes[index]
    type_ = node.type
    if not isinstance(type_, Array):
        return True
    match node.op:
        case (
            ops.Fixed()
            | ops.Learnable()
            | ops.Constant()
            | ops.Size()
            | ops.PhaseNumber()
            | ops.Eye()
            | ops.Expand()  # what is kept is a copy
        ):
            return True
        case ops.Contract():
            return type_.rank <= 2
        case ops.Builtin(word) if function(word).kind is Kind.REDUCTION:
            return True
        case ops.Elementwise():
            arrays = [a for a in node.args if isinstance(t := nodes[a].type, Array) and t.rank]
            alike = all(nodes[a].type.rank == type_.rank for a in arrays)  # type: ignore[union-attr]
            return alike and all(is_contiguous(nodes, a) for a in arrays)
        case _:
            return not type_.rank
