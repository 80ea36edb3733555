"""Characters, lines, indentation and brackets."""

from dataclasses import dataclass

from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.source import Span

__all__ = [
    "InconsistentIndentation",
    "LineTooLong",
    "MismatchedBracket",
    "StrayBracket",
    "TabIndentation",
    "TooDeep",
    "UnclosedBracket",
    "UnexpectedIndentation",
    "UnknownCharacter",
]


@dataclass(frozen=True)
class UnknownCharacter(Diagnostic):
    """A character that the language has no use for.

    Names are letters of any script, digits and underscores; everything else is written in ASCII.
    Text pasted from a paper or a word processor often brings other signs along. Wrong:

        let r = x − t · g

    Right:

        let r = x - t * g
    """

    code = "U0105"
    title = "unknown character"
    span: Span
    instead: str | None = None
    written: tuple[tuple[Span, str], ...] = ()  # what could stand where, if that is exact

    def message(self) -> str:
        text = self.span.text
        shown = f"`{text}`" if text.isprintable() and not text.isspace() else f"U+{ord(text):04X}"
        return f"{shown} is not part of the language"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, f"U+{ord(self.span.text):04X}"),)

    def help(self) -> str | None:
        return self.instead


@dataclass(frozen=True)
class LineTooLong(Diagnostic):
    """A line has more characters than any program needs.

    The limit keeps the compiler quick on files that are not programs. A long expression can go over
    several lines inside brackets, or have a part of it named with `let` or `=`.

    Wrong: a table of numbers on one line of 20,000 characters. Right:

        fixed W : matrix[m, n]                  # bound when the model is built
    """

    code = "U0106"
    title = "line too long"
    span: Span
    length: int
    limit: int

    def message(self) -> str:
        return f"this line has {self.length:,} characters; the limit is {self.limit:,}"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "the line starts here"),)

    def help(self) -> str | None:
        return "break the line inside brackets, or name a part of it with `let`"


@dataclass(frozen=True)
class TabIndentation(Diagnostic):
    """A line is indented with a tab.

    How wide a tab is depends on who looks. Blocks are indented with spaces, four by custom.
    Wrong (the arrow stands for a tab):

        phase (7):
        →x <- soft(x, theta)

    Right:

        phase (7):
            x <- soft(x, theta)
    """

    code = "U0107"
    title = "tab in the indentation"
    span: Span
    others: int = 0

    def message(self) -> str:
        return "this line is indented with a tab"

    def labels(self) -> tuple[Label, ...]:
        more = f"; {self.others} more lines are too" if self.others > 1 else ""
        more = "; one more line is too" if self.others == 1 else more
        return (Label(self.span, "a tab" + more),)

    def help(self) -> str | None:
        return "indent with spaces: four for each block"


@dataclass(frozen=True)
class UnexpectedIndentation(Diagnostic):
    """A line is indented and the line above it opens no block.

    Only `phase`, `minimize`, `loss` and `def` have indented lines, and their first line ends with a
    colon. Wrong:

        let L = norm(A)^2
            let t = 1 / L

    Right:

        let L = norm(A)^2
        let t = 1 / L
    """

    code = "U0108"
    title = "unexpected indentation"
    span: Span
    in_block: bool = False

    def message(self) -> str:
        return "this line is indented for no reason"

    def labels(self) -> tuple[Label, ...]:
        if self.in_block:
            return (Label(self.span, "deeper than the lines above it"),)
        return (Label(self.span, "no block is open here"),)

    def help(self) -> str | None:
        if self.in_block:
            return "indent all lines of a block alike"
        return "start the line in the first column"


@dataclass(frozen=True)
class InconsistentIndentation(Diagnostic):
    """A line is indented less than its block and more than the line that opened it.

    Wrong:

        phase (7):
            r = A @ x - y
          x <- x - t * A' @ r

    Right:

        phase (7):
            r = A @ x - y
            x <- x - t * A' @ r
    """

    code = "U0109"
    title = "inconsistent indentation"
    span: Span
    found: int
    expected: int

    def message(self) -> str:
        return "this line is not aligned with its block"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, f"indented by {self.found}, the block by {self.expected}"),)

    def help(self) -> str | None:
        return f"indent it by {self.expected} spaces"


@dataclass(frozen=True)
class UnclosedBracket(Diagnostic):
    """A bracket is opened and never closed.

    Inside brackets a line's end does not count, so the statement seems to go on. Wrong:

        let L = norm(A' @ A
        let t = 1 / L

    Right:

        let L = norm(A' @ A)
        let t = 1 / L
    """

    code = "U0110"
    title = "unclosed bracket"
    span: Span
    closing: str

    def message(self) -> str:
        return f"`{self.span.text}` is never closed"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "opened here"),)

    def help(self) -> str | None:
        return f"add the missing `{self.closing}`"


@dataclass(frozen=True)
class StrayBracket(Diagnostic):
    """A bracket is closed that was not opened.

    Wrong:

        let t = 1 / norm(A))

    Right:

        let t = 1 / norm(A)
    """

    code = "U0111"
    title = "stray bracket"
    span: Span

    def message(self) -> str:
        return f"`{self.span.text}` closes nothing"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "no bracket is open here"),)

    def help(self) -> str | None:
        return f"remove this `{self.span.text}`"


@dataclass(frozen=True)
class MismatchedBracket(Diagnostic):
    """A bracket is closed by one of the other kind.

    Only an interval may mix them: `in [0, 1)`. Wrong:

        fixed A : matrix[m, n)

    Right:

        fixed A : matrix[m, n]
    """

    code = "U0112"
    title = "mismatched brackets"
    span: Span
    opened: Span
    closing: str

    def message(self) -> str:
        return f"`{self.opened.text}` is closed by `{self.span.text}`"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, f"expected `{self.closing}`"), Label(self.opened, "opened here"))

    def help(self) -> str | None:
        return f"write `{self.closing}`"


@dataclass(frozen=True)
class TooDeep(Diagnostic):
    """An expression is nested deeper, or is a longer chain of operators, than the compiler follows.

    Wrong: a sum of 300 terms in one expression. Right: name parts of it.

        let first  = a1 + a2 + a3
        let second = b1 + b2 + b3
        let total  = first + second
    """

    code = "U0113"
    title = "expression too deep"
    span: Span
    limit: int

    def message(self) -> str:
        return f"this expression is more than {self.limit} levels deep"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "too deep here"),)

    def help(self) -> str | None:
        return "name a part of it: `let part = ...`, or `part = ...` inside a phase"
