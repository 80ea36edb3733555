"""A folder with the module, its values and ten lines that put them together: torch and safetensors are all that it needs."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from unroll_dsl.backends.maps import Matrix
from unroll_dsl.export.checked import BATCH, agreement
from unroll_dsl.export.refused import CannotExport
from unroll_dsl.export.taken import Frozen

MODULE, VALUES, LOADER = "network.py", "values.safetensors", "load.py"
_LOADER = '''\
"""`load()` is the network; what it takes: {takes}. Torch and safetensors are all that it needs."""

from pathlib import Path

import torch
from network import {name}
from safetensors.torch import load_file

PREFIX = "held."


def load() -> {name}:
    values = load_file(Path(__file__).with_name("{values}"))
    held = {{key[len(PREFIX) :]: values.pop(key) for key in [*values] if key.startswith(PREFIX)}}
    network = {name}({arguments})
    own = {{**dict(network.named_parameters()), **dict(network.named_buffers())}}
    for key, value in held.items():
        own[key].data.copy_(value)
    for part, numbers in {numbers}.items():
        vars(network.get_submodule(part)).update(numbers)
    return network.eval().requires_grad_(False)
'''


def write_folder(made: Frozen, path: Path) -> float:
    """Write the generated module of a network, the values it is made of and a file that makes it.

    Raises
    ------
    CannotExport
        If it is made of more than values: a map or a network from outside.
    """
    from safetensors.torch import save

    kind = type(made.network)
    tensors, words = _given(made)
    held, numbers = _set_afterwards(made)
    path.mkdir(parents=True, exist_ok=True)
    (path / MODULE).write_text(inspect.getsource(sys.modules[kind.__module__]), "utf-8")
    whole = {**tensors, **{f"held.{name}": value for name, value in held.items()}}
    plain = {name: value.detach().cpu().contiguous().clone() for name, value in whole.items()}
    (path / VALUES).write_bytes(save(plain))
    text = _LOADER.format(
        takes="; ".join(f"{t.name} {list(t.shape)} of each sample" for t in made.inputs),
        name=kind.__name__,
        values=VALUES,
        arguments=", ".join(["**values", *(f"{key}={value!r}" for key, value in words.items())]),
        numbers=repr(numbers),
    )
    (path / LOADER).write_text(text, "utf-8")
    given = made.samples(BATCH)
    with torch.no_grad():
        found = _loaded(path)(*given)
    found = found if isinstance(found, tuple) else (found,)
    return agreement(made, given, found, "the folder")


def _given(made: Frozen) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What the class of a network is made with: tensors, among them matrices of maps, and numbers."""
    tensors: dict[str, Tensor] = {}
    words: dict[str, Any] = {}
    for name, value in made.made_of.items():
        if isinstance(value, Tensor):
            tensors[name] = value
        elif isinstance(value, Matrix):
            tensors[name] = value.matrix.reshape(*value.codomain, *value.domain)
        elif isinstance(value, int | float | torch.dtype):
            words[name] = value
        elif value is not None and name != "device":
            raise CannotExport(
                f"`{made.name}` is made with `{name}`, which is no value but a {type(value).__name__}",
                "`--pt2` writes it, with all that it calls",
            )
    return tensors, words


def _set_afterwards(made: Frozen) -> tuple[dict[str, Tensor], dict[str, dict[str, float]]]:
    """What a network holds besides what its class was made with: tensors, and numbers by the parts that hold them."""
    fresh = type(made.network)(**made.made_of)
    own = {**dict(fresh.named_parameters()), **dict(fresh.named_buffers())}
    pairs = {**dict(made.network.named_parameters()), **dict(made.network.named_buffers())}
    held = {name: value for name, value in pairs.items() if not _same(value, own[name])}
    numbers: dict[str, dict[str, float]] = {}
    for part, module in made.network.named_modules():
        other = vars(fresh.get_submodule(part))
        for name, value in vars(module).items():
            if isinstance(value, float) and other.get(name) != value:
                numbers.setdefault(part, {})[name] = value
    return held, numbers


def _same(a: Tensor, b: Tensor) -> bool:
    return a.dtype == b.dtype and torch.equal(a, b)


def _loaded(path: Path) -> nn.Module:
    """What the file of a folder makes, in a module of its own."""
    sys.path.insert(0, str(path))
    before = sys.modules.pop("network", None)
    try:
        spec = importlib.util.spec_from_file_location("exported", path / LOADER)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        made = module.load()
    finally:
        sys.path.remove(str(path))
        sys.modules.pop("network", None)
        if before is not None:
            sys.modules["network"] = before
    assert isinstance(made, nn.Module)
    return made
