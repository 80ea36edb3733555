"""U05: a program cannot be run, or not as it was asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass

from unroll_dsl.backends.errors.place import declared_at
from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.near import near
from unroll_dsl.source import Span


@dataclass(frozen=True)
class SingularSystem(Diagnostic):
    """The system of a `solve` has no unique solution, or none that double precision can tell.

    `A' @ A` of a matrix with fewer rows than columns is singular. A shift makes the solution unique:

        x <- solve(A' @ A + rho * I, A' @ y)
    """

    code = "U0518"
    title = "singular system"
    condition: float  # number of the matrix, in the 1-norm
    origin: Span | None

    def message(self) -> str:
        infinite = math.isinf(self.condition) or math.isnan(self.condition)
        why = "has no inverse" if infinite else f"has the condition number {self.condition:.1e}"
        return f"the system of `solve` is singular: its matrix {why}"

    def labels(self) -> tuple[Label, ...]:
        return declared_at(self.origin, "no unique solution at these values")

    def help(self) -> str | None:
        return "add a shift, `... + rho * I`, or bind a matrix with independent columns"


@dataclass(frozen=True)
class RoleUnknown(Diagnostic):
    """`learn=` says how a constant is shared in words other than "shared" and "per phase".

    Right:

        spec.compile(learn={"alpha": "per phase"})
    """

    code = "U0512"
    title = "unknown sharing"
    name: str
    found: str

    def message(self) -> str:
        return f"`learn` makes `{self.name}` {self.found!r}"

    def help(self) -> str | None:
        return 'write "shared" or "per phase"'


@dataclass(frozen=True)
class NoInfluence(Diagnostic):
    """`learn` asks for a constant without a classical value that can reach neither output nor loss.

    A constant that only classical values are made from has no influence once the network is made: learn
    what is made from it.
    """

    code = "U0522"
    title = "nothing to learn"
    name: str

    def message(self) -> str:
        return f"`{self.name}` cannot be learned: neither the output nor a loss depends on it"

    def help(self) -> str | None:
        return "learn what is made from it, or leave it out of `learn`"


@dataclass(frozen=True)
class NamesAlike(Diagnostic):
    """Python takes two names of a program for one: generated code cannot tell them apart.

    Python reads some letters as others, an italic `𝜇` as `μ` for instance, and generated code marks such a
    letter by an underscore: `𝜇` becomes `μ_`, and so does the sign of the micrometre, `µ`. Right: names that
    differ in other letters.

        learnable mu_1, mu_2 : scalar = 1
    """

    code = "U0536"
    title = "names that Python takes for one"
    name: str
    other: str
    python: str

    def message(self) -> str:
        return f"`{self.name}` and `{self.other}` would both be `{self.python}` in generated code"

    def help(self) -> str | None:
        return "name one of them by other letters"


@dataclass(frozen=True)
class PhasesInvalid(Diagnostic):
    """The number of phases is not a whole number of at least 1.

    Right:

        spec.compile(phases=7)
    """

    code = "U0513"
    title = "number of phases"
    found: str

    def message(self) -> str:
        return f"the number of phases is a whole number of at least 1, found {self.found}"

    def help(self) -> str | None:
        return "for instance `phases=7`"


@dataclass(frozen=True)
class GradientRefused(Diagnostic):
    """A program does not have the gradient that was asked for.

    `gradient="implicit"` is that of a fixed point, so that all phases have to be the same map; a number
    of last phases leaves what earlier phases own without any gradient.

    Right:

        net = unroll_dsl.load("ista").compile(100, bind={"A": A}, learn={"lambda": "shared"}, gradient="implicit")
    """

    code = "U0525"
    title = "gradient"
    name: str
    gradient: str
    why: str

    def message(self) -> str:
        return f"`{self.name}` has no {self.gradient} gradient: {self.why}"

    def help(self) -> str | None:
        return 'leave `gradient` at "unroll", or learn values that all phases share'


@dataclass(frozen=True)
class NoFixedPoint(Diagnostic):
    """The phases of a program are no iteration of one map, so that it has no point at which it rests.

    `compile(phases="fixed_point")` runs the phase until it leaves its states where they are. What each phase
    has of its own, what counts phases, and sums over phases have no meaning there.

    Right:

        net = unroll_dsl.load("ista").compile("fixed_point", bind={"A": A}, learn={"lambda": "shared"})
    """

    code = "U0545"
    title = "no fixed point"
    name: str
    why: str

    def message(self) -> str:
        return f"`{self.name}` has no fixed point: {self.why}"

    def help(self) -> str | None:
        return "give a number of phases, or learn values that all phases share"


@dataclass(frozen=True)
class NothingToRun(Diagnostic):
    """A `problem` states what to minimise, not how: there is no iteration to compile.

    Right: write an `algorithm` for it.
    """

    code = "U0514"
    title = "nothing to run"
    name: str
    origin: Span | None

    def message(self) -> str:
        return f"`{self.name}` is a problem, not an algorithm: it has no iteration to run"

    def labels(self) -> tuple[Label, ...]:
        return declared_at(self.origin, "a problem")

    def help(self) -> str | None:
        return "write an `algorithm` with a state, a phase and an output"


@dataclass(frozen=True)
class UnknownAlgorithm(Diagnostic):
    """No packaged algorithm has that name, and no file has that path.

    Right: `unroll list` shows the names; a file ends in `.unroll`.
    """

    code = "U0516"
    title = "unknown algorithm"
    name: str
    known: tuple[str, ...]
    file: str | None = None  # one of that name, but for the ending

    @property
    def is_text(self) -> bool:
        """Whether the name is the text of a program."""
        return "\n" in self.name

    def message(self) -> str:
        first = self.name.strip().partition("\n")[0]
        shown = f"{first[:60]} ..." if self.is_text else first
        return f"there is no packaged algorithm and no file `{shown}`"

    def help(self) -> str | None:
        if self.is_text:
            return "this is the text of a program: `unroll_dsl.loads(text)` takes it"
        if self.file is not None:
            return f"did you mean the file `{self.file}`?"
        close = near(self.name, self.known, most=1, cutoff=0.6)
        if close:
            return f"did you mean `{close[0]}`?"
        return "`unroll list` shows the packaged ones"


@dataclass(frozen=True)
class ArithmeticFault(Diagnostic):
    """An operation has no finite value though what it is made of has: a division by 0, the logarithm of
    what is not positive, a power that no number of the machine can hold.

    Wrong, where a is bound to 0.7:

        let step = 1 / (a - 0.7)

    Right:

        fixed a : scalar > 0.7
        let step = 1 / (a - 0.7)
    """

    code = "U0530"
    title = "no finite value"
    phase: int | None  # None: in no phase of its own
    origin: Span | None

    def message(self) -> str:
        what = f"`{' '.join(self.origin.text.split())}`" if self.origin is not None else "a value"
        where = f" in phase {self.phase}" if self.phase is not None else ""
        return f"{what} is infinite or no number{where}"

    def labels(self) -> tuple[Label, ...]:
        return declared_at(self.origin, "its operands are finite")

    def help(self) -> str | None:
        return "bind values at which it is finite, or write it so that all are: `max(a, 1e-6)`"
