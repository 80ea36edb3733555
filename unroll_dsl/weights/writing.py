"""Files that are whole or not there, and the same bytes for the same contents."""

from __future__ import annotations

import json
import os
from pathlib import Path


def write_whole(path: Path, data: bytes, keep: Path | None = None) -> None:
    """Write a file under another name, flush it to the disk, then give it its own.

    What was there before is kept as `keep`, if that is given; after an error it is as it was.
    """
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if keep is not None and path.exists():
            os.replace(path, keep)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Make renames last, where the system lets folders be flushed."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return  # not on Windows
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def in_order(data: bytes) -> bytes:
    """A .safetensors file with its metadata in alphabetical order, which the library leaves to chance.

    The file begins with the length of a header in eight bytes, little-endian; the header is JSON, padded
    with blanks to a multiple of eight: https://huggingface.co/docs/safetensors#format.
    """
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    if "__metadata__" in header:
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data[start:]
