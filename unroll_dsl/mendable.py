"""What is raised that a user can mend and that is no fault of a program: files, data, runs, calls of commands."""

from __future__ import annotations

from typing import ClassVar


class Mendable(Exception):
    """What is wrong, in the user's words, and, as `mend`, what to do about it."""

    between: ClassVar[str | None] = "; "  # in its text; None leaves the mend out of it

    def __init__(self, message: str, mend: str | None = None) -> None:
        told = mend is not None and self.between is not None
        super().__init__(f"{message}{self.between}{mend}" if told else message)
        self.message = message
        self.mend = mend
