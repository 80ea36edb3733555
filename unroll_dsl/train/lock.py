"""One process works in a run folder, and no other."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from unroll_dsl.train.errors import TrainingError
from unroll_dsl.train.files import writing

LOCK = "run.lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a run folder, which is made if there is none.

    The lock is the system's own (flock, on Windows msvcrt.locking): it goes with the process that holds it,
    however that ends. The file that it is on stays and means nothing.

    Raises
    ------
    TrainingError
        If another process, or another run in this one, holds it.
    DiskFull
        If the folder cannot be written in.
    """
    with writing(folder / LOCK):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK, timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise TrainingError(
                f"another process trains in {folder}",
                "wait until it has ended, or give another folder",
            ) from None
        except NotImplementedError:
            warnings.warn(
                f"the file system of {folder} knows no locks: let no other process train there",
                stacklevel=3,
            )
    try:
        yield
    finally:
        lock.release()
