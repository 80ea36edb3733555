"""U06: what cannot be certified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.source import Span


@dataclass(frozen=True, slots=True)
class NotCertified(Diagnostic):
    """An iteration is no combination of gradients and proximal maps of its objective.

    `unroll certify` bounds the worst case of an iteration over a class of functions, so it has to know what the
    phases ask of these functions. Gradients of smooth terms, proximal maps of the others, and combinations of
    points with numbers are that. A learned matrix is not, nor a shrinkage that is no proximal map, nor a step that
    depends on the iterates:

        algorithm hard_thresholding
        dims m, n
        input y : vector[m]
        fixed A : matrix[m, n]
        let L = norm(A)^2
        minimize over x:
            1/2 * sumsq(A @ x - y) + 0.1 * norm1(x)
        state x : vector[n] = 0
        phase (5):
            x <- hard(x - A' @ (A @ x - y) / L, 0.1)
        output x

    With `soft(x - A' @ (A @ x - y) / L, 0.1 / L)`, the proximal map of the l1 norm, it is certified.
    """

    code: ClassVar[str] = "U0630"
    title: ClassVar[str] = "no certificate"
    name: str
    reason: str
    mend: str
    span: Span

    def message(self) -> str:
        return f"`{self.name}` has no certificate: {self.reason}"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "here"),)

    def help(self) -> str | None:
        return self.mend or None
