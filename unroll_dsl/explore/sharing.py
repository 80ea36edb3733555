"""How the time of an exploration is shared out: training in equal shares, and what the comparison takes."""

from __future__ import annotations

import time
from dataclasses import dataclass

COMPARING = 0.3  # of the budget at most for judging the networks,
CLOSING = 0.1  # and as much of it for the algorithms beside them, and the page
_LEAST = 1.0  # of the time that judging takes: to train a network for less is not worth it
_FEWEST = 8  # samples that networks are judged on, however long that takes
_SLACK = 1.3  # networks differ, and of some the best weights are judged beside the last


@dataclass(frozen=True, slots=True)
class Judging:
    """What it takes to judge a network.

    Attributes
    ----------
    seconds
        Of one network, as it was measured.
    samples
        How many it is judged on.
    """

    seconds: float
    samples: int


@dataclass(frozen=True, slots=True)
class Clock:
    """The time of an exploration: `begun` as `time.monotonic()` has it, with `before` seconds of earlier processes."""

    begun: float
    before: float
    budget: float

    def spent(self) -> float:
        return self.before + time.monotonic() - self.begun

    def until(self) -> float:
        """When this process has to end. What was trained before is compared, should no time be left."""
        return self.begun + max(self.budget - self.before, COMPARING * self.budget)


def judging(fixed: float, sample: float, most: int, networks: int, budget: float) -> Judging:
    """On how many of `most` samples so many networks can be judged within their part of the budget.

    Parameters
    ----------
    fixed, sample
        Seconds that a network takes by itself, and for each sample.
    """
    affordable = (COMPARING * budget / networks / _SLACK - fixed) / max(sample, 1e-9)
    samples = min(most, max(_FEWEST, int(affordable)))
    return Judging(_SLACK * (fixed + sample * samples), samples)


def share_of(
    budget: float, networks: int, spent: float, trained: int, left: int, judged: float
) -> float | None:
    """Seconds of training for the next network of the `left` ones, set-up included; None where it is not worth it.

    The same for each, as long as those before took no more, then less. What is left pays for judging as well, `judged`
    seconds for each, that of the `trained` ones first. Where there is too little for all, those that come first are
    trained for as long as judging takes.
    """
    whole = (1 - CLOSING) * budget
    free = whole - spent - trained * judged
    least = _LEAST * judged
    if free < least + judged:
        return None
    return max(min(whole / networks, free / left) - judged, least)
