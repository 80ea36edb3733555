"""Structure of an algorithm: what must be there, and what may stand where."""

from dataclasses import dataclass

from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.source import Span

__all__ = [
    "BlockTwice",
    "MissingOutput",
    "MissingPhase",
    "NotAllowedHere",
    "PhaseCountInvalid",
    "PhaseValueOutside",
    "StateAssigned",
    "StateNeverUpdated",
    "StateWithoutStart",
    "TraceMisused",
    "Unused",
    "UpdateOfNonState",
]


@dataclass(frozen=True)
class StateNeverUpdated(Diagnostic):
    """A state is declared that no line of the phase updates.

    What never changes is no state. Wrong:

        state x, u : vector[n] = 0
        phase (5):
            x <- x - t * A' @ (A @ x - y)

    Right:

        state x : vector[n] = 0
        phase (5):
            x <- x - t * A' @ (A @ x - y)
    """

    code = "U0401"
    title = "state never updated"
    span: Span
    name: str
    phase: Span

    def message(self) -> str:
        return f"state `{self.name}` is never updated"

    def labels(self) -> tuple[Label, ...]:
        return (
            Label(self.span, "declared as a state"),
            Label(self.phase, f"no line of this phase has `{self.name} <- ...`"),
        )

    def help(self) -> str | None:
        return f"add `{self.name} <- ...` to the phase, or declare it with `let` or `fixed`"


@dataclass(frozen=True)
class MissingOutput(Diagnostic):
    """An algorithm has no `output`.

    Wrong:

        state x : vector[n] = 0
        phase (5):
            x <- x - t * A' @ (A @ x - y)

    Right: the same, closed by

        output x
    """

    code = "U0402"
    title = "no output"
    span: Span
    states: tuple[str, ...]

    def message(self) -> str:
        return "this algorithm has no `output`"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "computes nothing that is asked for"),)

    def help(self) -> str | None:
        return f"add a last line: `output {self.states[0] if self.states else '...'}`"


@dataclass(frozen=True)
class UpdateOfNonState(Diagnostic):
    """`<-` is used on what is not a state.

    `<-` gives a state its next value; a value that lives within one phase is written with `=`. Wrong:

        phase (5):
            r <- A @ x - y

    Right:

        phase (5):
            r = A @ x - y
    """

    code = "U0403"
    title = "update of what is not a state"
    span: Span
    name: str
    sort: str | None
    declared: Span | None
    near: tuple[str, ...] = ()

    def message(self) -> str:
        what = f"a {self.sort}" if self.sort else "not declared"
        return f"`<-` updates states, but `{self.name}` is {what}"

    def labels(self) -> tuple[Label, ...]:
        first = Label(self.span, "not a state")
        return (first, Label(self.declared, "declared here")) if self.declared else (first,)

    def help(self) -> str | None:
        if self.near:
            return f"did you mean `{self.near[0]}`?"
        if self.sort is None:
            return (
                f"write `{self.name} = ...` for a local value, or declare `state {self.name} : ...`"
            )
        return f"declare it with `state {self.name} : ...`, or give the local value another name"


@dataclass(frozen=True)
class StateAssigned(Diagnostic):
    """`=` is used on a state inside the phase.

    Wrong:

        state x : vector[n] = 0
        phase (5):
            x = x - t * A' @ (A @ x - y)

    Right:

        phase (5):
            x <- x - t * A' @ (A @ x - y)
    """

    code = "U0404"
    title = "`=` on a state"
    span: Span
    name: str
    declared: Span

    def message(self) -> str:
        return f"`{self.name}` is a state: it is updated with `<-`, not defined with `=`"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "defined with `=`"), Label(self.declared, "declared as a state"))

    def help(self) -> str | None:
        return f"write `{self.name} <- ...`"


@dataclass(frozen=True)
class BlockTwice(Diagnostic):
    """A block that a file has once stands there twice: `phase`, `output`, `loss`, `minimize`.

    Wrong:

        output x
        output z

    Right:

        output x, z
    """

    code = "U0405"
    title = "block given twice"
    span: Span
    word: str
    first: Span

    def message(self) -> str:
        return f"a second `{self.word}`"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "again here"), Label(self.first, "the first one"))

    def help(self) -> str | None:
        if self.word == "output":
            return "several outputs stand in one line: `output x, z`"
        return "keep one of them"


