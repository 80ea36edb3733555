"""TOML files, whatever they hold: what cannot be read is said in words."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

_LARGEST = 10_000_000  # bytes


class BadToml(ValueError):
    """A text that is no TOML, or none that can be read."""


def parse_toml(text: str) -> dict[str, Any]:
    """The tables of a text.

    Raises
    ------
    BadToml
        With the place and what is wrong there.
    """
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise BadToml("its brackets are nested too deeply") from error
    except ValueError as error:  # numbers of thousands of digits too
        raise BadToml(str(error)) from error


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a file.

    Raises
    ------
    BadToml, OSError
    """
    data = path.read_bytes()
    if len(data) > _LARGEST:
        raise BadToml(f"it has {len(data):,} bytes, and a file of settings has fewer")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadToml(f"it is no text of UTF-8: {error}") from error
    return parse_toml(text)
