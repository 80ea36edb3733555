"""Arrays in files: .npy, .npz, .mat, .safetensors, .csv and .txt; .mat and .safetensors are read, not written."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll_dsl.cli.files import write_file
from unroll_dsl.cli.usage import UsageError, did_you_mean

Array = NDArray[Any]

_FORMATS = "the formats are .npy, .npz, .mat, .safetensors, .csv (commas) and .txt (blanks)"


def read_value(text: str) -> Array | float:
    """What `NAME=...` gives on the command line: a number, or the array in a file.

    `weights.npz:A` is the member `A` of an archive; without a member it must hold just one.
    """
    try:
        return float(text)
    except ValueError:
        return read_array(text)


def read_array(text: str) -> Array:
    """The array in a file; nothing in it is ever executed (no pickles)."""
    path, member = Path(text), ""
    if not path.is_file() and ":" in text:
        path, member = Path(text.rpartition(":")[0]), text.rpartition(":")[2]
    if not path.is_file():
        raise UsageError(f"there is no file {path}", None)
    try:
        match path.suffix.lower():
            case ".npy":
                return np.asarray(np.load(path, allow_pickle=False))
            case ".npz":
                return _member(path, member)
            case ".mat" | ".safetensors":
                return _of_file(path, member)
            case ".csv":
                return _table(path, ",")
            case ".txt":
                return _table(path, None)
            case suffix:
                raise UsageError(f"{path}: `{suffix}` is not a format of arrays", _FORMATS)
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path} cannot be read as an array: {error}", _FORMATS) from None


def _member(path: Path, member: str) -> Array:
    with np.load(path, allow_pickle=False) as archive:
        return np.asarray(archive[_chosen(path, member, tuple(archive.files))])


def _of_file(path: Path, member: str) -> Array:
    from unroll_dsl.weights.files import read_arrays

    arrays = read_arrays(path)
    return arrays[_chosen(path, member, tuple(arrays))]


def _chosen(path: Path, member: str, names: tuple[str, ...]) -> str:
    if not member and len(names) != 1:
        raise UsageError(f"{path} holds {', '.join(names)}", f"choose: `{path}:{names[0]}`")
    wanted = member or names[0]
    if wanted not in names:
        mend = did_you_mean(wanted, names) or f"it holds {', '.join(names)}"
        raise UsageError(f"{path} holds no `{wanted}`", mend)
    return wanted


def _table(path: Path, delimiter: str | None) -> Array:
    if not path.read_text(encoding="utf-8").strip():
        raise ValueError("it is empty")
    try:
        return np.loadtxt(path, delimiter=delimiter, dtype=np.float64)
    except ValueError:
        return np.loadtxt(path, delimiter=delimiter, dtype=np.complex128)


def check_output(path: Path, count: int) -> None:
    """Raise `UsageError` if `count` arrays cannot be written to `path`."""
    if path.suffix.lower() not in (".npy", ".npz", ".csv", ".txt"):
        raise UsageError(f"{path}: not a format of arrays", _FORMATS)
    if count > 1 and path.suffix.lower() != ".npz":
        raise UsageError(f"{count} outputs do not fit into {path}", "write an archive: `-o x.npz`")


def write_arrays(path: Path, arrays: Mapping[str, Array], *, force: bool) -> None:
    """Write arrays in the format that the suffix of `path` asks for; several only into .npz."""
    check_output(path, len(arrays))
    first = next(iter(arrays.values()))
    match path.suffix.lower():
        case ".npz":
            write_file(path, lambda out: np.savez(out, allow_pickle=False, **arrays), force=force)
        case ".npy":
            write_file(path, lambda out: np.save(out, first), force=force)
        case suffix:
            if first.ndim > 2:
                mend = f"`-o {path.with_suffix('.npy')}`"
                raise UsageError(f"{path}: an array of {first.ndim} axes is no table", mend)
            delimiter = "," if suffix == ".csv" else " "
            write_file(path, lambda out: np.savetxt(out, first, delimiter=delimiter), force=force)
