"""U05: a value that was given does not fit its declaration."""

from __future__ import annotations

from dataclasses import dataclass

from unroll_dsl.backends.errors.place import declared_at
from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.near import near
from unroll_dsl.source import Span
from unroll_dsl.types import Array


@dataclass(frozen=True)
class UnknownBinding(Diagnostic):
    """An argument of `compile`, `reference` or `source` names something that the program lacks.

    Nothing is ever ignored. Wrong:

        spec.compile(bind={"W": W})         # the program calls it Wd

    Right:

        spec.compile(bind={"Wd": Wd})
    """

    code = "U0501"
    title = "name that the program lacks"
    argument: str
    name: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"`{self.argument}` names `{self.name}`, which the program lacks"

    def help(self) -> str | None:
        if not self.known:
            return f"there is nothing that `{self.argument}` could name"
        there_is = "there is " + ", ".join(f"`{name}`" for name in self.known)
        close = near(self.name, self.known, most=1, cutoff=0.6)
        return f"did you mean `{close[0]}`? {there_is}" if close else there_is


@dataclass(frozen=True)
class MissingStart(Diagnostic):
    """A value has no classical value in the program and was not given.

    Wrong:

        spec.compile()                      # fixed A : matrix[m, n]

    Right:

        spec.compile(bind={"A": A})
    """

    code = "U0502"
    title = "value not given"
    name: str
    kind: str
    origin: Span | None

    def message(self) -> str:
        return f"{self.kind} `{self.name}` has no value"

    def labels(self) -> tuple[Label, ...]:
        return declared_at(self.origin, "declared without a classical value")

    def help(self) -> str | None:
        if self.kind == "network":
            return f'bind a module, or a function that makes one: `bind={{"{self.name}": ...}}`'
        argument = "init" if self.kind == "learnable" else "bind"
        return f'give it: `{argument}={{"{self.name}": ...}}`, or write `= ...` in the program'


@dataclass(frozen=True)
class WrongShape(Diagnostic):
    """A bound value, or an input, has another shape than its declaration.

    Wrong:

        fixed A : matrix[m, n]              # bind={"A": a vector}

    Right: an array with one axis for each declared size. Constants and learnables have no batch
    axis; inputs may have some in front.
    """

    code = "U0503"
    title = "wrong shape"
    name: str
    declared: Array
    found: tuple[int, ...]
    origin: Span | None

    def message(self) -> str:
        return f"`{self.name}` is {self.declared}, found shape {self.found}"

    def labels(self) -> tuple[Label, ...]:
        return declared_at(self.origin, f"declared as {self.declared}")

    def help(self) -> str | None:
        sizes = [dim.value for dim in self.declared.shape]
        turned = self.found[::-1]
        if len(turned) == 2 == len(sizes) and all(
            size in (None, given) for size, given in zip(sizes, turned, strict=True)
        ):
            return f"is it the transpose? `{self.name}.T` has shape {turned}"
        if len(self.found) > len(sizes):
            return "shapes are those of one sample, without a batch axis"
        if not sizes:
            return "give a number"
        shape = ", ".join(map(str, self.declared.shape)) + "," * (len(sizes) == 1)
        return f"give an array of shape ({shape})"


@dataclass(frozen=True)
class WrongField(Diagnostic):
    """A complex value is bound to something that is declared real.

    Right, one of: bind the real part; declare it `complex`.
    """

    code = "U0504"
    title = "complex value bound to something real"
    name: str
    expected: str
    origin: Span | None

    def message(self) -> str:
        return f"`{self.name}` is real ({self.expected}), but a complex value is bound to it"

    def labels(self) -> tuple[Label, ...]:
        return declared_at(self.origin, "declared real")

    def help(self) -> str | None:
        return f"bind its real part, or declare it `complex {self.expected}`"


@dataclass(frozen=True)
class RealInput(Diagnostic):
    """An input that is declared complex is given real data: most often not the k-space, but an image.

    Wrong:

        reference(np.abs(y))

    Right, one of: give the complex data; say that they are real on purpose:

        reference(y)
        reference(y.astype(complex))
    """

    code = "U0524"
    title = "real data for a complex input"
    name: str
    expected: str
    origin: Span | None

    def message(self) -> str:
        return f"`{self.name}` is {self.expected}, and real data are given for it"

    def labels(self) -> tuple[Label, ...]:
        return declared_at(self.origin, "declared complex")

    def help(self) -> str | None:
        return f"give complex data; if they are real on purpose, `{self.name}.astype(complex)`"


