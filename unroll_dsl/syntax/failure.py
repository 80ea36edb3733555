"""A line that the grammar refuses, and words for what it may have said instead."""

from __future__ import annotations

from dataclasses import dataclass

from unroll_dsl.source import Span
from unroll_dsl.syntax.blocks import Place
from unroll_dsl.syntax.declared import DeclaredNames, declared
from unroll_dsl.syntax.tokens import LINE_END, NAME, NUMBER, Line, Token

COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
BOUNDS = frozenset({"<", "<=", ">", ">=", "in"})
_OPERATORS = frozenset({*COMPARISONS, "+", "-", "*", "/", "@", "^", "'", "and", "or"})
_TYPES = frozenset({"complex", "linear", "network", "conv"})


@dataclass(frozen=True, slots=True)
class Failure:
    """Line `line` was read up to token `index`; `accepted` are the spellings that could follow."""

    line: Line
    index: int
    place: Place
    accepted: frozenset[str]

    @property
    def token(self) -> Token:
        return self.line.tokens[self.index]

    @property
    def span(self) -> Span:
        return self.token.span

    @property
    def text(self) -> str:
        return self.token.text

    @property
    def before(self) -> Token | None:
        return self.line.tokens[self.index - 1] if self.index else None

    @property
    def after(self) -> Token | None:
        following = self.index + 1
        return self.line.tokens[following] if following < len(self.line.tokens) else None

    @property
    def at_end(self) -> bool:
        return self.token.kind == LINE_END

    @property
    def first(self) -> str:
        return self.line.first.text

    @property
    def wants_expression(self) -> bool:
        return NUMBER in self.accepted

    @property
    def wants_operator(self) -> bool:
        return "*" in self.accepted

    @property
    def declared(self) -> DeclaredNames:
        """What the page declares, read off its text."""
        return declared(self.span.file.text)

    @property
    def words(self) -> str:
        """The line as it is written, without its comment."""
        whole = self.line.span
        return " ".join(whole.text.split("#")[0].split())

    @property
    def depth(self) -> int:
        """How many brackets are open at the failure."""
        texts = [token.text for token in self.line.tokens[: self.index]]
        opened, closed = ("(", "["), (")", "]")
        return sum(text in opened for text in texts) - sum(text in closed for text in texts)

    def has_before(self, *texts: str) -> Token | None:
        """The first token before the failure that is one of these, outside brackets."""
        depth = 0
        for token in self.line.tokens[: self.index]:
            depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
            if depth == 0 and " ".join(token.text.split()) in texts:
                return token
        return None

    def has_after(self, text: str) -> bool:
        return any(token.text == text for token in self.line.tokens[self.index :])

    def mended(self, span: Span, text: str) -> str:
        """The line with one place in it written differently."""
        whole = self.line.span
        file = whole.file.text
        line = file[whole.start : span.start] + text + file[span.end : whole.end]
        return " ".join(line.split()) if len(line) < 120 else text


def found(failure: Failure) -> str:
    """What stands at the failure, in words; nothing at a line's end."""
    token = failure.token
    if failure.at_end:
        return ""
    return f"the number {token.text}" if token.kind == NUMBER else f"`{token.text}`"


def expected(accepted: frozenset[str]) -> str:
    """The spellings that could follow, in words."""
    left = set(accepted)
    words: list[str] = []
    if NUMBER in left:
        words.append("an expression")
        left -= {NUMBER, NAME, "(", "-", "not", "sum over phases"}
    if "complex" in left:
        words.append("a type")
        left -= _TYPES | {NAME}
    if NAME in left:
        words.append("a name")
    if "*" in left:
        words.append("an operator")
        left -= _OPERATORS | {"("}
    elif len(left & BOUNDS) > 1:
        words.append("a bound such as `> 0`")
        left -= BOUNDS
    if "_DEDENT" in left:
        words.append("the end of the block")
    if LINE_END in left:
        words.append("the end of the line")
    words += [f"`{text}`" for text in sorted(left) if text[0] not in "_$" and text != NAME]
    words = words[:6]
    if not words:
        return "nothing more"
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]
