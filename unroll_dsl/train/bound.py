"""What is bound in a run, as its folder keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unroll_dsl.backends.values import as_numpy
from unroll_dsl.files.pairs import read_whole, to_pairs
from unroll_dsl.train.errors import TrainingError
from unroll_dsl.train.files import write_whole


def kept(value: Any) -> Any:
    """A value as `write_bound` and `read_bound` give it back; what is no number or array is as it is.

    Arrays are copies, contiguous and where an allocator puts them: sums of numbers that lie elsewhere, or in
    another order, are rounded elsewhere, and a run that goes on would end in other bits than one that did not
    stop.
    """
    match value:
        case Tensor():
            found = value.detach().cpu().clone(memory_format=torch.contiguous_format)
        case np.ndarray() | np.generic() | int() | float() | complex():
            found = torch.from_numpy(np.array(as_numpy(value), order="C")).clone()
        case _:
            return value
    return found if found.ndim else found.item()


def write_bound(path: Path, bind: Mapping[str, Any]) -> None:
    """Keep bound tensors, arrays and numbers. Maps that are functions cannot be kept."""
    from safetensors.torch import save

    values = {name: kept(value) for name, value in bind.items()}
    arrays = {
        name: torch.as_tensor(as_numpy(value))
        if isinstance(value, int | float | complex)
        else value
        for name, value in values.items()
    }
    whole, pairs = to_pairs({n: v for n, v in arrays.items() if isinstance(v, Tensor)})
    write_whole(path, save(whole, pairs or None))  # of no tensor and no metadata it makes bad JSON


def read_bound(path: Path) -> dict[str, Tensor | float | complex]:
    """What `write_bound` has kept; numbers are numbers again."""
    if not path.exists():
        raise TrainingError(f"{path.parent} has no {path.name}: it is no folder of a run")
    try:
        found, _ = read_whole(str(path))
    except Exception as error:  # safetensors raises its own kind, of no public base
        raise TrainingError(f"{path} is damaged: {error}") from error
    return {name: kept(value) for name, value in found.items()}
