"""Named tensors from files, without running anything that a file may hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor


class CannotRead(ValueError):
    """A file of weights that cannot be read."""


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors, .npz, .npy or PyTorch file by name.

    PyTorch files are read with `weights_only=True`: pickled code is refused, not run.
    """
    try:
        return _read(path)
    except CannotRead:
        raise
    except FileNotFoundError as error:
        raise CannotRead(f"{path}: there is no such file") from error
    except Exception as error:
        raise CannotRead(f"{path}: {error}") from error


def _read(path: Path) -> dict[str, Tensor]:
    match path.suffix.lower():
        case ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(str(path)))
        case ".npz" | ".npy":
            import numpy as np

            found = np.load(path, allow_pickle=False)
            if path.suffix.lower() == ".npy":
                return {path.stem: torch.from_numpy(found)}
            return {name: torch.from_numpy(found[name]) for name in found.files}
        case ".pt" | ".pth" | ".pkl" | ".bin":
            return _flat(torch.load(path, map_location="cpu", weights_only=True))
        case suffix:
            known = ".safetensors, .npz, .npy, .pt, .pth, .pkl or .bin"
            raise CannotRead(f"{path}: weights are {known}, not {suffix or 'without a suffix'}")


def _flat(loaded: Any, prefix: str = "") -> dict[str, Tensor]:
    if isinstance(loaded, Tensor):
        return {prefix.removesuffix("."): loaded}
    if not isinstance(loaded, dict):
        return {}
    found: dict[str, Tensor] = {}
    for name, value in loaded.items():
        found |= _flat(value, f"{prefix}{name}.")
    return found
