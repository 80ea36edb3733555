"""Tensors from files of weights, with the keys that lead to them, and from files of arrays."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from unroll_dsl.files.arrays import read_arrays
from unroll_dsl.files.checkpoints import Leaf, as_tensor, read_checkpoint, read_safetensors
from unroll_dsl.files.errors import CannotRead
from unroll_dsl.files.formats import WEIGHTS, check_there, weight_formats


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file of weights by name, keys joined by dots.

    Raises
    ------
    CannotRead
        For what cannot be read; files of pickled objects among them.
    """
    return {".".join(keys): tensor for keys, tensor in read_leaves(path)}


def read_leaves(path: Path) -> list[Leaf]:
    """The tensors of a file of weights with their keys: dictionaries, lists and tuples in it have one each.

    Raises
    ------
    CannotRead
        As `read_tensors`.
    """
    suffix = path.suffix.lower()
    if suffix == ".safetensors":
        return [((name,), tensor) for name, tensor in read_safetensors(path).items()]
    if suffix not in WEIGHTS:
        if not suffix:
            check_there(path)
            raise CannotRead(
                f"{path}: a name without a suffix", f"the formats are {weight_formats()}"
            )
        return [((name,), as_tensor(array)) for name, array in read_arrays(path).items()]
    return read_checkpoint(path)


def widened(tensor: Tensor) -> Tensor:
    """A tensor of half precision or less as float32, others as they are: nothing is lost."""
    low = tensor.is_floating_point() and tensor.element_size() < 4
    return tensor.float() if low else tensor
