"""Numbers, sizes and constraints: what has no value, or one that is not allowed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.semantics.errors.names import one_of
from unroll_dsl.semantics.errors.operand import Operand
from unroll_dsl.source import Span

__all__ = [
    "BoundViolated",
    "DefaultOfSizes",
    "DimensionExpected",
    "DivisionByZero",
    "NoNumber",
    "ScalarExpected",
    "SizeWithoutEnd",
    "WrongBounds",
    "WrongDimensionCount",
]


@dataclass(frozen=True)
class BoundViolated(Diagnostic):
    """A classical value lies outside the constraint on the same line.

    Constraints hold from the start. Wrong:

        learnable t : scalar > 0 = -1

    Right:

        learnable t : scalar > 0 = 1
    """

    code = "U0310"
    title = "classical value violates its constraint"
    span: Span
    name: str
    value: str
    bounds: str
    bounds_span: Span

    def message(self) -> str:
        return f"the classical value of `{self.name}` violates its constraint"

    def labels(self) -> tuple[Label, ...]:
        return (
            Label(self.span, f"this is {self.value}"),
            Label(self.bounds_span, f"must be {self.bounds}"),
        )

    def help(self) -> str | None:
        return "choose a value that satisfies it, or loosen the constraint"


@dataclass(frozen=True)
class DefaultOfSizes(Diagnostic):
    """The default of a size is a number, not made of other sizes.

    Sizes follow from what is bound and given; a default counts where nothing tells one. Wrong:

        dims n, d = 8 * n
        learnable A : matrix[d, n] ~ normal

    Right:

        dims n
        learnable A : matrix[8 * n, n] ~ normal
    """

    code = "U0325"
    title = "default of a size made of sizes"
    span: Span
    name: str
    formula: str

    def message(self) -> str:
        return f"the default of size `{self.name}` must be a number"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "made of other sizes"),)

    def help(self) -> str | None:
        return f"sizes that are read may be formulas: `{self.formula}` in place of `{self.name}`"


@dataclass(frozen=True)
class DimensionExpected(Diagnostic):
    """Something stands for a size that is not one.

    Sizes are whole numbers, names from `dims`, and their sums, differences and products. Wrong:

        input y : vector[m / 2]

    Right:

        dims m2
        input y : vector[m2]
    """

    code = "U0311"
    title = "not a size"
    span: Span
    found: str
    near: tuple[str, ...] = ()
    undeclared: str | None = None
    block: str | None = None  # in which it stands

    def message(self) -> str:
        return f"`{self.found}` is not a size"

    def labels(self) -> tuple[Label, ...]:
        where = "`dims`" if self.block is None else f"the sizes of `{self.block}`"
        return (Label(self.span, f"expected a whole number or a name from {where}"),)

    def help(self) -> str | None:
        if self.undeclared and self.block and not self.near:
            return f"add it to them: `def block {self.block}[..., {self.undeclared}]`"
        if self.near:
            return f"did you mean {one_of(self.near)}?"
        if self.undeclared:
            return f"declare it: `dims {self.undeclared}`"
        return "sizes are sums, differences and products of whole numbers and names from `dims`"


@dataclass(frozen=True)
class WrongDimensionCount(Diagnostic):
    """A kind of space is given too many or too few sizes.

    A vector has one size, a matrix two, an image three (channels, height, width), a mask two. Wrong:

        input y : vector[m, n]

    Right:

        input y : matrix[m, n]
    """

    code = "U0312"
    title = "wrong number of sizes"
    span: Span
    kind: str
    expected: str
    found: int

    def message(self) -> str:
        return f"`{self.kind}` takes {self.expected}, found {self.found}"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, ""),)

    def help(self) -> str | None:
        return {
            0: "write `scalar`",
            1: "write `vector[...]` for one size",
            2: "write `matrix[...]` for two sizes",
        }.get(self.found, "write `tensor[...]` for any number of sizes")


@dataclass(frozen=True)
class ScalarExpected(Diagnostic):
    """An objective, a loss or a bound is not one real number.

    Wrong:

        minimize over x:
            A @ x - y

    Right:

        minimize over x:
            1/2 * sumsq(A @ x - y)
    """

    code = "U0315"
    title = "not a real scalar"
    value: Operand
    what: str

    def message(self) -> str:
        return f"{self.what} is one real number, found {self.value.type}"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.value.span, self.value.type), *self.value.causes())

    def help(self) -> str | None:
        words = "reduce it, for instance with `sumsq(...)`, `norm1(...)` or `mean(...)`"
        if self.what != "an objective":
            return words
        return f"{words}; a constraint is a term too, `indicator(min(x) >= 0)`"


@dataclass(frozen=True)
class WrongBounds(Diagnostic):
    """A constraint that nothing can satisfy, or that stands on what cannot be ordered.

    Wrong:

        learnable t : scalar in (1, 0)

    Right:

        learnable t : scalar in (0, 1)
    """

    code = "U0317"
    title = "constraint without sense"
    span: Span
    what: str
    why: Why

    class Why(Enum):
        """What is wrong, and the mend."""

        UNORDERED = (
            "{what} cannot be ordered, so it has no bounds",
            "remove the constraint, or declare it real",
        )
        EMPTY = "nothing lies in `{what}`", "the smaller bound comes first: `in (0, 1)`"

    def message(self) -> str:
        return self.why.value[0].format_map({"what": self.what})

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, ""),)

    def help(self) -> str | None:
        return self.why.value[1]


@dataclass(frozen=True, slots=True)
class DivisionByZero(Diagnostic):
    """A divisor is 0 whatever is bound, in every phase or in one of them.

    Wrong:

        let step = 1 / (2 - 2)
        learnable theta : scalar per phase = 0.1 / (k - 1)      # k counts from 1

    Right:

        let step = 1 / 2
        learnable theta : scalar per phase = 0.1 / k
    """

    code = "U0321"
    title = "division by zero"
    span: Span
    phase: int | None = None

    def message(self) -> str:
        return f"the divisor is 0{_in_phase(self.phase)}"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, f"0 where k = {self.phase}" if self.phase else "always 0"),)

    def help(self) -> str | None:
        if self.phase:
            return "`k` counts the phases from 1: divide by what is 0 in none of them"
        return "divide by something else; an infinite bound is left out: `scalar > 0`"


@dataclass(frozen=True, slots=True)
class NoNumber(Diagnostic):
    """A formula of numbers has no value, whatever is bound: the logarithm of 0, the root of a negative
    number, a power that no number of the machine can hold.

    Wrong:

        learnable theta : scalar per phase = log(k - 1)

    Right:

        learnable theta : scalar per phase = log(k)
    """

    code = "U0322"
    title = "no number"
    span: Span
    what: str
    phase: int | None = None

    def message(self) -> str:
        return f"{self.what} is no number{_in_phase(self.phase)}"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, f"here, where k = {self.phase}" if self.phase else "here"),)

    def help(self) -> str | None:
        return "`k` counts the phases from 1" if self.phase else None


def _in_phase(phase: int | None) -> str:
    return f" in phase {phase}" if phase else ""


@dataclass(frozen=True)
class SizeWithoutEnd(Diagnostic):
    """A size is too long when it is multiplied out: the product of ten sums has a thousand terms.

    Sizes are compared as polynomials. Wrong:

        input y : vector[(a + 1) * (b + 1) * (c + 1) * (d + 1) * (e + 1) * (f + 1) * (g + 1) * (h + 1) * (i + 1) * (j + 1)]

    Right:

        dims n
        input y : vector[n]
    """

    code = "U0331"
    title = "size that is too long"
    span: Span
    reason: str

    def message(self) -> str:
        return "this size is too long to be compared with others"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, self.reason),)

    def help(self) -> str | None:
        return "give it a name of its own: `dims n`"
