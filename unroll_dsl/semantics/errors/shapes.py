"""Types and shapes that do not fit: maps, their arguments, arrays that meet."""

from dataclasses import dataclass

from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.semantics.errors.operand import Operand
from unroll_dsl.source import Span

__all__ = [
    "ComplexToReal",
    "InverseByPower",
    "MapAsValue",
    "MapsDoNotCompose",
    "NoAdjoint",
    "NotAMap",
    "ShapesDisagree",
    "SquareExpected",
    "ValueDoesNotFit",
    "WrongSpace",
]


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
    declaration: str | None = None  # of the argument, with which it would fit
    reason: str | None = None  # why the operator does not act, where it is not for the space

    def message(self) -> str:
        if self.reason is not None:
            return f"operator `{self.operator}` cannot be applied: {self.reason}"
        return f"operator `{self.operator}` is applied to the wrong space"

    def labels(self) -> tuple[Label, ...]:
        words = f"expected {self.expected}, found {self.argument.type}"
        first = Label(self.argument.span, words if self.reason is None else self.argument.type)
        return (first, Label(self.map_span, self.map_type), *self.argument.causes())

    def help(self) -> str | None:
        if self.declaration is not None and self.rewrite is not None:
            return f"declare `{self.declaration}`, or use the adjoint: `{self.rewrite}`"
        if self.declaration is not None:
            return f"declare `{self.declaration}`"
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
class InverseByPower(Diagnostic):
    """A matrix to a negative power is applied, as if that were its inverse.

    `^` is elementwise, of a matrix too. Wrong:

        x <- (A' @ A)^-1 @ A' @ y

    Right:

        x <- solve(A' @ A, A' @ y)
    """

    code = "U0324"
    title = "power of a matrix for its inverse"
    span: Span
    matrix: str
    argument: str

    def message(self) -> str:
        return f"`^` is elementwise: this is not the inverse of `{self.matrix}`"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "each entry to this power"),)

    def help(self) -> str | None:
        return f"write `solve({self.matrix}, {self.argument})`"


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
