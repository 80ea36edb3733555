"""Python with some names replaced by constants: tests that are decided then, and what they leave."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence


class Folding(ast.NodeTransformer):
    """Replaces names by constants and simplifies what that decides; `given` are never None."""

    def __init__(self, values: Mapping[str, ast.Constant], given: Collection[str]) -> None:
        self.values = values
        self.given = given

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if isinstance(node.ctx, ast.Load):
            return self.values.get(node.id, node)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        match node:
            case ast.Compare(left, [ast.Is() | ast.IsNot() as op], [ast.Constant(None)]):
                if isinstance(left, ast.Constant):
                    return ast.Constant((left.value is None) == isinstance(op, ast.Is))
                if isinstance(left, ast.Name) and left.id in self.given:
                    return ast.Constant(isinstance(op, ast.IsNot))
            case ast.Compare(left, [ast.Eq() | ast.NotEq() as op], [ast.Constant(bool(value))]):
                same = isinstance(op, ast.Eq) == value
                return left if same else ast.UnaryOp(ast.Not(), left)
            case _:
                pass
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not) and isinstance(node.operand, ast.Constant):
            return ast.Constant(not node.operand.value)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        self.generic_visit(node)
        decides = isinstance(node.op, ast.Or)  # the value that settles it
        left: list[ast.expr] = []
        for value in node.values:
            if isinstance(value, ast.Constant):
                if bool(value.value) is decides:
                    return (
                        ast.Constant(decides) if not left else ast.BoolOp(node.op, [*left, value])
                    )
            else:
                left.append(value)
        if not left:
            return ast.Constant(not decides)
        return left[0] if len(left) == 1 else ast.BoolOp(node.op, left)

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.test, ast.Constant):
            return node.body if node.test.value else node.orelse
        return node

    def visit_If(self, node: ast.If) -> ast.stmt | list[ast.stmt]:
        self.generic_visit(node)
        if not isinstance(node.test, ast.Constant):
            return node
        first, *others = node.body
        kept = others if is_comment(first) else node.body  # it was behind the test
        return kept if node.test.value else node.orelse


def is_comment(statement: ast.stmt) -> bool:
    """Whether a statement stands for a comment: the text of one."""
    match statement:
        case ast.Expr(ast.Constant(str(text))):
            return text.startswith("# ")
        case _:
            return False


def folded_body(statements: Sequence[ast.stmt | list[ast.stmt] | None]) -> list[ast.stmt]:
    """The statements that are reached."""
    found: list[ast.stmt] = []
    for each in statements:
        for statement in each if isinstance(each, list) else [each]:
            if statement is None:
                continue
            found.append(statement)
            if isinstance(statement, ast.Return | ast.Raise):
                return found
    return found
