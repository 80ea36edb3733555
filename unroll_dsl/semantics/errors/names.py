"""Names: unknown, declared twice, used where they cannot be seen."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import Enum

from unroll_dsl.diagnostics.model import Diagnostic, Label
from unroll_dsl.semantics.errors.operand import Mention, one_of, with_article
from unroll_dsl.source import Span

__all__ = [
    "CycleOfLets",
    "DeclaredTwice",
    "LooksAlike",
    "NotVisibleHere",
    "PrevOfNonState",
    "ReservedName",
    "UnknownName",
    "UnknownWord",
    "UsedBeforeItsLine",
    "one_of",
]


@dataclass(frozen=True)
class UnknownName(Diagnostic):
    """A name is used that nothing declares.

    Every name is declared once, by `dims`, `input`, `fixed`, `learnable`, `let`, `state`, `def` or
    a line of the phase above, or belongs to the library of functions. Wrong:

        learnable theta : scalar = 0.1
        phase (5):
            x <- soft(x, thta)

    Right:

        phase (5):
            x <- soft(x, theta)
    """

    code = "U0201"
    title = "unknown name"
    span: Span
    name: str
    near: tuple[str, ...] = ()
    is_function: bool = False
    mend: str | None = None
    arguments: int = 1  # of a function, where it is called

    def message(self) -> str:
        return f"unknown {'function' if self.is_function else 'name'} `{self.name}`"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "nothing declares this"),)

    def help(self) -> str | None:
        if self.mend is not None:
            return self.mend
        if self.near:
            return f"did you mean {one_of(self.near)}?"
        if self.is_function:
            letters = [*"vwabcdefgh"[: self.arguments]] or ["v"]
            return f"define it: `def {self.name}({', '.join(letters)}) = ...`"
        return f"declare it, for instance `fixed {self.name} : scalar`, or `let {self.name} = ...`"


@dataclass(frozen=True)
class DeclaredTwice(Diagnostic):
    """A name is declared a second time.

    Dimensions, values, states, lets, functions and local values share one set of names. Wrong:

        dims m, n
        let m = 2

    Right:

        dims m, n
        let m_scaled = 2
    """

    code = "U0202"
    title = "name declared twice"
    span: Span
    name: str
    first: Span
    first_sort: str

    def message(self) -> str:
        return f"`{self.name}` is declared twice"

    def labels(self) -> tuple[Label, ...]:
        return (
            Label(self.span, "declared again here"),
            Label(self.first, f"already declared here as {with_article(self.first_sort)}"),
        )

    def help(self) -> str | None:
        return "give one of them another name"


@dataclass(frozen=True)
class UsedBeforeItsLine(Diagnostic):
    """A local value of the phase is used above the line that computes it.

    The lines of a phase run from top to bottom. Wrong:

        phase (5):
            x <- x - t * A' @ r
            r = A @ x - y

    Right:

        phase (5):
            r = A @ x - y
            x <- x - t * A' @ r
    """

    code = "U0203"
    title = "used above the line that computes it"
    span: Span
    name: str
    defined: Span

    def message(self) -> str:
        return f"`{self.name}` is used above the line that computes it"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "used here"), Label(self.defined, "computed only here"))

    def help(self) -> str | None:
        return f"move the line `{self.name} = ...` up, or make `{self.name}` a state with a start"


@dataclass(frozen=True)
class ReservedName(Diagnostic):
    """A name of the language is declared.

    `I` is the identity, `k` the number of the phase; `prev`, `solve`, `norm`, `diag`, `split` and
    `size` are part of the language. Wrong:

        let I = 2

    Right:

        let intensity = 2
    """

    code = "U0204"
    title = "reserved name"
    span: Span
    name: str
    meaning: str

    def message(self) -> str:
        return f"`{self.name}` cannot be declared: it is {self.meaning}"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "reserved"),)

    def help(self) -> str | None:
        return f"choose another name, such as `{self.name}_` or `{self.name}1`"


@dataclass(frozen=True)
class CycleOfLets(Diagnostic):
    """Values are defined by each other.

    The order of `let` lines does not matter, but none may need itself; neither may a default or a classical
    value. Wrong:

        let a = 2 * b
        let b = a + 1

    Right:

        let b = 1
        let a = 2 * b
    """

    code = "U0205"
    title = "values defined by each other"
    path: tuple[tuple[str, Span], ...]

    def message(self) -> str:
        names = [name for name, _ in self.path]
        if len(names) == 1:
            return f"`{names[0]}` is defined by itself"
        return "these values are defined by each other: " + " -> ".join([*names, names[0]])

    def labels(self) -> tuple[Label, ...]:
        names = [name for name, _ in self.path]
        following = names[1:] + names[:1]
        return tuple(
            Label(span, f"`{name}` needs `{after}`")
            for (name, span), after in zip(self.path, following, strict=True)
        )

    def help(self) -> str | None:
        return "give one of them a value of its own; what changes from phase to phase is a `state`"


@dataclass(frozen=True)
class PrevOfNonState(Diagnostic):
    """`prev` is asked for something that is not a state.

    `prev(x)` is the value of the state `x` as the phase began; nothing else has one. Wrong:

        fixed A : matrix[m, n]
        phase (5):
            x <- prev(A) @ x

    Right:

        phase (5):
            v <- x + beta * (x - prev(x))
    """

    code = "U0206"
    title = "`prev` of what is not a state"
    span: Span
    found: str
    states: tuple[str, ...]

    def message(self) -> str:
        return f"`prev` takes the name of a state, found {self.found}"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, "not a state"),)

    def help(self) -> str | None:
        if self.states:
            return f"the states are {', '.join(f'`{s}`' for s in self.states)}"
        return "declare a state: `state x : vector[n] = 0`"


@dataclass(frozen=True)
class NotVisibleHere(Diagnostic):
    """A name is used in a place that cannot see it.

    Fixed values, learnables and lets are seen everywhere; states, `k` and what is computed from
    them only in the phase (states also in `output` and `loss`, where they stand for their last
    values); traces only in the loss, targets there and in `measure` lines, which see no learnables. Wrong:

        let s = 2 * x           # x is a state

    Right:

        phase (5):
            s = 2 * x
    """

    code = "U0207"
    title = "name not visible here"
    read: Mention
    place: str
    mend: Mend
    of: str = ""  # what the mend speaks of besides the name

    class Mend(Enum):
        """What to do, by where the name stands and what it stands for."""

        BOUND = "bounds are made of fixed values"
        CLASSICAL = (
            "classical values are known before any input: use fixed values, "
            "or compute this in the phase"
        )
        FIXED = "declare `{of}` with `let`"
        VARIABLE = "write `minimize over {name}:`"
        STATE = "compute it in the phase: `{name}2 = ...`"
        START = "start from inputs and constants; states start together"
        INNER = "it starts anew in each phase: a state of the program keeps it, `x <- {name}`"
        STEP = "it lives within one step of `repeat`: make it a state of the loop, `state {name} : ...`"
        PER_STEP = "it has a value for each step of an inner loop: read it within `repeat`"
        LOCAL = "move this line into the phase, below the one that computes it"
        ELSEWHERE = "it belongs to another part of the file"
        PARAMETER = "a function sees its parameters alone: add a parameter `{name}`"
        BLOCK = "a block sees its parameters and its sizes alone: add `{name}` to one of them"
        COUNTER = "a function sees its parameters alone: pass `k` as an argument"
        PREV = "`prev` belongs into the phase: it is a state's value as the phase began"
        COMPUTED = "it is what the network computes; data are made of the loss's targets: {of}"
        OF_INPUT = "it is made of input `{of}`, which no line above measures: write a `measure` line for it above"
        LEARNT = "each phase learns its own, or it is no array; data are made of targets, fixed values and arrays that all phases share"
        OF_LEARNT = "it is made of what each phase learns, or of no array; data are made of targets, fixed values and arrays that all phases share"

    def message(self) -> str:
        return f"{self.read.sort} `{self.read.name}` cannot be used in {self.place}"

    def labels(self) -> tuple[Label, ...]:
        first = Label(self.read.span, f"not known in {self.place}")
        if self.read.declared is None:
            return (first,)
        return (first, Label(self.read.declared, f"this {self.read.sort}"))

    def help(self) -> str | None:
        return self.mend.value.format_map({"name": self.read.name, "of": self.of})


@dataclass(frozen=True)
class UnknownWord(Diagnostic):
    """A word stands where only certain words may: a kind of space, an activation, a random start.

    Wrong:

        input y : vectr[n]

    Right:

        input y : vector[n]
    """

    code = "U0209"
    title = "unknown word"
    span: Span
    word: str
    what: str
    known: tuple[str, ...]
    near: tuple[str, ...] = ()
    mend: str | None = None

    def message(self) -> str:
        return f"unknown {self.what} `{self.word}`"

    def labels(self) -> tuple[Label, ...]:
        return (Label(self.span, f"not {with_article(self.what)}"),)

    def help(self) -> str | None:
        if self.near:
            return f"did you mean {one_of(self.near)}?"
        if self.mend is not None:
            return self.mend
        return "one of " + ", ".join(f"`{word}`" for word in self.known)


@dataclass(frozen=True)
class LooksAlike(Diagnostic):
    """Two names look alike and are not the same: one has a letter of another alphabet.

    A letter that was copied from elsewhere, most often; a reader takes the two for one name. In

        let a = 2
        let a = 1           # this letter is Cyrillic

    the second declaration does not replace the first. Right: one alphabet for a letter, or another name.
    """

    code = "W0210"
    title = "names that look alike"
    span: Span
    name: str
    other: str
    other_span: Span

    def message(self) -> str:
        return f"`{self.name}` looks like `{self.other}` and is another name"

    def labels(self) -> tuple[Label, ...]:
        return (
            Label(self.span, _letters(self.name, self.other)),
            Label(self.other_span, _letters(self.other, self.name)),
        )

    def help(self) -> str | None:
        return "write both in one alphabet if one name is meant, or call one of them otherwise"


def _letters(name: str, other: str) -> str:
    """The letters that make the difference, by what Unicode calls them."""
    own = [letter for letter in dict.fromkeys(name) if letter not in other]
    return ", ".join(unicodedata.name(letter, f"U+{ord(letter):04X}").lower() for letter in own[:3])
