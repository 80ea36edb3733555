"""U06: what cannot be relaxed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.source import Span


@dataclass(frozen=True, slots=True)
class RelaxationRefused(Diagnostic):
    """A page has nothing that a relaxation could act on.

    Each relaxation looks for a part of an iteration: a gradient step, a shrinkage, a momentum, a multiplier.
    `unroll relax ista --relax momentum` is refused, as ISTA has none; `fista` has.
    """

    code: ClassVar[str] = "U0620"
    title: ClassVar[str] = "a relaxation that does not fit"
    relaxation: str
    reason: str
    span: Span

    def message(self) -> str:
        return f"`{self.relaxation}` does not fit this page: {self.reason}"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "looked for here"),)


@dataclass(frozen=True, slots=True)
class RelaxationUnknown(Diagnostic):
    """There is no such relaxation, or it does not know what stands in its brackets.

    `unroll relax ista --relax step,threshold(entrywise)` is right; `--relax stpe` and `--relax step(fast)` are not.
    """

    code: ClassVar[str] = "U0621"
    title: ClassVar[str] = "an unknown relaxation"
    text: str
    known: tuple[str, ...]
    span: Span

    def message(self) -> str:
        return f"`{self.text}` is not known"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "the page to relax"),)

    def help(self) -> str | None:
        return f"known are {', '.join(self.known)}" if self.known else "it takes none"
