"""How many classical iterations a network is worth: where a classical curve reaches its quality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from unroll_dsl.runs.panels import Points

Better = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class Curve:
    """Quality after 1, 2, ... phases or iterations, or after those that `phases` names.

    Attributes
    ----------
    seconds : tuple of float
        What one inference of so many phases takes, for each sample; empty where it was not measured.
    parameters : int
        How many numbers were learned; 0 for a classical iteration.
    """

    name: str
    phases: Points
    quality: Points
    seconds: Points = ()
    parameters: int = 0
    classical: bool = False

    @property
    def last(self) -> float:
        return self.quality[-1]


@dataclass(frozen=True, slots=True)
class Worth:
    """What a network of so many phases is worth in iterations of one classical algorithm.

    `iterations` is None where the classical one does not get there: not in the `most` iterations that
    were run.
    """

    network: str
    phases: int
    quality: float
    classical: str
    iterations: float | None
    most: int

    @property
    def factor(self) -> float | None:
        """Classical iterations for one phase."""
        return None if self.iterations is None else self.iterations / self.phases

    def words(self) -> str:
        """The iterations as people say it."""
        if self.iterations is None:
            return f"more than {self.most}"
        return f"{self.iterations:.1f}" if self.iterations < 100 else f"{self.iterations:.0f}"


def crossing(
    phases: Sequence[float], quality: Sequence[float], goal: float, better: Better
) -> float | None:
    """Where a curve first reaches `goal`, between phases by linear interpolation; None if it does not.

    A curve that is there from its first point on gives that point.
    """
    sign = 1.0 if better == "higher" else -1.0
    before: tuple[float, float] | None = None
    for place, value in zip(phases, quality, strict=True):
        if sign * value >= sign * goal:
            if before is None:
                return place
            (x, y), rise = before, value - before[1]
            return x + (place - x) * (goal - y) / rise if rise else place
        before = (place, value)
    return None


def worth(network: Curve, classical: Curve, better: Better) -> Worth:
    """Hold the last phase of a network against a classical curve."""
    found = crossing(classical.phases, classical.quality, network.last, better)
    most = int(classical.phases[-1])
    name = classical.name
    return Worth(network.name, int(network.phases[-1]), network.last, name, found, most)
