"""MATLAB files of any version, and HDF5 files, which those of version 7.3 are.

SciPy and h5py read them; here is how structures and cells become names, and that arrays keep the axes that
MATLAB gives them.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll_dsl.files.entries import Arrays, native, numeric
from unroll_dsl.files.errors import CannotRead, MissingExtra

_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def read_matlab(path: Path) -> Arrays:
    """Numeric arrays, fields and cells (from 0) joined by dots: `net.layers.0.weights`."""
    with path.open("rb") as stream:
        start = stream.read(520)
    if _SIGNATURE in (start[:8], start[512:520]):
        return _sorted(read_hdf5(path))
    try:
        from scipy.io import loadmat
        from scipy.sparse import issparse
    except ImportError as error:
        raise MissingExtra("scipy", "files") from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of objects of classes, which are no arrays
        loaded = loadmat(str(path))
    found: Arrays = {}

    def add(name: str, value: Any) -> None:
        if issparse(value):
            found[name] = np.asarray(value.toarray())
        elif not isinstance(value, np.ndarray):
            return
        elif value.dtype.names is not None:
            for place, entry in enumerate(value.ravel(order="F")):
                each = name if value.size == 1 else f"{name}.{place}"
                for field in value.dtype.names:
                    add(f"{each}.{field}", entry[field])
        elif value.dtype == object:
            for place, entry in enumerate(value.ravel(order="F")):
                add(name if value.size == 1 else f"{name}.{place}", entry)
        elif numeric(value):
            found[name] = native(value)

    for name, value in loaded.items():
        if not name.startswith("__"):
            add(name, value)
    return _sorted(found)


def _sorted(found: Arrays) -> Arrays:
    return dict(sorted(found.items()))


def read_hdf5(path: Path) -> Arrays:
    """The numeric data sets of an HDF5 file, groups joined by dots. Those that MATLAB has written have its axes,
    and its sparse matrices, complex and logical arrays are what they are there."""
    try:
        import h5py
    except ImportError as error:
        raise MissingExtra("h5py", "files") from error
    found: Arrays = {}
    with h5py.File(path, "r") as file:
        _collect(file, file, "", found)
    return found


def _collect(file: Any, node: Any, name: str, found: Arrays) -> None:
    import h5py

    if isinstance(node, h5py.Group):
        if "MATLAB_sparse" in node.attrs:
            found[name] = _sparse(node)
            return
        for key in node:
            if key not in ("#refs#", "#subsystem#"):
                _collect(file, node[key], f"{name}.{key}" if name else key, found)
        return
    if not isinstance(node, h5py.Dataset):
        return
    by_matlab = "MATLAB_class" in node.attrs
    if "MATLAB_empty" in node.attrs:
        return
    if node.dtype == object or h5py.check_ref_dtype(node.dtype) is not None:
        _cells(file, node, name, found)
        return
    array = _array(node, by_matlab)
    if numeric(array) and _class(node) != "char":
        found[name] = array


def _cells(file: Any, node: Any, name: str, found: Arrays) -> None:
    """Cells and fields of structures are references to what they hold."""
    import h5py

    references = np.asarray(node[()]).ravel()
    for place, reference in enumerate(references):
        if isinstance(reference, h5py.Reference) and reference:
            each = name if len(references) == 1 else f"{name}.{place}"
            _collect(file, file[reference], each, found)


def _array(node: Any, by_matlab: bool) -> NDArray[Any]:
    array = np.asarray(node[()])
    if array.dtype.names == ("real", "imag"):
        array = array["real"] + 1j * array["imag"]
    if _class(node) == "logical":
        array = array.astype(bool)
    return native(np.ascontiguousarray(array.T) if by_matlab else array)


def _class(node: Any) -> str:
    value = node.attrs.get("MATLAB_class", b"")
    return value.decode() if isinstance(value, bytes) else str(value)


def _sparse(node: Any) -> NDArray[Any]:
    from scipy.sparse import csc_array

    columns = np.asarray(node["jc"]) if "jc" in node else None
    if columns is None:
        raise CannotRead(f"the sparse matrix `{node.name}` has no columns")
    rows = int(node.attrs["MATLAB_sparse"])
    if "data" not in node:
        return np.zeros((rows, len(columns) - 1))
    data = _array(node["data"], by_matlab=False)
    return np.asarray(
        csc_array((data, np.asarray(node["ir"]), columns), (rows, len(columns) - 1)).toarray()
    )
