"""What cannot be read, and what is missing to read it."""

from __future__ import annotations


class CannotRead(ValueError):
    """A file that cannot be read: its path, what was found, and, as `mend`, what is wanted."""

    def __init__(self, message: str, mend: str | None = None) -> None:
        super().__init__(message if mend is None else f"{message}; {mend}")
        self.message = message
        self.mend = mend


class MissingExtra(ModuleNotFoundError):
    """A library that is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"this needs {package}: pip install 'unroll_dsl[{extra}]'", name=package)
