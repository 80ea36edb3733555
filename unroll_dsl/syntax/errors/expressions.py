"""Expressions: what stands where it cannot, and what other notations write differently."""

from dataclasses import dataclass

from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.source import Span

__all__ = [
    "ChainedComparison",
    "ForeignOperator",
    "Indexing",
    "MissingExpression",
    "MissingOperator",
    "NumberTooLarge",
    "ReservedWord",
    "SlashComment",
    "TransposeSpelling",
    "Unexpected",
]


@dataclass(frozen=True)
class NumberTooLarge(Diagnostic):
    """A number is larger than a double can hold.

    Wrong:

        fixed rho : scalar = 1e999

    Right:

        fixed rho : scalar = 1e9
    """

    code = "U0132"
    title = "number too large"
    span: Span

    def message(self) -> str:
        return "this number is larger than a double can hold"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "the largest is about 1.8e308"),)


@dataclass(frozen=True)
class MissingExpression(Diagnostic):
    """The line ends, a bracket closes or a comma comes where an expression should be.

    Wrong:

        let t =

    Right:

        let t = 1 / L
    """

    code = "U0133"
    title = "missing expression"
    span: Span
    before: Span
    where: str

    def message(self) -> str:
        return f"an expression is missing after `{self.before.text}`"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, f"expected an expression before {self.where}"),)

    def help(self) -> str | None:
        if self.before.text in ("=", "<-"):
            return f"write what the value is after `{self.before.text}`"
        if self.before.text.isalpha():
            return f"write an expression after `{self.before.text}`"
        return f"write the missing operand, or remove the `{self.before.text}`"


@dataclass(frozen=True)
class ForeignOperator(Diagnostic):
    """An operator of another language.

    Powers are written `x^2`, products `*`, applications of maps `@`. Wrong:

        let L = norm(A)**2

    Right:

        let L = norm(A)^2
    """

    code = "U0134"
    title = "operator of another language"
    span: Span
    instead: str
    mended: str

    def message(self) -> str:
        return f"there is no operator `{self.span.text}`"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, f"expected {self.instead}"),)

    def help(self) -> str | None:
        return f"write `{self.mended}`"


@dataclass(frozen=True)
class TransposeSpelling(Diagnostic):
    """A transpose or adjoint is not written with a prime.

    `A'` is the adjoint of `A`: the transpose of a real matrix, the conjugate transpose of a complex
    one. Wrong:

        let G = A.T @ A

    Right:

        let G = A' @ A
    """

    code = "U0135"
    title = "transpose without a prime"
    span: Span
    mended: str

    def message(self) -> str:
        return f"the adjoint is not written `{self.span.text}`"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "expected `'`"),)

    def help(self) -> str | None:
        return f"write `{self.mended}`"


@dataclass(frozen=True)
class MissingOperator(Diagnostic):
    """Two expressions stand side by side with nothing between them.

    A product is never written by mere adjacency: `*` multiplies, `@` applies a linear map. Wrong:

        let r = 2 x - A x

    Right:

        let r = 2 * x - A @ x
    """

    code = "U0136"
    title = "missing operator"
    span: Span
    left: Span
    mended: str
    is_certain: bool = False  # whether the page tells which operator is meant

    def message(self) -> str:
        return f"an operator is missing between `{self.left.text}` and `{self.span.text}`"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "expected an operator before this"),)

    def help(self) -> str | None:
        words = "" if self.is_certain else ", or `@` where a linear map is applied"
        return f"write `{self.mended}`{words}"


@dataclass(frozen=True)
class ChainedComparison(Diagnostic):
    """Two comparisons in a row.

    Wrong:

        let inside = where(0 < t < 1, t, 0)

    Right:

        let inside = where(0 < t and t < 1, t, 0)
    """

    code = "U0137"
    title = "chained comparison"
    span: Span
    first: Span
    middle: Span

    def message(self) -> str:
        return "comparisons cannot be chained"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "a second comparison"), Label(self.first, "the first one"))

    def help(self) -> str | None:
        between = self.middle.text
        return f"write `... {self.first.text} {between} and {between} {self.span.text} ...`"


@dataclass(frozen=True)
class Indexing(Diagnostic):
    """Square brackets that do not say which entries.

    `x[2]` is an entry, `x[1:3]` what stands from the first to the third place, `x[:, 2]` a column.
    Wrong:

        let first = theta[]
        let odd = theta[1:9:2]

    Right:

        let first = theta[1]
    """

    code = "U0138"
    title = "indexing"
    span: Span
    has_step: bool

    def message(self) -> str:
        if self.has_step:
            return "a range has a first and a last place, and no step"
        return "the brackets do not say which entries"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "a second colon" if self.has_step else "nothing stands here"),)

    def help(self) -> str | None:
        if self.has_step:
            return "every second row and column of an image is `downsample(2) @ x`"
        return "places count from 1: `x[1]`, `x[1:3]`, `x[:, 2]`"


@dataclass(frozen=True)
class SlashComment(Diagnostic):
    """A comment starts with `//`.

    Wrong:

        let L = norm(A)^2  // largest eigenvalue

    Right:

        let L = norm(A)^2  # largest eigenvalue
    """

    code = "U0139"
    title = "comment with slashes"
    span: Span

    def message(self) -> str:
        return "`//` does not start a comment"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "expected `#`"),)

    def help(self) -> str | None:
        return "start the comment with `#`; a division is one `/`"


@dataclass(frozen=True)
class ReservedWord(Diagnostic):
    """A word that has a meaning of its own is used as a name.

    `and`, `or`, `not` and `in` can never be names. Wrong:

        let in = 3

    Right:

        let inputs = 3
    """

    code = "U0140"
    title = "reserved word"
    span: Span

    def message(self) -> str:
        return f"`{self.span.text}` cannot be a name"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "expected a name; this word is reserved"),)

    def help(self) -> str | None:
        return f"choose another name, for instance `{self.span.text}_`"


@dataclass(frozen=True)
class Unexpected(Diagnostic):
    """Something stands where the language has no place for it, or is missing where it should be.

    The label says what was expected instead. Wrong:

        dims m n

    Right:

        dims m, n
    """

    code = "U0141"
    title = "unexpected text"
    span: Span
    found: str
    expected: str
    mend: str | None = None

    def message(self) -> str:
        return f"{self.found} cannot stand here" if self.found else "the line ends too early"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, f"expected {self.expected}"),)

    def help(self) -> str | None:
        return self.mend
