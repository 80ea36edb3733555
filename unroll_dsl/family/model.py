"""What a family consists of: the algorithms and networks of a problem, and what there is not."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from unroll_dsl.derive.method import Method
from unroll_dsl.derive.model import Options
from unroll_dsl.passes.analysis.counts import Count
from unroll_dsl.source import Span


@dataclass(frozen=True, slots=True)
class Choice:
    """A method, and what is relaxed of the algorithm that it gives.

    Attributes
    ----------
    name
        How it is called: "" for the algorithm itself, the relaxation's name, or that of a published network.
    method : Method
    relaxations
        As `unroll derive --relax` takes them.
    options
        Of the derivation.
    published
        Whether it is the recipe of a shipped page: `algorithms/problems/deck.toml`.
    """

    name: str
    method: Method
    relaxations: tuple[str, ...] = ()
    options: Options = field(default_factory=Options)
    published: bool = False

    @property
    def title(self) -> str:
        """What the page is called, after the problem's name."""
        return f"{self.method.name}_{self.name}" if self.name else self.method.name


class UntrainedStart(Enum):
    """How a network starts, before any training."""

    EXACT = "as the algorithm"
    NEAR = "near the algorithm"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Learnt:
    """A learnable of a network: its type, and whether each phase has its own."""

    name: str
    type: str
    per_phase: bool


@dataclass(frozen=True, slots=True)
class Member:
    """An algorithm or a network of the family.

    Attributes
    ----------
    name
        Of the page: problem, method, network.
    states
        Names and types.
    learnt
        In the order of the page.
    per_phase, shared
        Numbers of entries of the learnables, polynomials in the sizes that the page leaves open.
    lines
        Of the phase.
    phases
        As many as the page says.
    start : Start
        Exact where every relaxation says so, and nothing is rounded to knots.
    notes
        What starts otherwise, in words.
    same_as
        The first member of the same method whose page is the same but for comments.
    text
        The page as a file.
    """

    choice: Choice
    name: str
    states: tuple[tuple[str, str], ...]
    learnt: tuple[Learnt, ...]
    per_phase: Count
    shared: Count
    lines: int
    phases: int | None
    start: UntrainedStart
    notes: tuple[str, ...]
    same_as: str | None
    text: str

    @property
    def is_network(self) -> bool:
        return bool(self.learnt)


@dataclass(frozen=True, slots=True)
class NoMember:
    """What there is not: why, the place that is in the way, and which methods would do.

    The place is one of the problem where the method does not serve, and one of the derived page where a
    relaxation has nothing to act on.
    """

    choice: Choice
    reason: str
    place: Span
    instead: tuple[str, ...] = ()


Row = Member | NoMember
