"""Structure of an algorithm: what must be there, and what may stand where."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.source import Span

__all__ = [
    "BlockTwice",
    "MissingOutput",
    "MissingPhase",
    "NotAllowedHere",
    "Unused",
]


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
    name: str
    why: Why
    text: str = ""  # of the part that is not allowed

    class Why(Enum):
        """What stands there, why it cannot, and the mend."""

        RANDOM_FIXED = (
            "fixed value `{name}` has a random start",
            "what is fixed has one value",
            "declare it `learnable {name} : ...`",
        )
        INPUT_NETWORK = (
            "input `{name}` is a network",
            "inputs are arrays, one for each sample of the batch",
            "bind it once: `fixed {name} : ...`",
        )
        INPUT_VALUE = (
            "input `{name}` has a value",
            "inputs are given at every call",
            "declare it `fixed {name} : ...` if it has a value of its own",
        )
        INPUT_PER_PHASE = (
            "input `{name}` is marked `per phase`",
            "an input is the same in every phase",
            "remove `per phase`",
        )
        INPUT_BOUND = (
            "the data of input `{name}` are bounded by what is no number",
            "it may be another in every network",
            "bound it by numbers, or project: `max({name}, {text})`",
        )
        INPUT_MAP = (
            "input `{name}` is a linear map",
            "inputs are arrays, one for each sample of the batch",
            "bind the map once, `fixed {name} : ...`, or give a matrix: `input {name} : matrix[m, n]`",
        )
        LEARNABLE_MAP = (
            "learnable `{name}` is a linear map from outside",
            "it has no entries that could be trained",
            "learn a matrix, `learnable {name} : matrix[m, n]`, or the values that a map is made of, "
            "such as the kernels of `filters`",
        )
        MAP_PER_PHASE = (
            "map `{name}` is marked `per phase`",
            "a map from outside is bound once, for all phases",
            "remove `per phase`",
        )
        INPUT_PER_STEP = (
            "input `{name}` is marked `per step`",
            "an input is the same in every step",
            "remove `per step`",
        )
        LAYER_PER_STEP = (
            "`{name}` is marked `per step`, and is `{text}`",
            "the values of the steps stand in one array",
            "share it, or declare one for each step of the loop",
        )
        STEP_NOT_READ = (
            "`{name}` is marked `per step`, and no step reads it",
            "how many values it has is said by the `repeat` that reads it",
            "read it within `repeat (3):`",
        )
        STEPS_DIFFER = (
            "`{name}` is marked `per step`, and loops of {text} steps read it",
            "it has a value for each step of one loop",
            "declare one for each loop",
        )
        STEP_FANS = (
            "the random start `{text}` of `{name}` would take the steps for rows",
            "its scale comes from the sides of one matrix",
            "say the scale: `~ normal(0, 0.1)`",
        )
        MAP_VALUE = (
            "map `{name}` has a value",
            "a map from outside is bound when the network is made",
            "name a map that is made of others with `let {name} = ...`",
        )
        NETWORK_VALUE = (
            "network `{name}` is given a start",
            "what comes from outside starts from the weights that it is bound with",
            "remove the start; `bind` gives the network, or a function that makes one",
        )
        NETWORK_CHAIN = (
            "`{name}` chains a network from outside with other layers",
            "a network from outside is declared by itself",
            "declare both, and call one on the other: `{name}(D(x))`",
        )
        TARGET = (
            "target `{name}` has no type",
            "which space does it lie in?",
            "write `loss ({name} : vector[n]):`",
        )

    def _words(self, place: int) -> str:
        return self.why.value[place].format_map({"name": self.name, "text": self.text})

    def message(self) -> str:
        return self._words(0)

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, self._words(1)),)

    def help(self) -> str | None:
        return self._words(2)


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
