"""What cannot be read, and what is missing to read it."""

from __future__ import annotations

from unroll_dsl.mendable import Mendable


class CannotRead(Mendable, ValueError):
    """A file that cannot be read: its path, what was found, and, as `mend`, what is wanted."""


class MissingExtra(ModuleNotFoundError):
    """A library that is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"this needs {package}: pip install 'unroll_dsl[{extra}]'", name=package)
