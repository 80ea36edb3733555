"""What gives dtype and device to new tensors, and how functions of the page are called."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

from unroll_dsl.backends.torch.templates import fill, name
from unroll_dsl.types import Field


@dataclass(frozen=True, slots=True)
class Like:
    """Something that gives dtype and device to new tensors: a tensor, or arguments so called."""

    tensor: ast.expr | None
    is_complex: bool = False

    def dtype(self, field: Field) -> ast.expr:
        base = name("dtype") if self.tensor is None else fill("t.dtype", t=self.tensor)
        if field is Field.COMPLEX and not self.is_complex:
            if self.tensor is None:
                return fill("d.to_complex()", d=base)
            # what torch.export and torch.compile can follow
            return fill("torch.promote_types(d, torch.complex64)", d=base)
        if field is not Field.COMPLEX and self.is_complex:
            assert self.tensor is not None
            return fill("t.real.dtype", t=self.tensor)  # what torch.export can follow
        return base

    def device(self) -> ast.expr:
        return name("device") if self.tensor is None else fill("t.device", t=self.tensor)

    def make(self, maker: str, *arguments: ast.expr, field: Field = Field.REAL) -> ast.expr:
        """`torch.maker(arguments, dtype=..., device=...)`."""
        if maker in ("tensor", "full"):  # 1 alone would make integers
            arguments = (*arguments[:-1], as_float(arguments[-1]))
        made = ast.Call(name(f"torch.{maker}"), list(arguments), [])
        made.keywords = [
            ast.keyword("dtype", self.dtype(field)),
            ast.keyword("device", self.device()),
        ]
        return made


def as_float(expr: ast.expr) -> ast.expr:
    """A literal integer as a float."""
    if isinstance(expr, ast.Constant) and isinstance(expr.value, int):
        return ast.Constant(float(expr.value))
    if isinstance(expr, ast.UnaryOp) and isinstance(expr.op, ast.USub):
        return ast.UnaryOp(ast.USub(), as_float(expr.operand))
    return expr


@dataclass(frozen=True, slots=True)
class Callee:
    """A generated function: its name, whether callers align its arguments, and which of its
    parameters may be plain numbers."""

    name: str
    elementwise: bool
    numbers: tuple[bool, ...]


Invoke = Callable[[str], Callee]  # how the function of that key in the graph is called
