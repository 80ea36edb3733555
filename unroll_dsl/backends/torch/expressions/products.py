"""Products of vectors, matrices and tensors."""

from __future__ import annotations

import ast

from unroll_dsl.backends.torch.expressions.calls import Calls
from unroll_dsl.backends.torch.templates import call, fill
from unroll_dsl.ir import nodes as ops
from unroll_dsl.types import Field


class Products(Calls):
    """Writes contractions."""

    def _contract(self, left: int, right: int) -> ast.expr:
        a, b = self.type(left), self.type(right)
        if a.rank == 2 and b.rank == 1:
            return self._matrix_vector(
                left, self.tensor(right), b.field, self.facts.batched[right], False
            )
        if a.rank == 2 and b.rank == 2:
            return self._product(self.value(left), self.value(right), a.field, b.field)
        letters = "abcdefghijklmnop"
        first = letters[: a.rank]
        second = first[-1] + letters[a.rank : a.rank + b.rank - 1]
        dots = ["..." if self.facts.batched[i] else "" for i in (left, right)]
        result = "..." if any(dots) else ""
        equation = f"{dots[0]}{first},{dots[1]}{second}->{result}{first[:-1]}{second[1:]}"
        operands = [self.value(left), self.value(right)]
        if (a.field is Field.COMPLEX) != (b.field is Field.COMPLEX):
            real = 0 if b.field is Field.COMPLEX else 1
            dtype = ast.Attribute(self.bind(operands[1 - real]), "dtype")
            operands[real] = fill("v.to(d)", v=operands[real], d=dtype)
        return call("torch.einsum", ast.Constant(equation), *operands)

    def _product(self, a: ast.expr, b: ast.expr, first: Field, second: Field) -> ast.expr:
        """`a @ b`; torch multiplies no real matrix by a complex one."""
        if (first is Field.COMPLEX) == (second is Field.COMPLEX):
            return fill("a @ b", a=a, b=b)
        return call("mixed_matmul", a, b)

    def _matrix_vector(
        self, matrix: int, vector: ast.expr, field: Field, batched: bool, adjoint: bool
    ) -> ast.expr:
        """`A @ x` as `x @ A.mT`, which takes any number of leading batch axes; `field` is x's."""
        node = self.nodes[matrix]
        own = self.type(matrix).field
        is_complex = own is Field.COMPLEX
        while isinstance(node.op, ops.Transpose) and self.known(matrix) is None:
            matrix, adjoint = node.args[0], not adjoint
            node = self.nodes[matrix]
        expr = self.value(matrix)
        if self.facts.batched[matrix]:
            mark = ("mH" if is_complex else "mT") if adjoint else None
            turned = ast.Attribute(expr, mark) if mark else expr
            column = fill("v[..., None]", v=vector)
            return fill("p[..., 0]", p=self._product(turned, column, own, field))
        if adjoint:
            conjugate = fill("m.conj()", m=expr) if is_complex else expr
            return self._product(vector, conjugate, field, own)
        if not batched:
            return self._product(expr, vector, own, field)
        return self._product(vector, fill("m.mT", m=expr), field, own)
