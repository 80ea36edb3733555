"""PyTorch's files: tensors in any container, and no code."""

import argparse
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from unroll_dsl.files import CannotRead
from unroll_dsl.files.tensors import read_tensors

W = torch.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ({"W": W}, ["W"]),
        (OrderedDict(W=W), ["W"]),
        ([W, {"b": W}], ["0", "1.b"]),
        ((W,), ["0"]),
        (W, [""]),
        (nn.Parameter(W), [""]),
        ({"epoch": 3, "state_dict": {"W": W}}, ["state_dict.W"]),
        ({"args": argparse.Namespace(rate=0.1, sizes=[3]), "W": W}, ["W"]),
        ({"W": W.numpy(), "loss": np.float64(0.5)}, ["W"]),
        ({"a": {"b": {"c": W}}}, ["a.b.c"]),
    ],
)
def test_tensors_have_the_names_of_their_keys(value: Any, names: list[str], tmp_path: Path) -> None:
    torch.save(value, tmp_path / "w.pth")
    found = read_tensors(tmp_path / "w.pth")
    assert list(found) == names
    for tensor in found.values():
        torch.testing.assert_close(tensor, W)
        assert not tensor.requires_grad


class Evil:
    """What would make a file when it is unpickled."""

    def __reduce__(self) -> Any:
        return (Path.touch, (Path("touched"),))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (nn.Linear(2, 3), r"holds an object of `torch\.nn.*Linear`.*save `net\.state_dict\(\)`"),
        (Evil(), "holds an object of .* run code"),
        ({"epoch": 3, "name": "x"}, "holds no tensors, but a dictionary of epoch, name"),
        ([1, 2], "holds no tensors, but list"),
    ],
)
def test_what_is_no_file_of_weights(
    value: Any, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(value, "w.pt")
    with pytest.raises(CannotRead, match=rf"w\.pt {words}"):
        read_tensors(Path("w.pt"))
    assert not Path("touched").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it ends too early"),
        (b"some text", "is no file of PyTorch"),
        (pickle.dumps({"a": np.ones(3)}, protocol=4), "is a pickle of Python's"),
        (None, "is no file of PyTorch, or damaged"),
    ],
)
def test_broken_files(content: bytes | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    torch.save({"W": W}, path)
    path.write_bytes(path.read_bytes()[:200] if content is None else content)
    with pytest.raises(CannotRead, match=rf"w\.pt.*{words}"):
        read_tensors(path)
