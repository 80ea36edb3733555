"""TOML files, whatever they hold: what cannot be read is said in words."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

_LARGEST = 10_000_000  # bytes
_DEEPEST = 50  # tables and lists within each other


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
        found = tomllib.loads(text)
    except RecursionError as error:
        raise BadToml("its brackets are nested too deeply") from error
    except ValueError as error:  # numbers of thousands of digits too
        raise BadToml(str(error)) from error
    _check_depth(found)
    return found


def _check_depth(table: dict[str, Any]) -> None:
    """Names with dots and headers nest without a bracket; who reads the tables goes down into them."""
    level: list[Any] = [table]
    for _ in range(_DEEPEST):
        level = [
            part
            for value in level
            for part in (value.values() if isinstance(value, dict) else value)
            if isinstance(part, dict | list)
        ]
    if level:
        raise BadToml(f"its tables are nested more than {_DEEPEST} deep")


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
