"""Values of the command line from files, and outputs into files: .npy, .npz, .csv and .txt."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unroll_dsl.cli.files import write_file
from unroll_dsl.cli.usage import UsageError
from unroll_dsl.files import CannotRead, arrays, file_and_member

if TYPE_CHECKING:
    from unroll_dsl import Spec

Array = NDArray[Any]

_WRITTEN = "the formats are .npy, .npz, .csv (commas) and .txt (blanks)"


def read_value(name: str, text: str) -> Array | float:
    """What `NAME=VALUE` gives on the command line: a number, or the array in a file.

    `weights.npz:A` is the member `A` of an archive; without a member it is the only one, or the one called `name`.
    """
    try:
        return float(text)
    except ValueError:
        pointed = text.replace(",", ".")
        if _is_number(pointed) and not Path(text).exists():
            raise UsageError(
                f"`{name}={text}` is neither a number nor a file",
                f"with a point: `{name}={pointed}`",
            ) from None
        return read_array(name, text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def read_array(name: str, text: str) -> Array:
    """The array in a file; nothing in it is ever executed (no pickles)."""
    if _is_number(text) and not Path(text).exists():
        raise UsageError(
            f"`{name}={text}`: `{name}` comes from a file", f"such as `{name}={name}.npy`"
        )
    try:
        return arrays.read_array(Path(text), name=name)
    except CannotRead as error:
        raise UsageError(error.message, error.mend) from error


def one_sample(path: Path, array: Array, rank: int) -> Array:
    """An input of that many axes, where a file of MATLAB has it as a row, a column or a matrix of one entry:
    MATLAB knows no vectors. In other files a first axis of one is a batch of one."""
    from_matlab = file_and_member(path)[0].suffix.lower() == ".mat"
    return arrays.at_rank(array, rank) if from_matlab else array


def in_double(values: Mapping[str, Array | float]) -> dict[str, Array | float]:
    """The same values, arrays of floating or complex numbers in double precision."""
    return {
        name: value.astype(np.result_type(value, np.float64))
        if isinstance(value, np.ndarray) and value.dtype.kind in "fc"
        else value
        for name, value in values.items()
    }


def values_of(
    spec: "Spec", given: Mapping[str, str], *, doubts: bool = True
) -> dict[str, Array | float]:
    """What `--bind` or `--init` gives to names of a program: vectors that a file keeps as a row or a column, and
    numbers that it keeps as a matrix, have the axes that the program says.

    What is suspicious about them is said, with `doubts`.
    """
    from unroll_dsl.cli.terminal import said
    from unroll_dsl.data.given import at_ranks, suspicions

    found = at_ranks(spec, {name: read_value(name, text) for name, text in given.items()})
    for words in suspicions(spec, found) if doubts else ():
        said(f"warning: {words}")
    return found


def check_output(path: Path, count: int) -> None:
    """Raise `UsageError` if `count` arrays cannot be written to `path`."""
    if path.suffix.lower() not in (".npy", ".npz", ".csv", ".txt"):
        raise UsageError(f"{path}: not a format of arrays", _WRITTEN)
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
