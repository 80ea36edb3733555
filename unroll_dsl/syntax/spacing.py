"""Spaces between the tokens of a line, as the shipped pages have them.

x<-x-t*A' @(A@x -y)        x <- x - t * A' @ (A @ x - y)
conv [1->32,3,padding = circular]        conv[1 -> 32, 3, padding=circular]
"""

from __future__ import annotations

from collections.abc import Sequence

from unroll_dsl.syntax.blocks import STATEMENT_WORDS
from unroll_dsl.syntax.tokens import NAME, NUMBER, RESERVED, Token

_OPENING, _CLOSING = ("(", "["), (")", "]")
_SPACES = ("complex", "scalar", "vector", "matrix", "tensor", "image", "mask")
_BLOCKS = ("phase", "minimize", "loss", "def")
_LINE_WORDS = ("return", "trace")


def gaps(tokens: Sequence[Token], in_block: bool) -> list[str]:
    """What stands before each token of a logical line, `""` or `" "`; nothing before the first.

    Parameters
    ----------
    in_block
        Whether the line stands in the block of a statement, where the words of statements are names.
    """
    found: list[str] = []
    brackets: list[str] = []
    for index, token in enumerate(tokens):
        found.append(_gap(tokens, index, brackets, in_block) if index else "")
        if token.text in _OPENING:
            brackets.append(token.text)
        elif token.text in _CLOSING and brackets:
            brackets.pop()
    return found


def words(token: Token) -> str:
    """The token as it is written: `per   phase` has one space."""
    return " ".join(token.span.text.split())


def _gap(tokens: Sequence[Token], index: int, brackets: list[str], in_block: bool) -> str:
    before, token = tokens[index - 1], tokens[index]
    if before.text in _OPENING or token.text in (*_CLOSING, ",", "'", "^") or before.text == "^":
        return ""
    if token.text in _OPENING:
        is_applied = _is_operand(tokens, index - 1, in_block) and before.kind != NUMBER
        return "" if is_applied else " "
    if brackets and brackets[-1] == "[" and ":" in (token.text, before.text):
        return ""  # a range
    if token.text == ":":
        return " " if _is_of_a_type(tokens, index, brackets, in_block) else ""
    if brackets and "=" in (token.text, before.text):
        return ""  # a keyword
    if before.text == "-" and not _is_operand(tokens, index - 2, in_block):
        return ""
    if "/" in (token.text, before.text) and _is_fraction(tokens, index, token.text == "/"):
        return ""
    return " "


def _is_operand(tokens: Sequence[Token], index: int, in_block: bool) -> bool:
    """Whether a minus or a bracket behind this token belongs to it."""
    if index < 0:
        return False
    token = tokens[index]
    if index == 0 and in_block and _is_inner_loop(tokens):
        return False
    if index == 0 and token.text in (_LINE_WORDS if in_block else STATEMENT_WORDS):
        follows = tokens[1].text if len(tokens) > 1 else ""
        return follows in ("=", "<-") and in_block
    if token.kind == NAME:
        return token.text not in RESERVED
    return token.kind == NUMBER or token.text in (*_CLOSING, "'") or token.text[-1:] == "i"


def _is_inner_loop(tokens: Sequence[Token]) -> bool:
    """Whether a line of a block is the head of one itself: `repeat (3):`."""
    return tokens[0].text == "repeat" and tokens[-1].text == ":"


def _is_of_a_type(tokens: Sequence[Token], index: int, brackets: list[str], in_block: bool) -> bool:
    """Whether a colon stands between names and their type, not at the head of a block."""
    if brackets:
        return True
    if in_block or tokens[0].text not in _BLOCKS:
        return not (in_block and _is_inner_loop(tokens))
    after = tokens[index + 1].text if index + 1 < len(tokens) else ""
    return tokens[0].text == "minimize" and after in _SPACES


def _is_fraction(tokens: Sequence[Token], index: int, at_sign: bool) -> bool:
    """Whether a slash between two numbers is written without spaces: `1/2`."""
    sign = index if at_sign else index - 1
    if sign == 0 or sign + 1 >= len(tokens):
        return False
    left, slash, right = tokens[sign - 1 : sign + 2]
    is_tight = left.span.end == slash.span.start and slash.span.end == right.span.start
    return is_tight and left.kind == NUMBER and right.kind == NUMBER