@dataclass(frozen=True)
class WrongDtype(Diagnostic):
    """Values have a dtype that a network cannot use, or two different ones.

    Nothing is cast in silence: integers are not taken for floats, and float32 is not mixed with
    float64. Wrong:

        spec.compile(bind={"A": np.eye(3, dtype=int)})

    Right:

        spec.compile(bind={"A": np.eye(3)})
    """

    code = "U0505"
    title = "wrong dtype"
    name: str
    found: str
    why: str
    mend: str
    origin: Span | None = None

    def message(self) -> str:
        return f"`{self.name}` has dtype {self.found}: {self.why}"

    def labels(self) -> tuple[Label, ...]:
        return declared_at(self.origin, "declared here")

    def help(self) -> str | None:
        return self.mend


@dataclass(frozen=True)
class DevicesDiffer(Diagnostic):
    """Values lie on two devices, and nothing says where the network shall be.

    Wrong:

        spec.compile(bind={"Phi": Phi.to("cuda"), "Q": Q})

    Right:

        spec.compile(bind={"Phi": Phi, "Q": Q}, device="cuda")
    """

    code = "U0523"
    title = "two devices"
    name: str
    found: str
    other: str
    elsewhere: str
    origin: Span | None = None

    def message(self) -> str:
        return f"`{self.name}` is on {self.found}, `{self.other}` on {self.elsewhere}"

    def labels(self) -> tuple[Label, ...]:
        return declared_at(self.origin, "declared here")

    def help(self) -> str | None:
        return f"say where the network shall be: `device={self.found!r}` moves all"


@dataclass(frozen=True)
class OutsideBounds(Diagnostic):
    """A value that was given violates the constraint on its declaration.

    Wrong:

        learnable t : scalar > 0 = 1        # init={"t": -1.0}
    """

    code = "U0506"
    title = "value violates its constraint"
    name: str
    found: float
    bounds: str
    origin: Span | None

    def message(self) -> str:
        return f"`{self.name}` must be {self.bounds}, found {self.found:g}"

    def labels(self) -> tuple[Label, ...]:
        return declared_at(self.origin, f"constrained to be {self.bounds}")

    def help(self) -> str | None:
        return "choose a value that satisfies the constraint, or loosen it in the program"


@dataclass(frozen=True)
class EmptyBounds(Diagnostic):
    """At the values that were given, nothing lies between the bounds of a constraint.

    Wrong:

        fixed a, b : scalar                 # bind={"a": 2.0, "b": 1.0}
        learnable t : scalar in [a, b] = a
    """

    code = "U0537"
    title = "nothing lies between the bounds"
    name: str
    bounds: str
    origin: Span | None

    def message(self) -> str:
        return f"`{self.name}` must be {self.bounds}, and nothing is"

    def labels(self) -> tuple[Label, ...]:
        return declared_at(self.origin, "its bounds are computed from fixed values")

    def help(self) -> str | None:
        return "give values for which the smaller bound comes first"


@dataclass(frozen=True)
class WrongCount(Diagnostic):
    """A value per phase does not have as many values as there are phases.

    Right: one value for all phases, or one for each along the first axis.
    """

    code = "U0509"
    title = "wrong number of values"
    name: str
    found: tuple[int, ...]
    shape: str
    phases: int
    origin: Span | None

    def message(self) -> str:
        return (
            f"`{self.name}` has a value per phase: {self.shape} for all, or {self.phases} of them "
            f"along the first axis; found shape {self.found}"
        )

    def labels(self) -> tuple[Label, ...]:
        return declared_at(self.origin, "declared `per phase`")

    def help(self) -> str | None:
        return f"there are {self.phases} phases: give {self.phases} values, or one"


@dataclass(frozen=True)
class NotFinite(Diagnostic):
    """A bound value contains NaN or infinity."""

    code = "U0510"
    title = "value is not finite"
    name: str
    origin: Span | None

    def message(self) -> str:
        return f"the value given for `{self.name}` contains NaN or infinity"

    def labels(self) -> tuple[Label, ...]:
        return declared_at(self.origin, "declared here")

    def help(self) -> str | None:
        return "look for a division by 0, or missing data, where the value is made"


@dataclass(frozen=True)
class GivenTwice(Diagnostic):
    """One name is given in two arguments that exclude each other: `bind` and `init`, `learn` and `fix`."""

    code = "U0515"
    title = "value given twice"
    name: str
    arguments: tuple[str, str] = ("bind", "init")

    def message(self) -> str:
        first, second = self.arguments
        return f"`{self.name}` is given in `{first}` and in `{second}`"

    def help(self) -> str | None:
        return "keep one of them"
