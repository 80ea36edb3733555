"""What can go wrong in training that the user can mend."""

from __future__ import annotations

from collections.abc import Iterable

from unroll_dsl.mendable import Mendable
from unroll_dsl.near import near


class TrainingError(Mendable):
    """What is wrong with a run, or with what it is asked to do."""

    between = "\n"


class Diverged(TrainingError):
    """The loss or a gradient is no number; nothing of that step has reached the network or the disk."""


class DiskFull(TrainingError, OSError):
    """A file of the run could not be written; what was there before is whole."""


class BadCheckpoint(TrainingError):
    """A checkpoint that is damaged or of another format."""


def which(word: str, known: Iterable[str]) -> str | None:
    """A question for the nearest known word, else a list of them; None if there are none."""
    names = tuple(dict.fromkeys(known))
    found = near(word, names, most=1, cutoff=0.5)
    if found:
        return f"did you mean `{found[0]}`?"
    return f"there are {', '.join(f'`{name}`' for name in names)}" if names else None
