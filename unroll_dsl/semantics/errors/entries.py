"""U03: entries and parts of arrays."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.semantics.errors.operand import Operand, with_article
from unroll_dsl.source import Span

__all__ = [
    "EmptyRange",
    "EntryOutside",
    "ListAsValue",
    "NotSeveral",
    "PlaceUnknown",
    "SeveralValues",
    "TooManyPlaces",
]


@dataclass(frozen=True)
class EntryOutside(Diagnostic):
    """There is no entry at that place.

    Entries count from 1, as axes and phases do, and `x[1:3]` holds both ends. Wrong:

        let first = theta[0]

    Right:

        let first = theta[1]
    """

    code = "U0340"
    title = "no such entry"
    place: Span
    shown: str
    axis: int
    size: str
    array: Operand
    mend: str | None

    def message(self) -> str:
        return f"there is no entry {self.shown} along axis {self.axis}, which has {self.size}"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.place, f"of {self.array.type}"), *self.array.causes())

    def help(self) -> str | None:
        return self.mend


@dataclass(frozen=True)
class EmptyRange(Diagnostic):
    """A range ends before it begins.

    `x[a:b]` is what stands from place a to place b, both included. Wrong:

        let middle = x[3:2]

    Right:

        let middle = x[2:3]
    """

    code = "U0341"
    title = "empty range"
    span: Span
    first: str
    last: str

    def message(self) -> str:
        return f"nothing stands from place {self.first} to place {self.last}"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "a range holds both its ends"),)

    def help(self) -> str | None:
        return f"the other way round it is `{self.last}:{self.first}`"


@dataclass(frozen=True)
class PlaceUnknown(Diagnostic):
    """A place is not known while compiling.

    Shapes are checked before there are values, so entries are taken at numbers and sizes. Wrong:

        s = theta[k]            # theta : vector[9]

    Right:

        learnable theta : scalar per phase = 0.1
    """

    code = "U0342"
    title = "place not known while compiling"
    span: Span
    shown: str
    kind: str | None
    mend: str | None = None

    def message(self) -> str:
        return f"entries are taken at places known while compiling, `{self.shown}` is not"

    def labels(self) -> tuple[Label, ...]:
        words = with_article(self.kind) if self.kind else "no number and no size"
        return (Label(self.span, words),)

    def help(self) -> str | None:
        if self.mend is not None:
            return self.mend
        if self.kind == "phase number":
            return "what differs from phase to phase is declared `per phase`, and read by its name"
        return "write a whole number or a size; entries by their value are chosen with `where(c, a, b)`"


@dataclass(frozen=True)
class TooManyPlaces(Diagnostic):
    """More places are given than the array has axes.

    Axes that are not named are taken whole: `x[2]` is the second channel of an image. Wrong:

        let a = v[1, 2]         # v : vector[n]

    Right:

        let a = v[1:2]
    """

    code = "U0343"
    title = "more places than axes"
    span: Span
    places: int
    axes: int
    array: Operand
    mend: str | None = None

    def message(self) -> str:
        if self.axes == 0:
            return f"{with_article(self.array.type)} is one number and has no entries"
        return f"{self.places} places given, {self.array.type} has {_count(self.axes)}"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, f"{self.places} given here"), *self.array.causes())

    def help(self) -> str | None:
        if self.mend is not None:
            return self.mend
        if self.axes == 1 and self.places == 2:
            return "a range is written with a colon: `x[1:2]`"
        return None


@dataclass(frozen=True)
class ListAsValue(Diagnostic):
    """A list of numbers stands where a value is wanted.

    Several numbers in parentheses say over which axes something is reduced. Wrong:

        s = soft(x, t=(1, 2))

    Right:

        s = mean(x, axis=(1, 2))
        t = stack(1, 2)
    """

    code = "U0344"
    title = "list in place of a value"
    span: Span

    def message(self) -> str:
        return "a list of numbers is no value"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "lists belong to `axis=`"),)

    def help(self) -> str | None:
        return "`stack(1, 2)` is the vector of these numbers"


@dataclass(frozen=True)
class SeveralValues(Diagnostic):
    """A function returns several values, and they are not taken one by one.

    Each has a name of its own, or its number in square brackets. Wrong, where `f` returns two:

        r = f(x)

    Right:

        r, s = f(x)
        t = f(x)[2]
    """

    class Why(Enum):
        TOGETHER = "it returns {returned} values, which are no one value"
        COUNT = "it returns {returned} values, and the line has {named} names"
        PLACE = "it returns {returned} values: one is taken by its number"

    code = "U0346"
    title = "several values of a function"
    span: Span
    name: str
    returned: int
    named: int
    why: Why
    definition: Span

    def message(self) -> str:
        words = self.why.value.format(returned=self.returned, named=self.named)
        return f"`{self.name}`: {words}"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "here"), Label(self.definition, "defined here"))

    def help(self) -> str | None:
        names = ", ".join("abcdefgh"[: self.returned]) if self.returned <= 8 else "a, b, ..."
        call = f"{self.name}(...)"
        return f"give each a name, `{names} = {call}`, or take one, `{call}[1]`"


@dataclass(frozen=True)
class NotSeveral(Diagnostic):
    """A line has several names, and what it gives them is one value.

    Only a call of a `def` that returns several values is taken apart by names. Wrong:

        a, b = x                # x : vector[2]

    Right:

        a = x[1]
        b = x[2]
    """

    code = "U0347"
    title = "several names for one value"
    span: Span
    value: Span

    def message(self) -> str:
        return f"several names for one value: `{self.value.text}` is no call of a `def` that returns several"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "a name for each value"), Label(self.value, "one value"))

    def help(self) -> str | None:
        return "entries are taken by their places: `a = x[1]`"


def _count(axes: int) -> str:
    return "1 axis" if axes == 1 else f"{axes} axes"
