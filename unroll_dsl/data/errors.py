"""What is wrong with data, with tables that ask for them, and with the machine that is to read them."""

from __future__ import annotations

from collections.abc import Iterable

from unroll_dsl.files.errors import MissingExtra as MissingExtra
from unroll_dsl.mendable import Mendable
from unroll_dsl.near import near


class DataError(Mendable, ValueError):
    """Data that cannot be had as they were asked for."""


class BadImages(DataError):
    """A folder without images, or an image that cannot be used."""


def choose(found: str, known: Iterable[str]) -> str:
    """A mend for a name that is none of those known: the near ones, else all."""
    names = list(known)
    close = near(found, names, most=2)
    if close:
        return "did you mean " + " or ".join(f"`{name}`" for name in close) + "?"
    return f"there is {', '.join(f'`{name}`' for name in names)}" if names else "there is none"
