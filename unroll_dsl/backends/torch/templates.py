"""Python expressions as `ast`: templates with holes, so that brackets come out right by themselves."""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping
from functools import cache


@cache
def _parsed(template: str) -> ast.expr:
    return ast.parse(template, mode="eval").body


class _Fill(ast.NodeTransformer):
    def __init__(self, holes: Mapping[str, ast.expr]) -> None:
        self.holes = holes

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.holes.get(node.id, node)


def fill(template: str, **holes: ast.expr) -> ast.expr:
    """The expression that `template` spells, with the names in `holes` replaced."""
    filled = _Fill(holes).visit(copy.deepcopy(_parsed(template)))
    assert isinstance(filled, ast.expr)
    return filled


def replaced(expr: ast.expr, **holes: ast.expr) -> ast.expr:
    """An expression with names in it replaced."""
    found = _Fill(holes).visit(copy.deepcopy(expr))
    assert isinstance(found, ast.expr)
    return found


def name(text: str) -> ast.expr:
    """A name, or an attribute of one: `self.A`."""
    return copy.deepcopy(_parsed(text))


def number(value: int | float) -> ast.expr:
    if value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def call(function: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(name(function), list(arguments), [])


def text(expr: ast.expr) -> str:
    return ast.unparse(ast.fix_missing_locations(expr))


def trailing(expr: ast.expr, count: int) -> ast.expr:
    """`expr[..., None, None]`: `count` axes of length 1 at the end."""
    if count == 0:
        return expr
    index = ", ".join(["...", *["None"] * count])
    return fill(f"value[{index}]", value=expr)


def is_simple(expr: ast.expr) -> bool:
    """A name, an attribute or a number: repeating it repeats no work."""
    return isinstance(expr, ast.Name | ast.Constant) or (
        isinstance(expr, ast.Attribute) and is_simple(expr.value)
    )
