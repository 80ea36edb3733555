"""`measure` lines: what they make, and what they make it of."""

from dataclasses import dataclass

from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.semantics.errors.names import one_of
from unroll_dsl.semantics.errors.operand import with_article
from unroll_dsl.source import Span

__all__ = [
    "MeasuredNotInput",
    "MeasuredOfNothing",
    "MeasuredTwice",
    "NoiseDeclared",
    "UnmeasuredInput",
]


@dataclass(frozen=True)
class MeasuredNotInput(Diagnostic):
    """The left side of a `measure` line is no input.

    A `measure` line says how the data of an input are made: what the network is given at a call. Wrong:

        input y : vector[m]
        measure z = A @ x_star

    Right:

        input y : vector[m]
        measure y = A @ x_star
    """

    code = "U0412"
    title = "measured name that is no input"
    span: Span
    name: str
    sort: str | None
    declared: Span | None
    near: tuple[str, ...]
    inputs: tuple[str, ...]

    def message(self) -> str:
        what = with_article(self.sort) if self.sort else "not declared"
        return f"a `measure` line makes an input, but `{self.name}` is {what}"

    def labels(self) -> tuple[Label, ...]:
        first = Label(self.span, "not an input")
        return (first, Label(self.declared, "declared here")) if self.declared else (first,)

    def help(self) -> str | None:
        if self.near:
            return f"did you mean {one_of(self.near)}?"
        if self.sort is not None and self.inputs:
            return f"this program has the {_inputs(self.inputs)}"
        return f"declare it: `input {self.name} : vector[m]`"


@dataclass(frozen=True)
class MeasuredTwice(Diagnostic):
    """An input is measured a second time.

    One line says how an input is made. Wrong:

        measure y = A @ x_star
        measure y = y + sigma * noise

    Right:

        measure y = A @ x_star + sigma * noise
    """

    code = "U0413"
    title = "input measured twice"
    span: Span
    name: str
    first: Span

    def message(self) -> str:
        return f"input `{self.name}` is measured twice"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "again here"), Label(self.first, "already measured here"))

    def help(self) -> str | None:
        return "keep one line, with the whole formula"


@dataclass(frozen=True)
class UnmeasuredInput(Diagnostic):
    """A `measure` line reads an input that no line above it measures.

    The lines run from top to bottom: each sees the targets of the loss and the inputs measured above. Wrong:

        measure x0 = Q @ y
        measure y = Phi @ target

    Right:

        measure y = Phi @ target
        measure x0 = Q @ y
    """

    code = "U0414"
    title = "input read before it is measured"
    span: Span
    name: str
    measured: str  # by the line that reads it
    declared: Span
    below: Span | None  # the line further down that measures it
    targets: tuple[str, ...]

    def message(self) -> str:
        if self.name == self.measured:
            return f"`{self.name}` is measured of itself"
        return f"input `{self.name}` is read, but no line above measures it"

    def labels(self) -> tuple[Label, ...]:
        first = Label(self.span, "not known yet")
        if self.name == self.measured:
            return (first,)
        if self.below is not None:
            return (first, Label(self.below, "measured only here"))
        return (first, Label(self.declared, "this input"))

    def help(self) -> str | None:
        if self.name == self.measured:
            return f"data are made of the loss's targets: {one_of(self.targets)}"
        if self.below is not None:
            return f"move the line `measure {self.name} = ...` up"
        return f"measure it first: `measure {self.name} = ...` above this line"


@dataclass(frozen=True)
class MeasuredOfNothing(Diagnostic):
    """A `measure` line has nothing to make data of.

    Data are made of what the network is to find: the targets of the `loss`. Wrong:

        measure y = A @ x_star
        loss:
            1/2 * sumsq(A @ x - y)

    Right:

        measure y = A @ x_star
        loss (x_star : vector[n]):
            sumsq(x - x_star)
    """

    code = "U0415"
    title = "nothing to measure"
    span: Span
    name: str
    targets: tuple[str, ...]
    loss: Span | None

    def message(self) -> str:
        if self.targets:
            return f"`{self.name}` is measured of fixed values alone"
        return f"there is no target that `{self.name}` could be measured of"

    def labels(self) -> tuple[Label, ...]:
        if self.targets:
            return (Label(self.span, "the same for every sample"),)
        first = Label(self.span, "made of what?")
        return (first, Label(self.loss, "this loss has no targets")) if self.loss else (first,)

    def help(self) -> str | None:
        if self.targets:
            return (
                f"read a target of the loss ({one_of(self.targets)}) or `noise`; what is the same for "
                f"every sample is declared `fixed {self.name} : ...`"
            )
        if self.loss is not None:
            return "name what is to be found in the loss: `loss (x_star : vector[n]):`"
        return "add a loss with what is to be found: `loss (x_star : vector[n]):`"


@dataclass(frozen=True)
class NoiseDeclared(Diagnostic):
    """A program that declares `noise` reads it in a `measure` line.

    In a `measure` line `noise` is white Gaussian noise; everywhere else it is a name like any other. One
    word for both would mislead. Wrong:

        fixed noise : scalar = 0.1
        measure y = A @ x_star + noise * noise

    Right:

        fixed sigma : scalar = 0.1
        measure y = A @ x_star + sigma * noise
    """

    code = "U0416"
    title = "two meanings of `noise`"
    span: Span
    sort: str
    declared: Span

    def message(self) -> str:
        return f"`noise` is white noise in a `measure` line, but this program has {with_article(self.sort)} `noise`"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "which one?"), Label(self.declared, f"this {self.sort}"))

    def help(self) -> str | None:
        return f"give the {self.sort} another name, such as `sigma`"


def _inputs(names: tuple[str, ...]) -> str:
    quoted = [f"`{name}`" for name in names]
    if len(quoted) == 1:
        return f"input {quoted[0]}"
    return f"inputs {', '.join(quoted[:-1])} and {quoted[-1]}"
