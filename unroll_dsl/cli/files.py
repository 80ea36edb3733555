"""Writing of files: whole or not at all, and never over another one unasked."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from unroll_dsl.cli.usage import UsageError


def refuse_to_overwrite(path: Path, *, force: bool) -> None:
    """Raise `UsageError` if `path` cannot be written; called before any long work."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder", "give the name of a file")
    if path.is_file() and not force:
        raise UsageError(f"{path} exists", "`--force` writes over it")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}", f"`mkdir -p {path.parent}`")


def write_text(path: Path, text: str, *, force: bool) -> None:
    """Write a text file in UTF-8 with `\\n` line breaks."""
    write_file(path, lambda temporary: temporary.write_bytes(text.encode("utf-8")), force=force)


def write_file(path: Path, write: Callable[[Path], object], *, force: bool) -> None:
    """Let `write` make the file under another name in the same folder, then give it its own.

    The temporary name ends as `path` does, for writers that look at the suffix. What is no regular
    file, such as `/dev/stdout`, is written to as it is; a link stays a link.
    """
    refuse_to_overwrite(path, force=force)
    if path.exists() and not path.is_file():
        write(path)
        return
    path = path.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        temporary.chmod(path.stat().st_mode if path.exists() else 0o666 & ~_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
