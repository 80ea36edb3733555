"""Python expressions as `ast`: templates with holes, so that brackets come out right by themselves."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache


@cache
def _parsed(template: str) -> ast.expr:
    return ast.parse(template, mode="eval").body


def _copy(node: ast.AST, holes: Mapping[str, ast.expr]) -> ast.AST:
    """A tree of its own, with names replaced; `copy.deepcopy` takes ten times as long."""
    if isinstance(node, ast.Name) and node.id in holes:
        return holes[node.id]
    made = type(node)()
    for field in (*node._fields, *node._attributes):
        value = getattr(node, field, None)
        if isinstance(value, ast.AST):
            value = _copy(value, holes)
        elif isinstance(value, list):
            value = [_copy(v, holes) if isinstance(v, ast.AST) else v for v in value]
        setattr(made, field, value)
    return made


def fill(template: str, **holes: ast.expr) -> ast.expr:
    """The expression that `template` spells, with the names in `holes` replaced."""
    return replaced(_parsed(template), **holes)


def replaced(expr: ast.expr, **holes: ast.expr) -> ast.expr:
    """An expression with names in it replaced."""
    found = _copy(expr, holes)
    assert isinstance(found, ast.expr)
    return found


def name(text: str) -> ast.expr:
    """A name, or an attribute of one: `self.A`."""
    return fill(text)


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
