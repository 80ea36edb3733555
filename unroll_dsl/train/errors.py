"""What can go wrong in training that the user can mend."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class TrainingError(Exception):
    """What is wrong, in the user's words, and how to mend it."""

    def __init__(self, message: str, mend: str | None = None) -> None:
        super().__init__(message if mend is None else f"{message}\n{mend}")
        self.message = message
        self.mend = mend


class Diverged(TrainingError):
    """The loss or a gradient is no number; nothing of that step has reached the network or the disk."""


class DiskFull(TrainingError, OSError):
    """A file of the run could not be written; what was there before is whole."""


class BadCheckpoint(TrainingError):
    """A checkpoint that is damaged or of another format."""


def near(word: str, known: Iterable[str]) -> str | None:
    """A question for the nearest known word, else a list of them; None if there are none."""
    names = tuple(dict.fromkeys(known))
    found = get_close_matches(word, names, n=1, cutoff=0.5)
    if found:
        return f"did you mean `{found[0]}`?"
    return f"there are {', '.join(f'`{name}`' for name in names)}" if names else None
