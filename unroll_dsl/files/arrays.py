"""Named arrays from files: NumPy, MATLAB, HDF5, safetensors, tables of text, PyTorch's tensors."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unroll_dsl.files.entries import Arrays, native, numeric
from unroll_dsl.files.errors import CannotRead
from unroll_dsl.files.formats import (
    ARRAYS,
    TABLES,
    WEIGHTS,
    array_formats,
    check_there,
    file_and_member,
)
from unroll_dsl.near import near


def read_arrays(path: Path, *, map_above: int | None = None) -> Arrays:
    """The arrays of a file by name, as the file has them; of `FILE:NAME` that one alone.

    In the byte order of the machine and with entries that NumPy has: bfloat16 becomes float32, sparse matrices
    are made dense. MATLAB's arrays have at least two axes, as they have there: see `at_rank`. What is no array of
    numbers (text, objects) is left out.

    Parameters
    ----------
    map_above
        A `.npy` file of more bytes than these is not read but mapped into memory, in the byte order that it has.

    Raises
    ------
    CannotRead
        With the file, what is wrong with it, and what it holds if that is not what was asked for.
    """
    file, member = file_and_member(path)
    check_there(file)
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        suffix = f"`{file.suffix}`" if file.suffix else "a name without a suffix"
        raise CannotRead(
            f"{file}: {suffix} is no format of arrays", f"the formats are {array_formats()}"
        )
    try:
        if file.suffix.lower() == ".npy":
            found = _npy(file, map_above)
        else:
            found = reader(file)
    except (CannotRead, ImportError):
        raise
    except MemoryError as error:
        raise CannotRead(f"{file} does not fit into memory: {error}") from error
    except Exception as error:  # readers of broken files raise anything
        reason = str(error) or type(error).__name__
        raise CannotRead(f"{file} cannot be read as {_name(file)}: {reason}") from error
    if not found:
        raise CannotRead(f"{file} holds no array of numbers")
    return found if not member else {member: found[chosen(file, member, found)]}


def read_array(path: Path, *, name: str = "", rank: int | None = None) -> NDArray[Any]:
    """The one array of a file, as `numbers`; of several that which is called `name`, or `FILE:NAME`.

    Parameters
    ----------
    name
        What the value is called in the program.
    rank
        How many axes it has there, where that is known: see `at_rank`.

    Raises
    ------
    CannotRead
        As `read_arrays`, and for a file of several arrays of which it is not told which is meant.
    """
    found = read_arrays(path)
    file, _ = file_and_member(path)
    array = found[_the_one(file, name, found)]
    return at_rank(numbers(array, f"{path}"), rank)


def chosen(file: Path, wanted: str, names: Mapping[str, Any]) -> str:
    """`wanted`, if a file has it."""
    if wanted in names:
        return wanted
    close = near(wanted, names, most=1)
    mend = f"did you mean `{file}:{close[0]}`?" if close else f"it holds {listed(names)}"
    raise CannotRead(f"{file} holds no `{wanted}`", mend)


def _the_one(file: Path, name: str, names: Mapping[str, Any]) -> str:
    if len(names) == 1:
        return next(iter(names))
    if name in names:
        return name
    raise CannotRead(
        f"{file} holds {listed(names)}: which is meant?", f"choose: `{file}:{next(iter(names))}`"
    )


def listed(names: Mapping[str, Any]) -> str:
    """Names with the shapes of what they name; not more than a line of them."""
    words = [
        f"`{name}` ({' x '.join(map(str, a.shape)) or 'a number'})" for name, a in names.items()
    ]
    return ", ".join(words[:8]) + (f" and {len(words) - 8} more" if len(words) > 8 else "")


def numbers(array: NDArray[Any], what: str) -> NDArray[Any]:
    """An array to compute with: integers and logical values as float64, half precision as float32.

    Raises
    ------
    CannotRead
        For integers that float64 does not hold.
    """
    match array.dtype.kind:
        case "b" | "i" | "u":
            wide = array.astype(np.float64, order="C")
            if array.dtype.itemsize == 8 and array.size and np.abs(wide).max() >= 2**53:
                raise CannotRead(f"{what} has integers of more than 53 bits, which are no numbers")
            return wide
        case "f" if array.dtype.itemsize == 2:
            return array.astype(np.float32, order="C")
        case "f" if array.dtype.itemsize > 8:
            return array.astype(np.float64, order="C")
        case "c" if array.dtype.itemsize > 16:
            return array.astype(np.complex128, order="C")
        case _:
            return np.ascontiguousarray(array) if array.ndim else array


def at_rank(array: NDArray[Any], rank: int | None) -> NDArray[Any]:
    """An array with as many axes, as far as dropping axes of length one can do it.

    Files keep vectors as rows or columns, and MATLAB numbers as matrices of one entry. The last such axis
    goes first.
    """
    while rank is not None and array.ndim > rank and 1 in array.shape:
        place = array.ndim - 1 - array.shape[::-1].index(1)
        array = array.reshape(array.shape[:place] + array.shape[place + 1 :])
    return array


# ---- the formats ---------------------------------------------------------------------------------


def _npy(path: Path, map_above: int | None = None) -> Arrays:
    large = map_above is not None and path.stat().st_size > map_above
    mode: Literal["r"] | None = "r" if large else None
    try:
        array = np.asanyarray(np.load(path, mmap_mode=mode, allow_pickle=False))
    except ValueError as error:
        if "Object arrays" in str(error):
            raise CannotRead(
                f"{path} holds objects, which are not read: they can run code",
                "save arrays of numbers",
            ) from None
        raise
    if array.dtype.names is not None:
        raise CannotRead(f"{path} is a table with the columns {', '.join(array.dtype.names)}")
    if not numeric(array):
        raise CannotRead(f"{path} holds {array.dtype}, which are no numbers")
    return {path.stem: array if large else native(array)}


def _npz(path: Path) -> Arrays:
    with np.load(path, allow_pickle=False) as archive:
        if {"format", "shape", "data"} <= set(archive.files):  # as scipy.sparse.save_npz writes it
            from scipy.sparse import load_npz

            return {path.stem: native(load_npz(path).toarray())}
        found = {}
        for name in archive.files:
            try:
                array = archive[name]
            except ValueError as error:  # objects, which would be unpickled
                if "pickle" not in str(error).lower():
                    raise
                continue
            if numeric(array):
                found[name] = native(array)
        if not found and archive.files:
            raise CannotRead(f"{path} holds {', '.join(archive.files)}, which are no numbers")
    return found


def _safetensors(path: Path) -> Arrays:
    from unroll_dsl.files.checkpoints import as_arrays, read_safetensors

    return as_arrays(read_safetensors(path))


def _torch(path: Path) -> Arrays:
    from unroll_dsl.files.checkpoints import as_arrays, read_checkpoint

    found = {".".join(keys) or path.stem: tensor for keys, tensor in read_checkpoint(path)}
    return as_arrays(found)


def _matlab(path: Path) -> Arrays:
    from unroll_dsl.files.matlab import read_matlab

    return read_matlab(path)


def _hdf5(path: Path) -> Arrays:
    from unroll_dsl.files.matlab import read_hdf5

    return read_hdf5(path)


def _table(path: Path) -> Arrays:
    delimiter = "," if path.suffix.lower() == ".csv" else None
    if not path.read_text(encoding="utf-8-sig").strip():
        raise CannotRead(f"{path} is empty")

    def read(dtype: type) -> NDArray[Any]:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return np.loadtxt(path, delimiter=delimiter, dtype=dtype, encoding="utf-8-sig")

    try:
        return {path.stem: read(np.float64)}
    except (ValueError, UserWarning) as error:
        try:
            return {path.stem: read(np.complex128)}
        except (ValueError, UserWarning):
            raise CannotRead(
                f"{path} cannot be read as a table of numbers: {error}",
                "a .csv has commas between its numbers, a .txt blanks; lines that start with # are skipped",
            ) from None


_READERS: dict[str, Callable[[Path], Arrays]] = {
    ".npy": _npy,
    ".npz": _npz,
    ".mat": _matlab,
    ".h5": _hdf5,
    ".hdf5": _hdf5,
    ".safetensors": _safetensors,
    **dict.fromkeys(TABLES, _table),
    **dict.fromkeys(WEIGHTS, _torch),
}
assert set(_READERS) == {*ARRAYS, *TABLES, *WEIGHTS}


def _name(path: Path) -> str:
    match path.suffix.lower():
        case ".npz" if not zipfile.is_zipfile(path):
            return "an archive of NumPy (it is no zip file)"
        case ".npy" | ".npz":
            return "arrays of NumPy"
        case ".mat":
            return "a file of MATLAB"
        case suffix:
            return f"a {suffix} file"
