"""What is wrong with data, with tables that ask for them, and with the machine that is to read them."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from unroll_dsl.files.errors import MissingExtra as MissingExtra


class DataError(ValueError):
    """Data that cannot be had as they were asked for: what is wrong in the user's words, and the mend."""

    def __init__(self, message: str, mend: str | None = None) -> None:
        super().__init__(message if mend is None else f"{message}; {mend}")
        self.message = message
        self.mend = mend


class BadImages(DataError):
    """A folder without images, or an image that cannot be used."""


def choose(found: str, known: Iterable[str]) -> str:
    """A mend for a name that is none of those known: the near ones, else all."""
    names = list(known)
    near = get_close_matches(found, names, n=2)
    if near:
        return "did you mean " + " or ".join(f"`{name}`" for name in near) + "?"
    return f"there is {', '.join(f'`{name}`' for name in names)}" if names else "there is none"
