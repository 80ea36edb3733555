"""complex128 in .safetensors files, whose format knows complex64 alone: as pairs of real numbers.

Which tensors are such is said in the metadata, under `complex128`, as a JSON list of names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

_KEY = "complex128"


def to_pairs(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors as a file may hold them, of shape [..., 2] where they were complex128; and the metadata
    that says which."""
    import torch

    wide = [name for name, value in tensors.items() if value.dtype == torch.complex128]
    found = {
        name: torch.view_as_real(value.resolve_conj()) if name in wide else value
        for name, value in tensors.items()
    }
    whole = {name: value.contiguous() for name, value in found.items()}
    return whole, {_KEY: json.dumps(wide)} if wide else {}


def from_pairs(
    tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None
) -> dict[str, Tensor]:
    """What `to_pairs` was given. Copies: pairs in a file lie where numbers may, complex ones may not, and torch
    ends the process over one that does."""
    import torch

    wide = json.loads((metadata or {}).get(_KEY, "[]"))
    return {
        name: torch.view_as_complex(value.clone()) if name in wide else value
        for name, value in tensors.items()
    }


def read_whole(path: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and the metadata of a .safetensors file; raises what that library raises."""
    from safetensors import safe_open
    from safetensors.torch import load_file

    with safe_open(path, "pt") as stream:
        metadata = dict(stream.metadata() or {})
    return from_pairs(load_file(path), metadata), metadata
