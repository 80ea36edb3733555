"""Types and shapes that do not fit."""

from dataclasses import dataclass

from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.semantics.errors.names import one_of
from unroll_dsl.source import Span

__all__ = [
    "BoundViolated",
    "CallDoesNotType",
    "CallMismatch",
    "ComplexToReal",
    "DimensionExpected",
    "DivisionByZero",
    "MapAsValue",
    "MapsDoNotCompose",
    "NoAdjoint",
    "NoNumber",
    "NotAFunction",
    "NotAMap",
    "NumberExpected",
    "Operand",
    "ScalarExpected",
    "ShapesDisagree",
    "SizeWithoutEnd",
    "SquareExpected",
    "UnknownKeyword",
    "ValueDoesNotFit",
    "WrongArgumentCount",
    "WrongBounds",
    "WrongDimensionCount",
    "WrongSpace",
]


@dataclass(frozen=True)
class Operand:
    """An expression in a message: where it stands, its type, and where its name got that type."""

    span: Span
    type: str
    cause: Span | None = None
    cause_text: str = ""

    def causes(self) -> tuple[Label, ...]:
        return (Label(self.cause, self.cause_text),) if self.cause is not None else ()


@dataclass(frozen=True)
class WrongSpace(Diagnostic):
    """A linear map is applied to something outside its domain.

    `A : matrix[m, n]` takes vector[n] to vector[m]; its adjoint `A'` goes back. Wrong:

        r = A @ x - y
        x <- x - t * A @ r

    Right:

        x <- x - t * A' @ r
    """

    code = "U0301"
    title = "operator applied to the wrong space"
    operator: str
    argument: Operand
    expected: str
    map_type: str
    map_span: Span
    rewrite: str | None = None

    def message(self) -> str:
        return f"operator `{self.operator}` is applied to the wrong space"

    def labels(self) -> tuple[Label, ...]:
        first = Label(self.argument.span, f"expected {self.expected}, found {self.argument.type}")
        return (first, Label(self.map_span, self.map_type), *self.argument.causes())

    def help(self) -> str | None:
        return f"use the adjoint: `{self.rewrite}`" if self.rewrite else None


@dataclass(frozen=True)
class ShapesDisagree(Diagnostic):
    """Two arrays meet in elementwise arithmetic whose shapes do not agree.

    Shapes agree if they are equal, if one is a scalar, if a vector[c] meets an array whose first axis
    is c, or if a mask[h, w] meets an image with those sizes. Wrong:

        r = A @ x - x           # vector[m] - vector[n]

    Right:

        r = A @ x - y
    """

    code = "U0302"
    title = "shapes do not agree"
    operator: str
    operator_span: Span
    left: Operand
    right: Operand
    mend: str | None = None

    def message(self) -> str:
        return (
            f"`{self.operator}` of {self.left.type} and {self.right.type}: the shapes do not agree"
        )

    def labels(self) -> tuple[Label, ...]:
        return (
            Label(self.operator_span, "these do not agree"),
            Label(self.left.span, self.left.type),
            Label(self.right.span, self.right.type),
            *self.left.causes(),
            *self.right.causes(),
        )

    def help(self) -> str | None:
        return self.mend


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


@dataclass(frozen=True)
class ValueDoesNotFit(Diagnostic):
    """A value has another shape than what it is the value of.

    A scalar fits everything: it is spread over the declared shape. Wrong:

        state x : vector[n] = y         # y : vector[m]

    Right:

        state x : vector[n] = A' @ y
    """

    code = "U0304"
    title = "value does not fit its declaration"
    name: str
    value: Operand
    expected: str
    declared: Span
    mend: str | None = None

    def message(self) -> str:
        return f"`{self.name}` is {self.expected}, but this value is {self.value.type}"

    def labels(self) -> tuple[Label, ...]:
        return (
            Label(self.value.span, f"expected {self.expected}, found {self.value.type}"),
            Label(self.declared, "declared here"),
            *self.value.causes(),
        )

    def help(self) -> str | None:
        return self.mend


@dataclass(frozen=True)
class ComplexToReal(Diagnostic):
    """A complex value is given to something real.

    Real values are complex ones too, but not the other way round. Wrong:

        state x : image[1, h, w] = 0
        phase (5):
            x <- fft2' @ y

    Right, one of:

        x <- real(fft2' @ y)
        state x : complex image[1, h, w] = 0
    """

    code = "U0305"
    title = "complex value where a real one is needed"
    name: str
    value: Operand
    expected: str
    declared: Span | None

    def message(self) -> str:
        return f"`{self.name}` is real ({self.expected}), but this value is {self.value.type}"

    def labels(self) -> tuple[Label, ...]:
        declared = (Label(self.declared, "real here"),) if self.declared else ()
        return (Label(self.value.span, "complex"), *declared, *self.value.causes())

    def help(self) -> str | None:
        return f"take `real(...)`, or declare `{self.name} : complex {self.expected}`"


