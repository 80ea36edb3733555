"""What entries arrays of files have."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]


def native(array: NDArray[Any]) -> NDArray[Any]:
    """An array in the byte order of the machine."""
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def numeric(array: NDArray[Any]) -> bool:
    """Whether the entries are numbers or logical values."""
    return array.dtype.kind in "biufc"
