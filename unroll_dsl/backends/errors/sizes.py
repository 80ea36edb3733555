"""U05: sizes that do not follow, or not from one another."""

from __future__ import annotations

from dataclasses import dataclass

from unroll_dsl.backends.errors.place import declared_at
from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.source import Span


@dataclass(frozen=True)
class SizeUnknown(Diagnostic):
    """A size is needed to make a network, and nothing that was given determines it.

    Right:

        spec.compile(dims={"n": 100})
    """

    code = "U0507"
    title = "size not determined"
    name: str
    needed_by: str
    origin: Span | None

    def message(self) -> str:
        return f"the size `{self.name}` is not determined"

    def labels(self) -> tuple[Label, ...]:
        return declared_at(self.origin, f"needed by {self.needed_by}")

    def help(self) -> str | None:
        return f'give it: `dims={{"{self.name}": ...}}`, or bind something whose shape contains it'


@dataclass(frozen=True)
class SizeContradiction(Diagnostic):
    """Two values disagree about a size.

    Wrong:

        fixed A : matrix[m, n]              # bound with shape (3, 5): n = 5
        fixed w : vector[n]                 # bound with shape (4,):   n = 4
    """

    code = "U0508"
    title = "values disagree about a size"
    name: str
    first: int | None
    first_source: str
    second: int
    second_source: str
    origin: Span | None

    def message(self) -> str:
        if self.first is None:
            return f"`{self.name}` cannot be {self.second}, as {self.second_source} has it"
        return (
            f"`{self.name}` is {self.first} by {self.first_source}, "
            f"but {self.second} by {self.second_source}"
        )

    def labels(self) -> tuple[Label, ...]:
        return declared_at(self.origin, "declared here")

    def help(self) -> str | None:
        if self.first is None:
            return "sizes are whole numbers of at least 1"
        return "give values whose shapes agree"


@dataclass(frozen=True)
class EntriesOutside(Diagnostic):
    """An array is too small for the entries that are taken of it.

    Wrong:

        input y : vector[n]                 # n = 2
        output y[1:3]
    """

    code = "U0550"
    title = "no such entries at this size"
    place: str
    axis: int
    size: str
    value: str
    origin: Span | None

    def message(self) -> str:
        size = self.value if self.size == self.value else f"{self.size} = {self.value}"
        return f"there are no entries {self.place} along axis {self.axis}, which has {size}"

    def labels(self) -> tuple[Label, ...]:
        return declared_at(self.origin, "taken here")

    def help(self) -> str | None:
        return "places count from 1, and a range holds both its ends"


@dataclass(frozen=True)
class SizeInvalid(Diagnostic):
    """A size given in `dims` is not a whole number of at least 1.

    Right:

        spec.compile(dims={"n": 100})
    """

    code = "U0517"
    title = "size is not a whole number"
    name: str
    found: str

    def message(self) -> str:
        return f"the size `{self.name}` is a whole number of at least 1, found {self.found}"

    def help(self) -> str | None:
        return f'for instance `dims={{"{self.name}": 100}}`'
