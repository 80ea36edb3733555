"""Statements: their words, their order, their parts."""

from dataclasses import dataclass

from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.source import Span

__all__ = [
    "BareAssignment",
    "HeaderNotFirst",
    "MissingHeader",
    "MissingType",
    "NumberedState",
    "PhaseCount",
    "UnknownStatement",
    "UpdateOutsidePhase",
    "ValueTwice",
    "WrongAssignment",
    "WrongOrder",
]


@dataclass(frozen=True)
class MissingHeader(Diagnostic):
    """The program has no name.

    The first line of a program names it: `algorithm NAME`, or `problem NAME`. Wrong:

        dims m, n
        input y : vector[m]

    Right:

        algorithm ista
        dims m, n
        input y : vector[m]
    """

    code = "U0114"
    title = "missing header"
    span: Span
    name: str

    def message(self) -> str:
        return "the program does not begin with its name"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "expected `algorithm NAME` above this line"),)

    def help(self) -> str | None:
        return f"start the file with `algorithm {self.name}`"


@dataclass(frozen=True)
class HeaderNotFirst(Diagnostic):
    """A second `algorithm` or `problem` line, or one that is not the first line of the file.

    A file holds one program. Wrong:

        dims m, n
        algorithm ista

    Right:

        algorithm ista
        dims m, n
    """

    code = "U0115"
    title = "header is not the first line"
    span: Span

    def message(self) -> str:
        return f"`{self.span.text}` begins the first line of a file, and no other"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "the program has begun already"),)

    def help(self) -> str | None:
        return "move it to the top, or into a file of its own"


@dataclass(frozen=True)
class UnknownStatement(Diagnostic):
    """A line begins with a word that starts no statement.

    Statements begin with `dims`, `input`, `fixed`, `learnable`, `let`, `state`, `phase`, `output`,
    `minimize`, `loss`, `measure` or `def`. Wrong:

        learnabel theta : scalar = 0.1

    Right:

        learnable theta : scalar = 0.1
    """

    code = "U0116"
    title = "unknown statement"
    span: Span
    near: str | None = None
    advice: str | None = None

    def message(self) -> str:
        return f"no statement begins with `{self.span.text}`"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "expected a statement such as `let`, `state` or `phase`"),)

    def help(self) -> str | None:
        return f"did you mean `{self.near}`?" if self.near else self.advice


@dataclass(frozen=True)
class MissingType(Diagnostic):
    """A declaration does not say what its names are.

    Every input, constant and state has a type, after a colon: `scalar`, `vector[n]`,
    `matrix[m, n]`, `image[1, h, w]`, `linear X -> Y`, ... Wrong:

        fixed lambda = 0.1

    Right:

        fixed lambda : scalar = 0.1
    """

    code = "U0117"
    title = "declaration without a type"
    span: Span
    declared: str
    mended: str

    def message(self) -> str:
        have = "have" if " and " in self.declared else "has"
        return f"{self.declared} {have} no type"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "expected `: TYPE` here"),)

    def help(self) -> str | None:
        return f"for instance `{self.mended}`"


@dataclass(frozen=True)
class PhaseCount(Diagnostic):
    """The number of phases is not in parentheses.

    Wrong:

        phase 7:
            x <- soft(x, theta)

    Right:

        phase (7):
            x <- soft(x, theta)
    """

    code = "U0118"
    title = "number of phases without parentheses"
    span: Span
    count: str

    def message(self) -> str:
        return "the number of phases stands in parentheses"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, f"expected `({self.count})`"),)

    def help(self) -> str | None:
        return f"write `phase ({self.count}):`"


@dataclass(frozen=True)
class UpdateOutsidePhase(Diagnostic):
    """An update (`<-`), a `trace` or a `return` stands outside the block it belongs to.

    States change in a phase, and nowhere else. Wrong:

        state x : vector[n] = 0
        x <- x - t * g

    Right:

        state x : vector[n] = 0
        phase (10):
            x <- x - t * g
    """

    code = "U0119"
    title = "line outside its block"
    span: Span
    what: str
    block: str

    def message(self) -> str:
        return f"{self.what} can only stand in the block of a `{self.block}`"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, f"this line is in no `{self.block}`"),)

    def help(self) -> str | None:
        if self.block == "def":
            return "what the network gives is written `output x`; the result of a `def` is indented below it"
        return "indent it below a line `phase (7):`"


