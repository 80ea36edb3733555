"""Expressions and names as messages speak of them."""

from dataclasses import dataclass

from unroll_dsl.diagnostics.model import Label
from unroll_dsl.source import Span

__all__ = ["Mention", "Operand", "one_of", "with_article"]


def with_article(words: str) -> str:
    """`an input`, `a state`."""
    return f"{'an' if words[:1] in 'aeiou' else 'a'} {words}"


def one_of(names: tuple[str, ...]) -> str:
    """`a`, `b` or `c`, in the quotes of messages."""
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + " or " + quoted[-1]


@dataclass(frozen=True)
class Operand:
    """An expression in a message: where it stands, its type, and where its name got that type."""

    span: Span
    type: str
    cause: Span | None = None
    cause_text: str = ""

    def causes(self) -> tuple[Label, ...]:
        return (Label(self.cause, self.cause_text),) if self.cause is not None else ()


@dataclass(frozen=True, slots=True)
class Mention:
    """A name where it is read: what it stands for, in words, and where it is declared."""

    name: str
    span: Span
    sort: str
    declared: Span | None
