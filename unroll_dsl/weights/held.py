"""What a file of a network holds besides its weights: the program, how it was compiled, what was bound."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from unroll_dsl.backends.resting import Rest
from unroll_dsl.backends.values import as_numpy, describe
from unroll_dsl.driver import check_program
from unroll_dsl.files import CannotRead
from unroll_dsl.files.pairs import read_whole
from unroll_dsl.freezing import Origin, kept
from unroll_dsl.loading import loads
from unroll_dsl.source import SourceFile
from unroll_dsl.spec import Spec
from unroll_dsl.syntax import parse
from unroll_dsl.syntax.printer import same_tree, to_text
from unroll_dsl.version import VERSION

_FORMAT = "1"
BOUND = "bind/"  # before the names of tensors that are no weights; no name of a program has a slash


@dataclass(frozen=True)
class Held:
    """All but the weights.

    Attributes
    ----------
    spec : Spec
        With the roles that it was compiled with; its text says them.
    shapes
        Of everything that was bound, so that a wrong matrix is told from a right one.
    values
        What was bound in place of a classical value: tensors; numbers of Python, and lists of them.
    sizes
        Those that were known.
    precision
        Of the network: "float64", or None where the file does not say.
    rest
        Of a network at rest.
    """

    spec: Spec
    phases: int | None
    shapes: dict[str, tuple[int, ...]]
    values: dict[str, Any] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    precision: str | None = None
    level: int = 2
    checkpoint: str | None = None
    gradient: str | int = "unroll"
    rest: Rest | None = None


def standalone(spec: Spec) -> Spec:
    """`spec`, printed and read again where other roles have made its text another program's."""
    file = spec.program.file
    parsed = parse(SourceFile(file.name, file.text)).program
    if parsed is not None and same_tree(parsed, spec.program):
        return spec
    return loads(to_text(spec.program), file.name)


def of_network(
    network: nn.Module, spec: Spec, phases: int | None, bind: Mapping[str, Any] | None
) -> Held:
    """What there is to keep of a network: what it was compiled from counts, `spec` names the program.

    Raises
    ------
    ValueError
        If the network is of another program, or frozen: it has no weights any more.
    """
    origin = vars(network).get("_origin")
    if "_origin" in vars(network) and origin is None:
        raise ValueError("a frozen network has no weights to save: save the one it was made of")
    count = getattr(network, "phases", None)
    count = len(count) if isinstance(count, nn.ModuleList) else count
    if not isinstance(origin, Origin):
        return of_weights(network.state_dict(), spec, count if phases is None else phases, bind)
    own = Spec(check_program(origin.program))
    if (own.name, _inputs(own)) != (spec.name, _inputs(spec)):
        raise ValueError(f"the network is of {own!r}, not of {spec!r}")
    if phases is not None and phases != count:
        raise ValueError(f"the network has {count} phases, not {phases}")
    return Held(
        standalone(own),
        count,
        origin.shapes,
        origin.values,
        origin.sizes,
        _precision(dict([*network.named_parameters(), *network.named_buffers()])),
        origin.level,
        origin.checkpoint,
        origin.gradient,
        origin.rest,
    )


def of_weights(
    tensors: Mapping[str, Tensor], spec: Spec, phases: int | None, bind: Mapping[str, Any] | None
) -> Held:
    """The same of weights alone, of which `spec` and `bind` say all that is known."""
    shapes = {name: describe(value).shape for name, value in (bind or {}).items()}
    count = spec.graph.phases if phases is None else phases
    values = kept(spec.graph, bind or {})
    return Held(standalone(spec), count, shapes, values, precision=_precision(tensors))


def _inputs(spec: Spec) -> tuple[tuple[str, str], ...]:
    return tuple((entry.name, str(entry.type)) for entry in spec.graph.inputs)


def _precision(tensors: Mapping[str, Tensor]) -> str | None:
    for tensor in tensors.values():
        if tensor.is_floating_point() or tensor.is_complex():
            return str(tensor.dtype.to_real()).removeprefix("torch.")
    return None


def to_file(held: Held) -> tuple[dict[str, str], dict[str, Tensor]]:
    """The metadata of a file, and the tensors that stand beside the weights."""
    text = held.spec.program.file.text
    plain = [name for name, value in held.values.items() if not isinstance(value, Tensor)]
    metadata = {
        "format": _FORMAT,
        "unroll_dsl": VERSION,
        "name": held.spec.program.file.name.rpartition("/")[2],
        "spec": text,
        "sha256": _digest(text),
        "phases": json.dumps(held.phases),
        "bind": json.dumps({name: list(shape) for name, shape in held.shapes.items()}),
        "numbers": json.dumps(plain),
        "sizes": json.dumps(held.sizes),
        "precision": json.dumps(held.precision),
        "optimize": json.dumps(held.level),
        "checkpoint": json.dumps(held.checkpoint),
        "gradient": json.dumps(held.gradient),
        "rest": json.dumps(held.rest and dataclasses.asdict(held.rest)),
    }
    tensors = {
        BOUND + name: value.contiguous() if isinstance(value, Tensor) else _doubles(value)
        for name, value in held.values.items()
    }
    return metadata, tensors


def from_file(path: Path | str) -> Held:
    """Read all but the weights.

    Raises
    ------
    CannotRead
        If the file is no network of this format, or its program is not the one that was written.
    """
    try:
        whole, metadata = read_whole(str(path))
        tensors = {
            name.removeprefix(BOUND): value
            for name, value in whole.items()
            if name.startswith(BOUND)
        }
    except FileNotFoundError as error:
        raise CannotRead(f"{path}: there is no such file") from error
    except Exception as error:
        raise CannotRead(
            f"{path} is no network: not a .safetensors file ({error})",
            "networks are what `unroll train` and `unroll weights import` write: weights with their program",
        ) from error
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

    def said(key: str, default: Any) -> Any:
        return json.loads(metadata[key]) if key in metadata else default

    plain = said("numbers", [])
    return Held(
        loads(metadata["spec"], metadata["name"]),
        said("phases", None),
        {name: tuple(shape) for name, shape in said("bind", {}).items()},
        {name: value.tolist() if name in plain else value for name, value in tensors.items()},
        said("sizes", {}),
        said("precision", None),
        said("optimize", 2),
        said("checkpoint", None),
        said("gradient", "unroll"),
        Rest(**rest) if (rest := said("rest", None)) else None,
    )


def _doubles(value: Any) -> Tensor:
    """Numbers of Python with all their digits: whole ones are numbers too."""
    return torch.from_numpy(np.array(as_numpy(value)))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
