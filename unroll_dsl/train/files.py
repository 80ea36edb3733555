"""Files that are whole or not there, and a full disk reported as such."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from unroll_dsl.train.errors import DiskFull
from unroll_dsl.weights.writing import write_whole as whole


def write_whole(path: Path, data: bytes, keep: Path | None = None) -> None:
    """Write a file whole, as `weights.writing.write_whole` does.

    Raises
    ------
    DiskFull
        If it cannot be written; what was there before is as it was.
    """
    with writing(path):
        whole(path, data, keep)


def append(path: Path, text: str) -> None:
    """Add text to a file; `size` sees to it that it lasts."""
    with writing(path), path.open("ab") as stream:
        stream.write(text.encode("utf-8"))


def size(path: Path) -> int:
    """The length of a file in bytes, once all of them are on the disk."""
    with writing(path), path.open("rb+") as stream:
        os.fsync(stream.fileno())
        return os.fstat(stream.fileno()).st_size


def truncate(path: Path, size: int) -> None:
    """Cut a file back to its first `size` bytes; what is not there is begun."""
    with writing(path), path.open("ab") as stream:
        stream.truncate(size)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns errors of writing into `DiskFull`, which says where, why, and how much space there is."""
    try:
        yield
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        try:
            free = f"; {shutil.disk_usage(path.parent).free / 2**20:.1f} MiB are free there"
        except OSError:
            free = ""
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        mend = (
            "make room, then go on with `unroll train --resume`: checkpoints written before are whole"
            if full
            else None
        )
        raise DiskFull(f"{path} cannot be written: {why}{free}", mend) from error