@dataclass(frozen=True)
class BareAssignment(Diagnostic):
    """A name is given a value, or a type, and the line does not say what it is.

    `let` names a value that follows from others; `fixed`, `learnable`, `input` and `state` declare
    what does not. Wrong:

        L = norm(A)^2

    Right:

        let L = norm(A)^2
    """

    code = "U0120"
    title = "assignment without a word before it"
    span: Span
    mended: str
    is_typed: bool = False

    def message(self) -> str:
        if self.is_typed:
            return f"the line does not say whether `{self.span.text}` is given, learnt or computed"
        return f"`{self.span.text}` is given a value without `let`"

    def labels(self) -> tuple[Label, ...]:
        if self.is_typed:
            return (Label(self.span, "expected `input`, `fixed`, `learnable` or `state` first"),)
        return (Label(self.span, "expected a statement"),)

    def help(self) -> str | None:
        return f"write `{self.mended}`"


@dataclass(frozen=True)
class WrongAssignment(Diagnostic):
    """A sign for assignment that is not the one used here.

    `=` gives a name its value, once; `<-` updates a state, in a phase. There is no `:=` and no
    `+=`. Wrong:

        let t := 1 / L

    Right:

        let t = 1 / L
    """

    code = "U0121"
    title = "wrong sign for an assignment"
    span: Span
    expected: str
    mended: str

    def message(self) -> str:
        return f"`{self.span.text}` does not assign a value here"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, f"expected `{self.expected}`"),)

    def help(self) -> str | None:
        return f"write `{self.mended}`"


@dataclass(frozen=True)
class ValueTwice(Diagnostic):
    """A line gives a value twice, or means to compare with `=`.

    Wrong:

        let a = b = 1 / L

    Right:

        let b = 1 / L
        let a = b

    Equality is asked for with `==`.
    """

    code = "U0122"
    title = "second `=` in a line"
    span: Span
    first: Span

    def message(self) -> str:
        return "a second `=` in one line"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "the value has already been given"), Label(self.first, "here"))

    def help(self) -> str | None:
        return "give each name its value in a line of its own, or compare with `==`"


@dataclass(frozen=True)
class NumberedState(Diagnostic):
    """A state is written with the number of the phase, as papers do.

    `x <- ...` gives the state `x` its next value. To the right of the arrow `x` is its newest value and `prev(x)`
    the one that it had as the phase began; a value that is `per phase` is read by its name. Wrong:

        phase (7):
            x[k+1] <- soft(x[k] - t[k] * g, theta)

    Right:

        phase (7):
            x <- soft(x - t * g, theta)
    """

    code = "U0143"
    title = "state with the number of the phase"
    span: Span
    name: str
    mended: str | None

    def message(self) -> str:
        return f"the state is `{self.name}`, without the number of the phase"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "phases count themselves"),)

    def help(self) -> str | None:
        if self.mended is not None:
            return f"write `{self.mended}`"
        return (
            f"write `{self.name} <- ...`: `{self.name}` is its newest value, `prev({self.name})` that of the phase "
            "before; an older one is kept in a state of its own"
        )


@dataclass(frozen=True)
class WrongOrder(Diagnostic):
    """The parts of a declaration are not in their order.

    The order is: name, type, constraint, `per phase`, classical value. Wrong:

        learnable theta : scalar = 0.1 per phase

    Right:

        learnable theta : scalar per phase = 0.1
    """

    code = "U0123"
    title = "parts of a declaration out of order"
    span: Span
    after: Span
    mended: str | None

    def message(self) -> str:
        return f"`{self.span.text}` comes too late in this declaration"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "expected further left"), Label(self.after, "before this"))

    def help(self) -> str | None:
        if self.mended:
            return f"write `{self.mended}`"
        return "the order is: name : type, constraint, `per phase`, = value"
