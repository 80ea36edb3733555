"""U06: what cannot be derived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.source import Span


@dataclass(frozen=True, slots=True)
class MethodRefused(Diagnostic):
    """A method does not serve an objective.

    Each method asks something of the terms: gradient descent that all be smooth, ISTA that what is not smooth
    have a proximal map. `unroll derive FILE --method gradient` of

        problem lasso
        dims m, n
        input y : vector[m]
        fixed A : matrix[m, n]
        minimize over x : vector[n]:
            1/2 * sumsq(A @ x - y) + norm1(x)

    is refused, as the l1 norm has no gradient at 0; ISTA would do.
    """

    code: ClassVar[str] = "U0610"
    title: ClassVar[str] = "a method that does not serve"
    method: str
    reason: str
    span: Span
    instead: tuple[str, ...]

    def message(self) -> str:
        return f"{self.method} does not serve this objective: {self.reason}"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "this is in the way"),)

    def help(self) -> str | None:
        if not self.instead:
            return "no method that is known serves it: `unroll derive FILE` lists why"
        return "derive it by " + " or ".join(f"`--method {name}`" for name in self.instead)


@dataclass(frozen=True, slots=True)
class OptionRefused(Diagnostic):
    """An option of a derivation is not one of the method.

    A splitting is one of ADMM and its like, a momentum one of FISTA's, and a name or a value has to be of
    something that the method declares. `unroll derive lasso --method ista --split "z = x"` is refused: ISTA
    splits nothing.
    """

    code: ClassVar[str] = "U0611"
    title: ClassVar[str] = "an option that does not fit"
    option: str
    reason: str
    span: Span
    mend: str | None = None

    def message(self) -> str:
        return f"`{self.option}`: {self.reason}"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "the objective"),)

    def help(self) -> str | None:
        return self.mend
