"""Statements with indented lines: how they open, what stands in them, how they close."""

from dataclasses import dataclass

from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.source import Span

__all__ = [
    "AfterReturn",
    "BlockOnSameLine",
    "ContinuationLine",
    "MissingBlock",
    "MissingColon",
    "MissingReturn",
    "SecondFormula",
    "StatementInBlock",
]


@dataclass(frozen=True)
class MissingBlock(Diagnostic):
    """A line that ends with a colon is not followed by indented lines.

    Wrong:

        phase (7):
        x <- soft(x, theta)

    Right:

        phase (7):
            x <- soft(x, theta)
    """

    code = "U0124"
    title = "no indented lines"
    span: Span
    word: str
    following: Span | None = None

    def message(self) -> str:
        return f"`{self.word}` needs indented lines below it"

    def labels(self) -> tuple[Label, ...]:
        begins = Label(self.span, "a block should begin after this")
        if self.following:
            return (begins, Label(self.following, "this line is not indented"))
        return (begins,)

    def help(self) -> str | None:
        if self.following:
            return f"indent the line: `    {self.following.text}`"
        match self.word:
            case "phase" | "repeat":
                return "add an update below it, for instance `    x <- x - t * g`"
            case "def":
                return "add a line `    return ...` below it, or write `def f(v) = ...`"
            case _:
                return "write the formula below it, indented by four spaces"


@dataclass(frozen=True)
class MissingColon(Diagnostic):
    """The first line of a block does not end with a colon.

    Wrong:

        phase (7)
            x <- soft(x, theta)

    Right:

        phase (7):
            x <- soft(x, theta)
    """

    code = "U0125"
    title = "missing colon"
    span: Span
    word: str
    mended: str

    def message(self) -> str:
        return f"a colon is missing in this `{self.word}`"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "expected `:`"),)

    def help(self) -> str | None:
        return f"write `{self.mended}`"


@dataclass(frozen=True)
class ContinuationLine(Diagnostic):
    """A statement goes on in the next line without brackets around it.

    A statement ends with its line unless a bracket is open. Wrong:

        minimize over x:
            1/2 * sumsq(A @ x - y)
            + lambda * norm1(x)

    Right:

        minimize over x:
            (1/2 * sumsq(A @ x - y)
             + lambda * norm1(x))
    """

    code = "U0126"
    title = "statement over two lines"
    span: Span
    above: Span

    def message(self) -> str:
        return "this line goes on with the statement above it"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "a new line begins a new statement"), Label(self.above))

    def help(self) -> str | None:
        return "put the whole expression in `(...)`: there it may go over several lines"


@dataclass(frozen=True)
class MissingReturn(Diagnostic):
    """A `def` with a block does not say what it returns.

    Wrong:

        def eta(v, t):
            m = relu(abs(v) - t)

    Right:

        def eta(v, t):
            m = relu(abs(v) - t)
            return sign(v) * m
    """

    code = "U0127"
    title = "missing return"
    span: Span

    def message(self) -> str:
        return "the definition does not say what it returns"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "expected a line `return ...` after this"),)

    def help(self) -> str | None:
        return "end the block with a line `return ...`"


@dataclass(frozen=True)
class AfterReturn(Diagnostic):
    """A line follows the `return` of a `def`.

    Wrong:

        def eta(v, t):
            return sign(v) * m
            m = relu(abs(v) - t)

    Right:

        def eta(v, t):
            m = relu(abs(v) - t)
            return sign(v) * m
    """

    code = "U0128"
    title = "line after return"
    span: Span

    def message(self) -> str:
        return "a definition ends with its `return`"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "this can never be reached"),)

    def help(self) -> str | None:
        return "move the line above the `return`, or remove it"


@dataclass(frozen=True)
class SecondFormula(Diagnostic):
    """`minimize` or `loss` has more than one line below it.

    Its block is a single expression; long ones go over several lines inside brackets, and `let`
    names their parts. Wrong:

        loss (target : vector[n]):
            sumsq(x - target)
            norm1(x)

    Right:

        loss (target : vector[n]):
            sumsq(x - target) + norm1(x)
    """

    code = "U0129"
    title = "more than one formula"
    span: Span

    def message(self) -> str:
        return "the formula has already been given"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "a second line"),)

    def help(self) -> str | None:
        return "write one expression: join the terms with `+`, or name a part above with `let`"


@dataclass(frozen=True)
class StatementInBlock(Diagnostic):
    """A statement stands in a block that has no place for it.

    The lines of a phase are updates `x <- ...`, local values `r = ...` and `trace s = ...`; those
    of a `def` are local values and a `return`. Wrong:

        phase (7):
            let r = A @ x - y

    Right:

        phase (7):
            r = A @ x - y
    """

    code = "U0130"
    title = "statement inside a block"
    span: Span
    expected: str
    mended: str | None = None

    def message(self) -> str:
        return f"a line of this block cannot begin with `{self.span.text}`"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, f"expected {self.expected}"),)

    def help(self) -> str | None:
        return f"write `{self.mended}`" if self.mended else "move it out of the block"


@dataclass(frozen=True)
class BlockOnSameLine(Diagnostic):
    """The lines of a block begin on the line that opens it.

    Wrong:

        phase (7): x <- soft(x, theta)

    Right:

        phase (7):
            x <- soft(x, theta)
    """

    code = "U0131"
    title = "block on the line that opens it"
    span: Span
    word: str

    def message(self) -> str:
        return f"the lines of a `{self.word}` stand below it"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "expected on a line of its own"),)

    def help(self) -> str | None:
        if self.word == "def":
            return "write `def f(v) = ...`, or begin a new line, indented by four spaces"
        return f"begin a new line, indented by four spaces: `    {self.span.text}`"
