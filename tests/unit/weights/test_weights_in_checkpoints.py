"""Weights where checkpoints keep them: under keys, with prefixes, in half precision."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import unroll_dsl
from unroll_dsl.files import CannotRead
from unroll_dsl.weights import import_weights, load_network, save_network

PROGRAM = """
algorithm small
dims m, n
input y : vector[m]
fixed A : matrix[m, n]
learnable W : matrix[n, m] per phase = A'
learnable b : vector[n] = 0
state x : vector[n] = 0
phase (2):
    x <- x + W @ (y - A @ x) + b
output x
"""
MAP = '[tensors]\nW = "layers.{k-1}.weight"\nb = "bias"\n'
SPEC = unroll_dsl.loads(PROGRAM, "small.unroll")
THEIRS = {
    "layers.0.weight": torch.arange(12.0).reshape(4, 3),
    "layers.1.weight": torch.arange(12.0).reshape(4, 3) / 2,
    "bias": torch.ones(4),
}
EXPECTED = {
    "phases.0.W": THEIRS["layers.0.weight"],
    "phases.1.W": THEIRS["layers.1.weight"],
    "b": THEIRS["bias"],
}


@pytest.fixture
def names(tmp_path: Path) -> Path:
    (tmp_path / "small.weights.toml").write_text(MAP)
    return tmp_path / "small.weights.toml"


def prefixed(prefix: str) -> dict[str, torch.Tensor]:
    return {prefix + name: tensor for name, tensor in THEIRS.items()}


STATE = {"state": {0: {"exp_avg": torch.ones(4, 3)}}, "param_groups": [{"params": [0]}]}


@pytest.mark.parametrize(
    ("value", "notes"),
    [
        (THEIRS, ()),
        (prefixed("module."), ("their names are taken without `module.`",)),
        (prefixed("module.net."), ("their names are taken without `module.net.`",)),
        ({"state_dict": THEIRS}, ("the weights are those under `state_dict`",)),
        (
            {"epoch": 3, "state_dict": prefixed("module."), "optimizer": STATE},
            (
                "the weights are those under `state_dict`; beside it are `optimizer`",
                "their names are taken without `module.`",
            ),
        ),
        ({"a": {"model": THEIRS}}, ("the weights are those under `a.model`",)),
        ([THEIRS], ("the weights are those under `0`",)),
        ({"layers": [{"weight": THEIRS["layers.0.weight"]}, {"weight": THEIRS["layers.1.weight"]}],
          "bias": THEIRS["bias"]}, ()),
    ],
)  # fmt: skip
def test_weights_are_found(value: Any, notes: tuple[str, ...], names: Path, tmp_path: Path) -> None:
    torch.save(value, tmp_path / "w.pth")
    found = import_weights(SPEC, tmp_path / "w.pth", names)
    torch.testing.assert_close(found.tensors, EXPECTED)
    assert (found.phases, found.notes) == (2, notes)


def test_two_places_are_asked_for(names: Path, tmp_path: Path) -> None:
    torch.save({"net": THEIRS, "ema": prefixed("module.")}, tmp_path / "w.pth")
    with pytest.raises(
        CannotRead, match=r"at several places: `ema`, `net`; choose: `.*w\.pth:ema`"
    ):
        import_weights(SPEC, tmp_path / "w.pth", names)
    found = import_weights(SPEC, tmp_path / "w.pth:net", names)
    torch.testing.assert_close(found.tensors, EXPECTED)
    with pytest.raises(CannotRead, match="holds no tensors under `none`"):
        import_weights(SPEC, tmp_path / "w.pth:none", names)


def test_what_lies_beside_the_names_is_still_surplus(names: Path, tmp_path: Path) -> None:
    torch.save({"state_dict": {**THEIRS, "extra": torch.ones(1)}}, tmp_path / "w.pth")
    with pytest.raises(unroll_dsl.UnrollError, match="surplus: extra"):
        import_weights(SPEC, tmp_path / "w.pth", names)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_low_precision_is_imported_and_read_again(
    dtype: torch.dtype, suffix: str, names: Path, tmp_path: Path
) -> None:
    path, low = tmp_path / f"w.{suffix}", {k: v.to(dtype) for k, v in THEIRS.items()}
    save_file(low, path) if suffix == "safetensors" else torch.save(low, path)
    found = import_weights(SPEC, path, names)
    torch.testing.assert_close(found.tensors, EXPECTED)  # small whole numbers and halves: exact
    save_network(tmp_path / "net.safetensors", SPEC, found.tensors, phases=found.phases)
    net = load_network(tmp_path / "net.safetensors", bind={"A": np.ones((3, 4), np.float32)})
    torch.testing.assert_close(dict(net.state_dict()), EXPECTED)
