"""A trained network in one file: weights, the text of its program, how many phases, what was bound.

The file is a .safetensors file; the program and the rest are its metadata. Reading one compiles the
program and runs no other code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from unroll_dsl.backends.errors import WeightsMisfit
from unroll_dsl.backends.values import describe
from unroll_dsl.diagnostics.model import UnrollError
from unroll_dsl.files import CannotRead
from unroll_dsl.spec import Spec, loads
from unroll_dsl.version import VERSION
from unroll_dsl.weights.writing import write_whole

_FORMAT = "1"


def save_network(
    path: Path | str,
    spec: Spec,
    weights: nn.Module | Mapping[str, Tensor],
    *,
    phases: int | None = None,
    bind: Mapping[str, Any] | None = None,
) -> None:
    """Write a network to one file; an interrupted write leaves what was there before.

    Parameters
    ----------
    weights
        A network of `spec`, or its `state_dict`.
    phases
        How many; by default as many as the network has, else what the program says.
    bind
        What was bound: its shapes are kept, so that a wrong matrix is told from a right one.
    """
    from safetensors.torch import save

    target = Path(path)
    tensors = weights.state_dict() if isinstance(weights, nn.Module) else weights
    count = phases if phases is not None else _phases_of(weights, spec)
    text = spec.program.file.text
    shapes = {name: list(describe(value).shape) for name, value in (bind or {}).items()}
    metadata = {
        "format": _FORMAT,
        "unroll_dsl": VERSION,
        "name": spec.program.file.name.rpartition("/")[2],
        "spec": text,
        "sha256": _digest(text),
        "phases": json.dumps(count),
        "bind": json.dumps(shapes),
    }
    data = save({k: v.detach().cpu().contiguous() for k, v in tensors.items()}, metadata)
    write_whole(target, data)


def is_network(path: Path | str) -> bool:
    """Whether a file has been written by `save_network`: weights with their program."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), "pt") as stream:
            return {"format", "spec"} <= set(stream.metadata() or {})
    except (OSError, SafetensorError):
        return False


def read_spec(path: Path | str) -> tuple[Spec, int | None, dict[str, tuple[int, ...]]]:
    """The program in a file, its number of phases, and the shapes of what was bound.

    Raises
    ------
    CannotRead
        If the file is no network of this format, or its program is not the one that was written.
    """
    from safetensors import safe_open

    try:
        with safe_open(str(path), "pt") as stream:
            metadata = dict(stream.metadata() or {})
    except FileNotFoundError as error:
        raise CannotRead(f"{path}: there is no such file") from error
    except Exception as error:
        raise CannotRead(f"{path}: not a .safetensors file: {error}") from error
    missing = {"format", "spec", "sha256", "phases", "bind", "name"} - set(metadata)
    if missing:
        raise CannotRead(
            f"{path}: weights without their program (no {', '.join(sorted(missing))}); "
            "`unroll weights import` makes one of authors' weights"
        )
    if metadata["format"] != _FORMAT:
        raise CannotRead(f"{path}: format {metadata['format']}, this version reads {_FORMAT}")
    if _digest(metadata["spec"]) != metadata["sha256"]:
        raise CannotRead(f"{path}: the program is not the one that was saved: its hash differs")
    phases = json.loads(metadata["phases"])
    shapes = {name: tuple(shape) for name, shape in json.loads(metadata["bind"]).items()}
    return loads(metadata["spec"], metadata["name"]), phases, shapes


def load_network(
    path: Path | str,
    *,
    bind: Mapping[str, Any] | None = None,
    dims: Mapping[str, int] | None = None,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> nn.Module:
    """Rebuild a network from a file that `save_network` or `unroll weights import` has written.

    Raises
    ------
    UnrollError
        U0521 with every missing, surplus and misshapen tensor; what `Spec.compile` raises.
    CannotRead
        If the file is not one of these.
    """
    from safetensors.torch import load_file

    spec, phases, shapes = read_spec(path)
    given = dict(bind or {})
    wrong = [
        f"{name}: bound with shape {tuple(describe(given[name]).shape)}, trained with {shape}"
        for name, shape in shapes.items()
        if name in given and shape and tuple(describe(given[name]).shape) not in ((), shape)
    ]
    if wrong:
        raise UnrollError([WeightsMisfit(str(path), (), (), tuple(wrong))])
    network = spec.compile(phases, bind=given, dims=dims, dtype=dtype, device=device)
    put(network, load_file(str(path)), str(path))
    return network


def put(network: nn.Module, tensors: Mapping[str, Tensor], source: str) -> None:
    """Copy weights into a network; U0521 names all that does not fit."""
    held = network.state_dict()
    missing = tuple(sorted(set(held) - set(tensors)))
    surplus = tuple(sorted(set(tensors) - set(held)))
    misshapen = tuple(
        f"{name}: {tuple(held[name].shape)} wanted, found {tuple(tensors[name].shape)}"
        for name in held
        if name in tensors and tensors[name].shape != held[name].shape
    )
    if missing or surplus or misshapen:
        raise UnrollError([WeightsMisfit(source, missing, surplus, misshapen)])
    network.load_state_dict({k: v.to(held[k]) for k, v in tensors.items()})


def _phases_of(weights: nn.Module | Mapping[str, Tensor], spec: Spec) -> int | None:
    if isinstance(weights, nn.Module):
        held = getattr(weights, "phases", None)
        return len(held) if isinstance(held, nn.ModuleList) else held
    return spec.graph.phases


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