@dataclass(frozen=True)
class PhaseValueOutside(Diagnostic):
    """A value that differs from phase to phase is used where there is no phase.

    `output` is computed once, after the last phase. Wrong:

        learnable s : scalar per phase = 1
        output s * x

    Right:

        learnable s : scalar = 1
        output s * x
    """

    code = "U0406"
    title = "phase-dependent value outside the phase"
    span: Span
    name: str
    why: str
    place: str
    declared: Span | None
    mend: str

    def message(self) -> str:
        return f"`{self.name}` has a value per phase and cannot be used in {self.place}"

    def labels(self) -> tuple[Label, ...]:
        first = Label(self.span, "of which phase?")
        return (first, Label(self.declared, self.why)) if self.declared else (first,)

    def help(self) -> str | None:
        return self.mend


@dataclass(frozen=True)
class MissingPhase(Diagnostic):
    """States are declared but there is no `phase` to update them.

    Right:

        phase (10):
            x <- x - t * A' @ (A @ x - y)
    """

    code = "U0407"
    title = "no phase"
    span: Span
    name: str

    def message(self) -> str:
        return f"state `{self.name}` is declared, but there is no `phase`"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "nothing updates this"),)

    def help(self) -> str | None:
        return f"add a block `phase (10):` with a line `{self.name} <- ...`"


@dataclass(frozen=True)
class NotAllowedHere(Diagnostic):
    """A part of a declaration stands where it has no meaning.

    An input has neither a value nor `per phase`, and what bounds its data are numbers; a fixed value has no
    random start; a linear map from outside is `fixed`, the same in all phases, and bound when the network is
    made.
    Wrong:

        input y : vector[m] per phase

    Right:

        input y : vector[m]
    """

    code = "U0408"
    title = "not allowed here"
    span: Span
    what: str
    why: str
    mend: str

    def message(self) -> str:
        return self.what

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, self.why),)

    def help(self) -> str | None:
        return self.mend


@dataclass(frozen=True)
class TraceMisused(Diagnostic):
    """A trace is read outside `sum over phases`, or `sum over phases` stands outside a loss.

    A trace has a value in every phase; a loss reads it as a sum. Wrong:

        loss (t : vector[n]):
            mean((x - t)^2) + mean(symmetry^2)

    Right:

        loss (t : vector[n]):
            mean((x - t)^2) + sum over phases mean(symmetry^2)
    """

    code = "U0409"
    title = "trace misused"
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
class PhaseCountInvalid(Diagnostic):
    """The number of phases is not a whole number of at least 1.

    Wrong:

        phase (2.5):

    Right:

        phase (3):
    """

    code = "U0410"
    title = "number of phases"
    span: Span
    found: str

    def message(self) -> str:
        return f"the number of phases is a whole number of at least 1, found `{self.found}`"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "not a number of phases"),)

    def help(self) -> str | None:
        return "write `phase (10):`; `compile(phases=...)` can change it later"


@dataclass(frozen=True)
class StateWithoutStart(Diagnostic):
    """A state has no value to start from.

    Wrong:

        state x : vector[n]

    Right:

        state x : vector[n] = 0
    """

    code = "U0411"
    title = "state without a start"
    span: Span
    name: str
    type: str

    def message(self) -> str:
        return f"state `{self.name}` has no initial value"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "starts from what?"),)

    def help(self) -> str | None:
        return f"give it one: `state {self.name} : {self.type} = 0`"


@dataclass(frozen=True)
class Unused(Diagnostic):
    """A declaration can reach neither the output nor a loss, in any phase.

    What is not needed does not exist in the network; a learnable without influence could never learn.
    Wrong:

        learnable s : scalar = 1        # nothing reads s
        output x

    Right: use it, or remove the line.
    """

    code = "W0401"
    title = "declaration that is never needed"
    span: Span
    name: str
    sort: str
    reader: str | None = None

    def message(self) -> str:
        if self.sort == "learnable":
            return f"learnable `{self.name}` cannot influence the output or a loss"
        return f"{self.sort} `{self.name}` is never needed"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "not part of the network"),)

    def help(self) -> str | None:
        if self.reader is not None:
            return f"only `{self.reader}` reads it, which is itself never needed"
        return "use it, or remove the line"
