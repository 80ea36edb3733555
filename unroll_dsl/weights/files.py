"""Named arrays from files, without running anything that a file may hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

ARRAYS = (".npy", ".npz", ".mat", ".safetensors")  # besides PyTorch's own
_TORCH = (".pt", ".pth", ".pkl", ".bin", ".ckpt")


class CannotRead(ValueError):
    """A file of weights or arrays that cannot be read."""


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file of weights by name.

    PyTorch files are read with `weights_only=True`: pickled code is refused, not run. Of a MATLAB
    file, all numeric arrays, under names such as `net.layers.0.weights`.
    """
    try:
        if path.suffix.lower() in _TORCH:
            return _flat(torch.load(path, map_location="cpu", weights_only=True))
        return {name: torch.from_numpy(array) for name, array in _read(path).items()}
    except CannotRead:
        raise
    except FileNotFoundError as error:
        raise CannotRead(f"{path}: there is no such file") from error
    except Exception as error:
        raise CannotRead(f"{path}: {error}") from error


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a .npy, .npz, .mat or .safetensors file by name; of `FILE:NAME` that one alone.

    Raises
    ------
    CannotRead
        With the file and what is wrong with it.
    """
    whole, member = file_and_member(path)
    try:
        found = _read(whole)
    except CannotRead:
        raise
    except FileNotFoundError as error:
        raise CannotRead(f"{whole}: there is no such file") from error
    except Exception as error:
        raise CannotRead(f"{whole}: {error}") from error
    if not member:
        return found
    if member not in found:
        raise CannotRead(f"{whole} holds no `{member}`; it holds {', '.join(found)}")
    return {member: found[member]}


def file_and_member(path: Path) -> tuple[Path, str]:
    """`FILE:NAME` taken apart; a path without a name, or a file that is called so, has no member."""
    file, _, member = path.name.rpartition(":")
    return (path, "") if path.is_file() or not file else (path.with_name(file), member)


def _read(path: Path) -> dict[str, NDArray[Any]]:
    match path.suffix.lower():
        case ".safetensors":
            from safetensors.numpy import load_file

            return dict(load_file(str(path)))
        case ".npy":
            return {path.stem: np.load(path, allow_pickle=False)}
        case ".npz":
            with np.load(path, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        case ".mat":
            return _matlab(path)
        case suffix:
            known = ", ".join((*ARRAYS, *_TORCH))
            raise CannotRead(f"{path}: {suffix or 'no suffix'} is none of {known}")


def _matlab(path: Path) -> dict[str, NDArray[Any]]:
    """Numeric arrays of a MATLAB file of any version, fields and cells (from 0) joined by dots."""
    try:
        from pymatreader import read_mat
    except ImportError as error:
        raise CannotRead(f"{path}: MATLAB files need `pip install pymatreader`") from error
    if not path.is_file():
        raise FileNotFoundError(path)
    found: dict[str, NDArray[Any]] = {}
    pending: list[tuple[str, Any]] = [("", read_mat(str(path)))]
    while pending:
        name, value = pending.pop()
        if isinstance(value, Mapping):
            pending += [
                (f"{name}.{key}", v) for key, v in value.items() if not key.startswith("__")
            ]
        elif isinstance(value, list):
            pending += [(f"{name}.{place}", v) for place, v in enumerate(value)]
        elif isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
            found[name.removeprefix(".")] = value
    return dict(sorted(found.items()))


def _flat(loaded: Any, prefix: str = "") -> dict[str, Tensor]:
    if isinstance(loaded, Tensor):
        return {prefix.removesuffix("."): loaded}
    if not isinstance(loaded, dict):
        return {}
    found: dict[str, Tensor] = {}
    for name, value in loaded.items():
        found |= _flat(value, f"{prefix}{name}.")
    return found