@dataclass(frozen=True)
class NoAdjoint(Diagnostic):
    """The adjoint `'` is taken of something that has none.

    Matrices and linear maps have an adjoint. Networks and functions are not linear; of vectors, write
    the inner product as `dot(x, y)`. Wrong:

        s = x' @ y

    Right:

        s = dot(x, y)
    """

    code = "U0306"
    title = "no adjoint"
    operand: Operand
    mend: str | None = None

    def message(self) -> str:
        return f"{self.operand.type} has no adjoint"

    def labels(self) -> tuple[Label, ...]:
        return (
            Label(self.operand.span, "neither a matrix nor a linear map"),
            *self.operand.causes(),
        )

    def help(self) -> str | None:
        return self.mend


@dataclass(frozen=True)
class NotAMap(Diagnostic):
    """`@` is used on something that is not a linear map.

    `A @ x` applies a matrix or a linear map; `*` multiplies numbers. Wrong:

        x <- t @ x              # t : scalar

    Right:

        x <- t * x
    """

    code = "U0307"
    title = "not a linear map"
    operand: Operand
    mend: str | None = None

    def message(self) -> str:
        return f"`@` applies a matrix or a linear map, found {self.operand.type}"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.operand.span, self.operand.type), *self.operand.causes())

    def help(self) -> str | None:
        return self.mend


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

    def message(self) -> str:
        count = "1 argument" if self.found == 1 else f"{self.found} arguments"
        return f"`{self.function}` is called with {count}"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, f"expected `{self.signature}`"),)

    def help(self) -> str | None:
        return f"call it as `{self.signature}`"


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

    def message(self) -> str:
        return f"`{self.found}` is not a size"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "expected a whole number or a name from `dims`"),)

    def help(self) -> str | None:
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
class MapsDoNotCompose(Diagnostic):
    """Two linear maps are composed, but the first does not end where the second begins.

    `A @ B` applies `B` first. Wrong:

        let G = A @ A           # A : matrix[m, n]

    Right:

        let G = A' @ A
    """

    code = "U0313"
    title = "maps do not compose"
    operator_span: Span
    outer: Operand
    inner: Operand
    reason: str
    mend: str | None = None

    def message(self) -> str:
        return "these maps do not compose"

    def labels(self) -> tuple[Label, ...]:
        return (
            Label(self.operator_span, self.reason),
            Label(self.outer.span, self.outer.type),
            Label(self.inner.span, self.inner.type),
            *self.outer.causes(),
            *self.inner.causes(),
        )

    def help(self) -> str | None:
        return self.mend


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
        return "reduce it, for instance with `sumsq(...)`, `norm1(...)` or `mean(...)`"


@dataclass(frozen=True)
class MapAsValue(Diagnostic):
    """A linear map or a layer stands where a number or an array is needed.

    Wrong:

        x <- x + I

    Right:

        x <- x + 1
    """

    code = "U0316"
    title = "map used as a value"
    operand: Operand
    place: str
    mend: str | None = None

    def message(self) -> str:
        return f"{self.operand.type} is used as a value in {self.place}"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.operand.span, "a map, not an array"), *self.operand.causes())

    def help(self) -> str | None:
        return self.mend or "apply it to something: `A @ x`"


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
    mend: str

    def message(self) -> str:
        return self.what

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, ""),)

    def help(self) -> str | None:
        return self.mend


@dataclass(frozen=True)
class SquareExpected(Diagnostic):
    """`solve` is given something that does not map a space to itself.

    `solve(M, b)` is the x with `M @ x = b`. Wrong:

        x <- solve(A, y)        # A : matrix[m, n]

    Right:

        x <- solve(A' @ A + rho * I, A' @ y)
    """

    code = "U0318"
    title = "not a map of a space to itself"
    operand: Operand
    reason: str

    def message(self) -> str:
        return "`solve` takes a map of a space to itself"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.operand.span, self.reason), *self.operand.causes())

    def help(self) -> str | None:
        return "solve the normal equations: `solve(A' @ A + rho * I, A' @ y)`"


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
