"""One node of the graph as a Python expression in torch."""

from __future__ import annotations

import ast
import math
from typing import assert_never

from unroll_dsl.backends.torch.expressions.maps import Maps
from unroll_dsl.backends.torch.templates import name, number
from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.ir import nodes as ops
from unroll_dsl.operators.registry import function
from unroll_dsl.types import Field

_LookedUp = ops.Named | ops.PhaseNumber | ops.Argument | ops.BlockLayer | ops.PhaseSum


class Expressions(Maps):
    """Writes the nodes of one graph or function body in one place of the generated code."""

    def compute(self, index: int) -> ast.expr:
        """The expression that computes a node from its arguments."""
        if index in self.stands_for:
            return self.value(self.stands_for[index])
        node = self.nodes[index]
        args = node.args
        if isinstance(node.op, ops.Applied):
            return self._applied(index, node.op)
        match node.op:
            case ops.Constant(value):
                return name("torch.pi") if value == math.pi else number(value)
            case ops.Size(dim):
                return self.size(dim)
            case ops.Elementwise(word):
                return self._elementwise(index, word)
            case ops.Builtin(word, statics):
                return self._builtin(index, function(word), statics)
            case ops.Invoke(key):
                return self._invoke(index, key)
            case ops.Expand():
                return self._expand(index)
            case ops.Eye():
                return self._eye(index)
            case ops.Transpose():
                mark = "mH" if self.type(index).field is Field.COMPLEX else "mT"
                return ast.Attribute(self.value(args[0]), mark)
            case _:
                raise _absent(node.op)

    def _eye(self, index: int) -> ast.expr:
        m, n = self.type(index).shape
        sides = [self.size(m)] if m == n else [self.size(m), self.size(n)]
        return self.like().make("eye", *sides)

    def _applied(self, index: int, op: ops.Applied) -> ast.expr:
        """What matrices, maps and layers make of their arguments."""
        args = self.nodes[index].args
        match op:
            case ops.Contract():
                return self._contract(args[0], args[1])
            case ops.Apply():
                return self._apply(args[0], args[1])
            case ops.Solve():
                return self._iterated(index)
            case ops.ApplyLayer():
                return self._layer(*args)
            case ops.ConvolvePair():
                return self._pair(*args)
            case ops.PairKernel():
                return self._pair_kernel(*args)
            case ops.ConvolveFew():
                return self._few(*args)
            case _:
                assert_never(op)


def _absent(op: _LookedUp | ops.Map) -> InternalError:
    """What is looked up by its name, or is no value."""
    return InternalError(f"{op} has no expression in this place")
