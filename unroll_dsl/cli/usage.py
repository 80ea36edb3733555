"""What the command line reports of its own: that it was called in a way it does not understand.

Faults of programs are diagnostics with codes; a wrong option is not, and leaves with another exit
status.
"""

import argparse
from collections.abc import Sequence
from enum import IntEnum
from typing import NoReturn

from unroll_dsl.mendable import Mendable
from unroll_dsl.near import near


class Exit(IntEnum):
    """The exit statuses of every command."""

    FINE = 0
    ERRORS = 1  # the program, or what was bound to it, is wrong; a check failed
    USAGE = 2  # the command was called wrongly, or a file cannot be read or written
    FAULT = 70  # a fault of the compiler
    INTERRUPTED = 130
    BROKEN_PIPE = 141  # whoever read the output went away


class UsageError(Mendable):
    """A wrong call; the mend is what to type instead, which the command line prints below."""

    between = None


def did_you_mean(word: str, known: list[str] | tuple[str, ...]) -> str | None:
    """The nearest of `known` words as a question; None where nothing is near."""
    close = near(word, known, most=1, cutoff=0.5)
    return f"did you mean `{close[0]}`?" if close else None


class _Help(argparse.RawDescriptionHelpFormatter):
    """Keeps the name and the summary of a command on one line; argparse forgets their indent."""

    def add_argument(self, action: argparse.Action) -> None:
        super().add_argument(action)
        self._action_max_length += 2 * isinstance(action, argparse._SubParsersAction)


class Parser(argparse.ArgumentParser):
    """An argument parser that raises `UsageError` and knows no abbreviations."""

    def __init__(self, **options: object) -> None:
        super().__init__(
            **options,  # type: ignore[arg-type]  # argparse's own, handed on by add_parser
            allow_abbrev=False,
            formatter_class=_Help,
        )

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, f"`{self.prog} --help` shows how to call it")

    def parse_known_args(  # type: ignore[override]  # its overloads serve no purpose here
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """As argparse does, but what is left over is an error that names the nearest option."""
        found, extra = super().parse_known_args(args, namespace)
        if extra:
            word = extra[0].split("=")[0]
            options = tuple(self._option_string_actions)
            near = did_you_mean(word, options) if word.startswith("-") else None
            mend = near or f"`{self.prog} --help` shows how to call it"
            raise UsageError(f"`{self.prog}` does not know `{extra[0]}`", mend)
        return found, extra
