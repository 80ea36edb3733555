"""Progress bars on stderr, for terminals alone; in a file or a pipe they would only be noise."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Advance(Protocol):
    """Moves the bar: how much is done, of how much, and what that is."""

    def __call__(self, done: int, total: int, what: str = "") -> None: ...


def _nowhere(done: int, total: int, what: str = "") -> None:
    """Where nobody watches."""


@contextmanager
def progress(title: str, *, quiet: bool = False) -> Iterator[Advance]:
    """A bar that the block moves by calling `advance(done, total)`; it leaves no trace."""
    if quiet or not sys.stderr.isatty():
        yield _nowhere
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[what]}"))
    console = Console(stderr=True)
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task(title, total=None, what="")

        def advance(done: int, total: int, what: str = "") -> None:
            bar.update(task, completed=done, total=total, what=what)

        yield advance
