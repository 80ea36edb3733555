"""Expressions: what stands where it cannot, and what other notations write differently."""

from dataclasses import dataclass

from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.source import Span

__all__ = ["NumberTooLarge", "Unexpected"]


@dataclass(frozen=True)
class NumberTooLarge(Diagnostic):
    """A number is larger than a double can hold.

    Wrong:

        fixed rho : scalar = 1e999

    Right:

        fixed rho : scalar = 1e9
    """

    code = "U0130"
    title = "number too large"
    span: Span

    def message(self) -> str:
        return "this number is larger than a double can hold"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "the largest is about 1.8e308"),)


@dataclass(frozen=True)
class Unexpected(Diagnostic):
    """Something stands where the language has no place for it.

    Wrong:

        let t = 1 / / L

    Right:

        let t = 1 / L
    """

    code = "U0143"
    title = "unexpected text"
    span: Span
    found: str
    expected: str

    def message(self) -> str:
        return f"{self.found} cannot stand here"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, f"expected {self.expected}"),)
