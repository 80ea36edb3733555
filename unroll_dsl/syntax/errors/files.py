"""The file as a whole: whether it can be read, and whether it holds anything."""

from dataclasses import dataclass

from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.source import Span

__all__ = ["CannotRead", "EmptyFile", "FileTooLarge", "NotText", "TooManyErrors"]


@dataclass(frozen=True)
class CannotRead(Diagnostic):
    """The file is not there, is a folder, or may not be read.

    Wrong:

        unroll check algorithm/ista.unroll

    Right (the folder is called `algorithms`):

        unroll check algorithms/ista.unroll
    """

    code = "U0101"
    title = "file cannot be read"
    name: str
    reason: str
    near: tuple[str, ...] = ()

    def message(self) -> str:
        return f"cannot read `{self.name}`: {self.reason}"

    def help(self) -> str | None:
        return f"did you mean `{self.near[0]}`?" if self.near else None


@dataclass(frozen=True)
class NotText(Diagnostic):
    """The file holds bytes that are not UTF-8 text.

    A program is a text file in UTF-8. Weights, images and archives are bound from Python, not read
    as programs. Wrong:

        unroll check weights.pt

    Right:

        unroll check lista.unroll
    """

    code = "U0102"
    title = "not a text file"
    name: str
    reason: str

    def message(self) -> str:
        return f"`{self.name}` is not a UTF-8 text file: {self.reason}"

    def help(self) -> str | None:
        return "save it as UTF-8 in your editor, if it is meant to be a program"


@dataclass(frozen=True)
class FileTooLarge(Diagnostic):
    """The file is far larger than a page of mathematics.

    Wrong: a program with its matrices written out. Right: declare them and bind them from Python.

        fixed A : matrix[m, n]
    """

    code = "U0103"
    title = "file too large"
    name: str
    size: int
    limit: int

    def message(self) -> str:
        return f"`{self.name}` has {self.size:,} bytes; the limit for a program is {self.limit:,}"

    def help(self) -> str | None:
        return "declare large data as `fixed` and bind it from Python"


@dataclass(frozen=True)
class EmptyFile(Diagnostic):
    """The file has no statements.

    Wrong: an empty file, or one with comments alone. Right, the smallest program there is:

        algorithm halve
        dims n
        input y : vector[n]
        output y / 2
    """

    code = "U0104"
    title = "empty program"
    span: Span

    def message(self) -> str:
        return "there is no program in this file"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "nothing but comments and blank lines"),) if self.span.text else ()

    def help(self) -> str | None:
        return "start with a line `algorithm NAME`"


@dataclass(frozen=True)
class TooManyErrors(Diagnostic):
    """The file has so many syntax errors that reading it further is of no use.

    Mend the ones above and check again. Wrong: a Python file given as a program. Right:

        algorithm halve
        dims n
        input y : vector[n]
        output y / 2
    """

    code = "U0142"
    title = "too many errors"
    span: Span
    count: int

    def message(self) -> str:
        return f"stopped after {self.count} syntax errors"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "not read from here on"),)
