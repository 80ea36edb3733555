"""An expression of the page as a name: `A' @ y` is `Aty`, `F(d)` is `F_d`, `1 - P` is `one_minus_P`.

The text is read as Python's, which it all but is: `'` becomes `.T` and `^` becomes `**`.
"""

from __future__ import annotations

import ast
import keyword
import re

_COUNTS = ("zero", "one", "two", "three", "four")
LONGEST = 20  # letters of a name


def spelled(text: str) -> str | None:
    """A name for the value of an expression; None where none is short."""
    whole = _parsed(text)
    if whole is None:
        return None
    found = _spelled(whole)
    if found is not None and len(found) <= LONGEST:
        return found
    head = _head(whole)
    return head if head is not None and len(head) <= LONGEST else None


def _parsed(text: str) -> ast.expr | None:
    python = re.sub(r"(?<=[\w)\]'])'", ".T", text).replace("^", "**")
    words = re.sub(r"[^\W\d]\w*", lambda m: m[0] + "_" * keyword.iskeyword(m[0]), python)
    try:
        return ast.parse(" ".join(words.split()), mode="eval").body
    except (SyntaxError, ValueError):
        return None


def _spelled(expr: ast.expr) -> str | None:
    match expr:
        case ast.Name(word):
            return word.rstrip("_") or None
        case ast.Constant(int(value)) if value < len(_COUNTS):
            return _COUNTS[value]
        case ast.Attribute(value, "T"):
            return _joined("", (value,), "t")
        case ast.UnaryOp(ast.USub(), value):
            return _joined("minus_", (value,))
        case ast.BinOp(_, ast.MatMult() | ast.Mult()):
            return _product(expr)
        case ast.BinOp(value, ast.Pow(), ast.Constant(2)):
            return _joined("", (value,), "_squared")
        case ast.BinOp(left, op, right):
            sign = {ast.Add: "_plus_", ast.Sub: "_minus_", ast.Div: "_over_"}.get(type(op))
            return None if sign is None else _joined("", (left, right), between=sign)
        case ast.Call(ast.Name(word), [first, *_]):
            return _joined(f"{word}_", (first,))
        case _:
            return None


def _joined(
    before: str, parts: tuple[ast.expr, ...], after: str = "", between: str = ""
) -> str | None:
    words = [_spelled(part) for part in parts]
    if any(word is None for word in words):
        return None
    return before + between.join(word for word in words if word is not None) + after


def _product(expr: ast.expr) -> str | None:
    """`tau * A' @ y` as `tau_Aty`: what is multiplied as matrices stands together where it is short."""
    found, before = "", ""
    for factor, is_matrix in _factors(expr):
        word = _spelled(factor)
        if word is None:
            return None
        close = not found or (is_matrix and _is_letter(before) and _is_letter(word))
        found += word if close else f"_{word}"
        before = word
    return found


def _is_letter(word: str) -> bool:
    """Whether a word is a letter, or one with the `t` of an adjoint."""
    return len(word.removesuffix("t")) <= 1


def _factors(expr: ast.expr) -> list[tuple[ast.expr, bool]]:
    """The factors of a product, and whether each is multiplied as a matrix."""
    match expr:
        case ast.BinOp(left, ast.MatMult() | ast.Mult() as op, right):
            return [*_factors(left), *_also(_factors(right), isinstance(op, ast.MatMult))]
        case _:
            return [(expr, False)]


def _also(factors: list[tuple[ast.expr, bool]], is_matrix: bool) -> list[tuple[ast.expr, bool]]:
    (first, _), *rest = factors
    return [(first, is_matrix), *rest]


def _head(expr: ast.expr) -> str | None:
    """A function and the first name in it: `softplus_w` for `softplus(w * (k - 1) + c)`."""
    match expr:
        case ast.Call(ast.Name(word), [first, *_]):
            names = [n for n in ast.walk(first) if isinstance(n, ast.Name)]
            names.sort(key=lambda n: n.col_offset)
            return f"{word}_{names[0].id}" if names else word
        case ast.Call(ast.Name(word)):
            return word
        case _:
            return None
