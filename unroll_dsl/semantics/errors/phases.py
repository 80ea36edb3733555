"""Phases and states: what changes from phase to phase, and where it may stand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.semantics.errors.operand import Mention, with_article
from unroll_dsl.source import Span

__all__ = [
    "PhaseCountInvalid",
    "PhaseValueOutside",
    "StateAssigned",
    "StateNeverUpdated",
    "StateWithoutStart",
    "TraceMisused",
    "UpdateOfNonState",
]


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
    read: Mention
    place: str
    why: Why
    of: str = ""  # whose value it would be

    class Why(Enum):
        """What it is that differs, and the mend."""

        SHARED = "differs from phase to phase", "declare `{of}` as `per phase`"
        START = (
            "differs from phase to phase",
            "share it over the phases, or write the start in another way",
        )
        OUTSIDE = (
            "has a value per phase",
            "share it over the phases (remove `per phase`), or apply it within the phase",
        )
        DATA = (
            "has a value per phase",
            "data are made once, before any phase: use what all phases share",
        )
        COUNTER = "", "there is no phase here; `k` counts the phases from 1 within them"
        LOCAL = (
            "computed anew in every phase",
            "output a state, or compute the value again from the states",
        )
        LOCAL_IN_LOSS = (
            "computed anew in every phase",
            "declare `trace {name} = ...` and sum it: `sum over phases ...{name}...`",
        )

    def message(self) -> str:
        return f"`{self.read.name}` has a value per phase and cannot be used in {self.place}"

    def labels(self) -> tuple[Label, ...]:
        first, declared = Label(self.read.span, "of which phase?"), self.read.declared
        return (first, Label(declared, self.why.value[0])) if declared else (first,)

    def help(self) -> str | None:
        return self.why.value[1].format_map({"name": self.read.name, "of": self.of})


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
    place: str
    why: Why
    name: str = ""

    class Why(Enum):
        """What is misused, and the mend."""

        SUM = "`sum over phases`", "it belongs into a `loss`"
        READ = "trace `{name}`", "read it in the loss: `sum over phases ... {name} ...`"
        READ_IN_PHASE = (
            "trace `{name}`",
            "a trace is for the loss alone: write `{name} = ...` without `trace` and trace it under "
            "another name",
        )

    def message(self) -> str:
        return f"{self.why.value[0].format_map({'name': self.name})} cannot be used in {self.place}"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, ""),)

    def help(self) -> str | None:
        return self.why.value[1].format_map({"name": self.name})


@dataclass(frozen=True)
class PhaseCountInvalid(Diagnostic):
    """The number of phases is not a whole number of at least 1.

    Wrong:

        phase (2.5):

    Right:

        phase (3):

    So is the number of steps of an inner loop, `repeat (3):`, of which there are at most 100: each is
    written out.
    """

    code = "U0410"
    title = "number of phases or steps"
    span: Span
    found: str
    of: str = "phases"
    most: int | None = None

    def message(self) -> str:
        least = "of at least 1" if self.most is None else f"from 1 to {self.most}"
        return f"the number of {self.of} is a whole number {least}, found `{self.found}`"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, f"not a number of {self.of}"),)

    def help(self) -> str | None:
        if self.of != "phases":
            return "write `repeat (3):`"
        return "write `phase (10):`; `compile(phases=...)` can change it later"


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
        what = with_article(self.sort) if self.sort else "not declared"
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
