"""Calls: of what is no function, with arguments that it does not take."""

from __future__ import annotations

from dataclasses import dataclass

from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.semantics.errors.names import one_of
from unroll_dsl.semantics.errors.operand import Operand
from unroll_dsl.source import Span

__all__ = [
    "CallDoesNotType",
    "CallMismatch",
    "NotAFunction",
    "NumberExpected",
    "RecursiveDefinition",
    "UnknownKeyword",
    "WrongArgumentCount",
]


@dataclass(frozen=True)
class CallMismatch(Diagnostic):
    """An argument of a function has the wrong type.

    Wrong:

        s = dot(x, A)

    Right:

        s = dot(x, y)
    """

    code = "U0303"
    title = "wrong argument"
    function: str
    argument: Operand
    expected: str
    found: str
    mend: str | None = None

    def message(self) -> str:
        return f"`{self.function}` takes {self.expected}, found {self.found}"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.argument.span, self.argument.type), *self.argument.causes())

    def help(self) -> str | None:
        return self.mend

    @classmethod
    def without_sides(cls, word: str, name: str, type_: str, span: Span) -> CallMismatch:
        """A random start whose scale comes from rows and columns, of what has none."""
        return cls(
            word,
            Operand(span, type_),
            "a matrix, a tensor of more axes, or a layer, whose sides give the scale",
            f"`{name}`, {type_}",
            f"give the scale: `~ normal(0, 0.1)`, or a value: `{name} ... = 0.1`",
        )

    @classmethod
    def complex_start(cls, word: str, name: str, type_: str, span: Span) -> CallMismatch:
        """A random start that is defined for real values, of complex ones."""
        mend = "`~ xavier_normal` draws complex values"
        return cls(word, Operand(span, type_), "real values", f"`{name}`, {type_}", mend)


@dataclass(frozen=True)
class WrongArgumentCount(Diagnostic):
    """A function is called with too many or too few arguments.

    Wrong:

        x <- soft(x)

    Right:

        x <- soft(x, theta)
    """

    code = "U0308"
    title = "wrong number of arguments"
    span: Span
    function: str
    signature: str
    found: int
    mend: str | None = None

    def message(self) -> str:
        count = "1 argument" if self.found == 1 else f"{self.found} arguments"
        return f"`{self.function}` is called with {count}"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, f"expected `{self.signature}`"),)

    def help(self) -> str | None:
        return self.mend or f"call it as `{self.signature}`"


@dataclass(frozen=True)
class NotAFunction(Diagnostic):
    """Something is called that is neither a function nor a layer.

    Wrong:

        r = A(x) - y            # A : matrix[m, n]

    Right:

        r = A @ x - y
    """

    code = "U0309"
    title = "not a function"
    operand: Operand
    name: str
    mend: str | None = None

    def message(self) -> str:
        return f"`{self.name}` is {self.operand.type}, not a function"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.operand.span, "called here"), *self.operand.causes())

    def help(self) -> str | None:
        return self.mend


@dataclass(frozen=True)
class UnknownKeyword(Diagnostic):
    """A function is called with a keyword that it does not have, or twice with one.

    Wrong:

        let H = filters(B, pading=circular)

    Right:

        let H = filters(B, padding=circular)
    """

    code = "U0319"
    title = "unknown keyword"
    span: Span
    function: str
    keyword: str
    known: tuple[str, ...]
    near: tuple[str, ...] = ()
    twice: bool = False

    def message(self) -> str:
        if self.twice:
            return f"`{self.function}` is given `{self.keyword}` twice"
        return f"`{self.function}` has no argument `{self.keyword}`"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, ""),)

    def help(self) -> str | None:
        if self.near:
            return f"did you mean {one_of(self.near)}?"
        return "its arguments are " + ", ".join(f"`{name}`" for name in self.known)


@dataclass(frozen=True)
class CallDoesNotType(Diagnostic):
    """The body of a function has no meaning for these arguments.

    A `def` is a formula: it is checked with the types that each call gives it. Wrong:

        x <- soft(x, theta)     # x : vector[n], theta : vector[m]

    Right:

        learnable theta : vector[n] >= 0 = 0.1
    """

    code = "U0320"
    title = "arguments that a function cannot take"
    span: Span
    function: str
    arguments: tuple[Operand, ...]
    reason: str
    definition: Span

    def message(self) -> str:
        types = " and ".join(argument.type for argument in self.arguments)
        return f"`{self.function}` cannot take {types}"

    def labels(self) -> tuple[Label, ...]:
        given = tuple(Label(argument.span, argument.type) for argument in self.arguments)
        causes = tuple(label for argument in self.arguments for label in argument.causes())
        return (Label(self.span, self.reason), *given, *causes)

    def notes(self) -> tuple[str, ...]:
        line = self.definition.file.line(self.definition.line).strip()
        return (f"`{self.function}` is defined in {self.definition.file.name}: {line}",)


@dataclass(frozen=True)
class NumberExpected(Diagnostic):
    """An argument must be known while compiling, and this one is not.

    Sizes, axes, kernel sizes and words such as `circular` are fixed in the text. Wrong:

        s = topk(x, theta)      # theta : scalar, a value

    Right:

        s = topk(x, 5)
    """

    code = "U0314"
    title = "not known while compiling"
    span: Span
    what: str
    found: str

    def message(self) -> str:
        return f"{self.what} must be known while compiling"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, f"`{self.found}` is a value, known only later"),)

    def help(self) -> str | None:
        return "write a whole number, a size from `dims`, or a word of the language"


@dataclass(frozen=True)
class RecursiveDefinition(Diagnostic):
    """A function calls itself, directly or through others.

    Functions are formulas, written out where they are called; iteration is what phases are for. Wrong:

        def f(v) = f(v) + 1

    Right:

        def f(v) = v + 1
    """

    code = "U0208"
    title = "function that calls itself"
    span: Span
    name: str

    def message(self) -> str:
        return f"function `{self.name}` calls itself"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "this call comes back to itself"),)

    def help(self) -> str | None:
        return "write the formula out; repetition is what `phase (...)` is for"
