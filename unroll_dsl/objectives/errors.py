"""U06: what cannot be read as a normal form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.source import Span


@dataclass(frozen=True, slots=True)
class NoObjective(Diagnostic):
    """The page does not say what it minimises.

    A method is derived from an objective, so the page needs a `minimize` line:

        problem least_squares
        dims m, n
        input y : vector[m]
        fixed A : matrix[m, n]
        minimize over x : vector[n]:
            1/2 * sumsq(A @ x - y)
    """

    code: ClassVar[str] = "U0601"
    title: ClassVar[str] = "no objective"
    name: str
    span: Span

    def message(self) -> str:
        return f"`{self.name}` has no objective"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "nothing to derive a method from"),)

    def help(self) -> str:
        return "say what is minimised: `minimize over x : vector[n]:` and the objective below it"


@dataclass(frozen=True, slots=True)
class NoAtom(Diagnostic):
    """A term of the objective is nothing whose gradient or proximal map is known.

    An objective is a sum of weighted atoms of affine maps of its variables; docs/atoms.md lists the
    atoms with their spellings. `sum(sin(x))` is none of them:

        problem unknown_term
        dims n
        input y : vector[n]
        minimize over x : vector[n]:
            1/2 * sumsq(x - y) + sum(sin(x))

    Write the term as an atom, or as a sum of such.
    """

    code: ClassVar[str] = "U0602"
    title: ClassVar[str] = "a term that is no known atom"
    span: Span
    text: str
    why: str | None = None

    def message(self) -> str:
        return f"`{self.text}` is no atom that is known"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, self.why or "neither its gradient nor its proximal map is known"),)

    def help(self) -> str:
        return "docs/atoms.md lists the atoms and how they are written"


@dataclass(frozen=True, slots=True)
class NotAffineHere(Diagnostic):
    """What an atom is applied to is not affine in the variables.

    The normal form knows atoms of sums of linear maps of the variables and constants:
    `norm1(D @ x - b)`. A square within the norm is nothing of the kind:

        problem bent
        dims n
        input y : vector[n]
        minimize over x : vector[n]:
            sumsq(x - y) + norm1(x^2 - y)
    """

    code: ClassVar[str] = "U0603"
    title: ClassVar[str] = "an argument that is not affine"
    span: Span
    text: str
    atom: str

    def message(self) -> str:
        return f"the argument of the {self.atom} is not affine in the variables"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, f"`{self.text}` is not affine"),)

    def help(self) -> str:
        return "an argument is a sum of linear maps of the variables and constants: `A @ x - b`"
