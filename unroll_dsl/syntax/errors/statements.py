"""Statements."""

from dataclasses import dataclass

from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.source import Span

__all__ = ["MissingHeader"]


@dataclass(frozen=True)
class MissingHeader(Diagnostic):
    """The program has no name.

    The first line of a program names it: `algorithm NAME`, or `problem NAME`. Wrong:

        dims m, n
        input y : vector[m]

    Right:

        algorithm ista
        dims m, n
        input y : vector[m]
    """

    code = "U0115"
    title = "missing header"
    span: Span
    name: str
    kind: str = "algorithm"

    def message(self) -> str:
        return "the program does not begin with its name"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, f"expected `{self.kind} NAME` before this"),)

    def help(self) -> str | None:
        return f"start the file with `{self.kind} {self.name}`"
