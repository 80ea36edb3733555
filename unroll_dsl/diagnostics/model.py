"""What a stage of the compiler reports: a code, a message, places, a mend.

Every error is one frozen dataclass in the `errors.py` of the stage that reports it. Its typed fields
hold the facts; `message`, `labels`, `help` and `notes` put them into words. Its docstring is its page
in the manual (`unroll explain CODE`): what it means, a wrong program, the right one.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from unroll_dsl.source import Span


@dataclass(frozen=True, slots=True)
class Label:
    """A place with a few words about it. The first label of a diagnostic is its primary one."""

    span: Span
    text: str = ""


class Diagnostic(ABC):
    """One error or warning. Codes start with `U` for errors and `W` for warnings."""

    code: ClassVar[str]
    title: ClassVar[str]  # the page's heading, without particulars

    @property
    def is_error(self) -> bool:
        return self.code.startswith("U")

    @abstractmethod
    def message(self) -> str:
        """What is wrong, in the user's words, on one line."""

    def labels(self) -> tuple[Label, ...]:
        """Where and why; the first is primary. Empty where there is no file to point into."""
        return ()

    def help(self) -> str | None:
        """An edit that mends it."""
        return None

    def notes(self) -> tuple[str, ...]:
        return ()


MOST_ERRORS = 200  # of one file; who has as many looks at the first


def first_of(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """As many errors as are shown, and as many warnings, in their order."""
    kept: list[Diagnostic] = []
    left = {True: MOST_ERRORS, False: MOST_ERRORS}
    for diagnostic in diagnostics:
        if left[diagnostic.is_error]:
            left[diagnostic.is_error] -= 1
            kept.append(diagnostic)
    return tuple(kept)
