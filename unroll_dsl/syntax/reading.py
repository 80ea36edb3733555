"""Bytes on a disk to a `SourceFile`: the only thing here that touches a file."""

from __future__ import annotations

from pathlib import Path

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.near import near
from unroll_dsl.source import SourceFile
from unroll_dsl.syntax import reports as e
from unroll_dsl.syntax.parser import MAX_SIZE

_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read_source(path: Path) -> SourceFile | Diagnostic:
    """The text of a file, or why there is none (U0101, U0102, U0103). Never raises.

    UTF-8, with or without a byte-order mark; line ends are kept as they are.
    """
    name = str(path)
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_SIZE + 1)
            size = max(len(data), path.stat().st_size)
    except FileNotFoundError:
        return e.CannotRead(name, "there is no such file", _near(path))
    except IsADirectoryError:
        return e.CannotRead(name, "it is a folder", _programs_in(path))
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        return e.CannotRead(name, getattr(error, "strerror", None) or "it cannot be opened")
    if len(data) > MAX_SIZE:
        return e.FileTooLarge(name, size, MAX_SIZE)
    return _decoded(name, data)


def _decoded(name: str, data: bytes) -> SourceFile | Diagnostic:
    if data.startswith(_UTF16_MARKS):
        return e.NotText(name, "it begins as UTF-16 does")
    if b"\0" in data:
        return e.NotText(name, f"line {_line(data, data.index(0))} has a null byte")
    try:
        return SourceFile(name, data.removeprefix(_UTF8_MARK).decode("utf-8"))
    except UnicodeDecodeError as error:
        byte, line = error.object[error.start], _line(error.object, error.start)
        return e.NotText(name, f"line {line} has the byte 0x{byte:02x}")


def _line(data: bytes, offset: int) -> int:
    return data.count(b"\n", 0, offset) + 1


def _near(path: Path) -> tuple[str, ...]:
    """Files beside the missing one whose names look like its."""
    try:
        names = sorted(other.name for other in path.parent.iterdir() if other.is_file())
    except OSError:
        return ()
    return tuple(str(path.with_name(name)) for name in near(path.name, names, cutoff=0.7))


def _programs_in(folder: Path) -> tuple[str, ...]:
    try:
        return tuple(sorted(str(path) for path in folder.glob("*.unroll")))[:3]
    except OSError:
        return ()
