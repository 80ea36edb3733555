"""PyTorch's files and safetensors: tensors with the keys that lead to them.

Pickled code is refused, not run: PyTorch reads with `weights_only=True`.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unroll_dsl.files.errors import CannotRead
from unroll_dsl.files.formats import check_there
from unroll_dsl.files.pairs import read_whole

Leaf = tuple[tuple[str, ...], Tensor]  # keys from the outside in, and what they lead to
_DEPTH = 50


def read_checkpoint(path: Path) -> list[Leaf]:
    """The tensors of a file that PyTorch has written: dictionaries, lists and tuples in it have a key each.

    Raises
    ------
    CannotRead
        For what cannot be read; files of pickled objects among them.
    """
    check_there(path)
    try:
        with _plain_containers(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of protocols and archives: what fails is told below
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # of broken files: anything
        raise _unreadable(path, error) from error
    found = list(_leaves(loaded, ()))
    if not found:
        raise CannotRead(f"{path} holds no tensors, but {_described(loaded)}")
    return found


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file."""
    from safetensors import SafetensorError

    check_there(path)
    try:
        return read_whole(str(path))[0]
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise CannotRead(f"{path} is no .safetensors file, or damaged: {error}") from error


def as_arrays(tensors: Mapping[str, Tensor]) -> dict[str, NDArray[Any]]:
    """Tensors as arrays; what NumPy has no entries for becomes float32."""
    return {name: _array(tensor) for name, tensor in tensors.items()}


def _array(tensor: Tensor) -> NDArray[Any]:
    dense = tensor.detach()
    if dense.layout is not torch.strided:
        dense = dense.to_dense()
    if dense.is_quantized:
        dense = dense.dequantize()
    if dense.is_floating_point() and dense.dtype not in (
        torch.float16,
        torch.float32,
        torch.float64,
    ):
        dense = dense.float()
    return dense.resolve_conj().resolve_neg().numpy()


def as_tensor(array: NDArray[Any]) -> Tensor:
    """An array as a tensor of its own; what PyTorch has no entries for in double precision."""
    if array.dtype.kind in "fc" and array.dtype.itemsize > (16 if array.dtype.kind == "c" else 8):
        array = array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)
    return torch.from_numpy(np.array(array, order="C"))


def _leaves(value: Any, keys: tuple[str, ...]) -> Iterator[Leaf]:
    if len(keys) > _DEPTH:
        return
    if isinstance(value, Tensor):
        yield keys, value.detach()
    elif isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        yield keys, as_tensor(value)
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _leaves(entry, (*keys, str(key)))
    elif isinstance(value, list | tuple):
        for place, entry in enumerate(value):
            yield from _leaves(entry, (*keys, str(place)))


def _plain_containers() -> AbstractContextManager[None]:
    """What checkpoints hold beside tensors and what cannot do anything: options and NumPy's numbers."""
    from argparse import Namespace

    from numpy import dtypes

    multiarray = getattr(np, "_core", None) or np.core
    allowed = [
        Namespace,
        np.ndarray,
        np.dtype,
        multiarray.multiarray.scalar,
        multiarray.multiarray._reconstruct,
        *(
            kind
            for kind in vars(dtypes).values()
            if isinstance(kind, type) and kind is not np.dtype
        ),
    ]
    return torch.serialization.safe_globals(allowed)


def _unreadable(path: Path, error: Exception) -> CannotRead:
    text = str(error)
    named = re.search(r"GLOBAL ([\w.]+)", text) or re.search(
        r"Unsupported class[^\w]*([\w.]+)", text
    )
    if "TorchScript" in text:
        return CannotRead(
            f"{path} is a TorchScript archive, a program", "save `net.state_dict()` instead"
        )
    if named:
        return CannotRead(
            f"{path} holds an object of `{named[1]}`, and reading it would run code of the file",
            "where you trust it, open it in its own project and save `net.state_dict()`",
        )
    if "Weights only load failed" in text:
        with path.open("rb") as stream:
            pickled = stream.read(1) == b"\x80"
        if pickled:
            return CannotRead(
                f"{path} is a pickle of Python's, which can run code and is not read",
                "write tensors by `torch.save`, arrays by `numpy.savez`",
            )
        return CannotRead(f"{path} is no file of PyTorch")
    reason = text.splitlines()[0].partition(". ")[0] if text else "it ends too early"
    return CannotRead(f"{path} is no file of PyTorch, or damaged: {reason}")


def _described(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"a dictionary of {', '.join(map(str, list(value)[:8])) or 'nothing'}"
    return f"{type(value).__name__}"
