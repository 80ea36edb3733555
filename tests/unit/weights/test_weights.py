"""Names of weights, files of weights, and networks in one file."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import unroll_dsl
from unroll_dsl.files import CannotRead
from unroll_dsl.files.tensors import read_tensors
from unroll_dsl.weights import import_weights, load_network, save_network
from unroll_dsl.weights.names import BadMap, TensorRule, read_map

PROGRAM = """
algorithm small
dims m, n
input y : vector[m]
fixed A : matrix[m, n]
learnable W : matrix[n, m] per phase = A'
learnable t : scalar >= 0 per phase = 0.1
learnable b : vector[n] = 0
state x : vector[n] = 0
phase (3):
    x <- soft(x + W @ (y - A @ x) + b, t)
output x
"""
MAP = """
source = "somebody/something"
strip = "module."
[tensors]
W = { from = "layer{2*k-1:02d}.*.weight", axes = [1, 0] }
t = "layer{2*k:02d}.thr"
b = "bias"
"""
A = torch.linspace(-1, 1, 12).reshape(3, 4)


@pytest.fixture
def spec() -> Any:
    return unroll_dsl.loads(PROGRAM, "small.unroll")


@pytest.fixture
def theirs(tmp_path: Path) -> dict[str, torch.Tensor]:
    """Weights as their authors keep them: transposed, thresholds of shape [1], a prefix."""
    generator = torch.Generator().manual_seed(0)
    found = {"module.bias": torch.rand(4, generator=generator)}
    for k in range(1, 4):
        found[f"module.layer{2 * k - 1:02d}.fc.weight"] = torch.rand(3, 4, generator=generator)
        found[f"module.layer{2 * k:02d}.thr"] = torch.rand(1, generator=generator)
    (tmp_path / "small.weights.toml").write_text(MAP)
    save_file(found, tmp_path / "theirs.safetensors")
    return found


def imported(spec: Any, folder: Path) -> Any:
    return import_weights(spec, folder / "theirs.safetensors", folder / "small.weights.toml")


def test_names_and_layouts_are_translated(spec: Any, theirs: Any, tmp_path: Path) -> None:
    found = imported(spec, tmp_path)
    assert found.phases == 3
    torch.testing.assert_close(found.tensors["phases.1.W"], theirs["module.layer03.fc.weight"].T)
    assert found.tensors["phases.2.t"].shape == ()
    net = spec.compile(3, bind={"A": A})
    net.load_state_dict(found.tensors)


@pytest.mark.parametrize("suffix", [".npz", ".pt"])
def test_other_files_hold_the_same(spec: Any, theirs: Any, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"theirs{suffix}"
    if suffix == ".npz":
        np.savez(path, **{name: tensor.numpy() for name, tensor in theirs.items()})
    else:
        torch.save(theirs, path)
    found = import_weights(spec, path, tmp_path / "small.weights.toml")
    torch.testing.assert_close(found.tensors, imported(spec, tmp_path).tensors)


def test_everything_that_does_not_fit_is_named(spec: Any, theirs: Any, tmp_path: Path) -> None:
    del theirs["module.layer03.fc.weight"]
    theirs["module.layer06.thr"] = torch.ones(2)
    theirs["module.extra"] = torch.ones(1)
    save_file(theirs, tmp_path / "theirs.safetensors")
    with pytest.raises(unroll_dsl.UnrollError) as caught:
        imported(spec, tmp_path)
    (problem,) = caught.value.diagnostics
    words = problem.message()
    assert problem.code == "U0521"
    assert "missing: layer03" in words
    assert "surplus: extra" in words
    assert "layer06.thr: 0 axes wanted, found shape (2,)" in words


def test_pickled_code_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "touched",))

    (tmp_path / "evil.pt").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(CannotRead):
        read_tensors(tmp_path / "evil.pt")
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize(
    "text",
    [
        "tensors = 3", "[tensors]", "not toml", "[tensors]\nW = 3",
        '[tensors]\nW = "a{k.__class__}"', '[tensors]\nW = "a{open(1)}"', '[tensors]\nW = "a{k//2}"',
    ],
)  # fmt: skip
def test_maps_that_say_nothing_sensible(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.weights.toml"
    path.write_text(text)
    with pytest.raises(BadMap, match=r"bad\.weights\.toml"):
        read_map(path)


def test_a_star_matches_exactly_one() -> None:
    rule = TensorRule("W", ("layer{k}.*.w",))
    assert rule.find(["layer1.a.w", "layer2.a.w"], 1) == "layer1.a.w"
    assert rule.find(["layer1.a.w", "layer1.b.w"], 1) is None


@pytest.fixture
def saved(spec: Any, tmp_path: Path) -> Path:
    net = spec.compile(3, bind={"A": A})
    save_network(tmp_path / "net.safetensors", spec, net, bind={"A": A})
    return tmp_path / "net.safetensors"


def test_a_file_rebuilds_its_network(spec: Any, saved: Path) -> None:
    net: Any = load_network(saved, bind={"A": A})
    y = torch.ones(2, 3)
    torch.testing.assert_close(net(y), spec.compile(3, bind={"A": A})(y), rtol=0, atol=0)


def test_a_matrix_of_another_size_is_refused(saved: Path) -> None:
    with pytest.raises(unroll_dsl.UnrollError, match=r"trained with \(3, 4\)"):
        load_network(saved, bind={"A": torch.ones(3, 5)})


def test_a_program_that_was_changed_is_refused(saved: Path) -> None:
    data = saved.read_bytes().replace(b"phase (3)", b"phase (4)")
    saved.write_bytes(data)
    with pytest.raises(CannotRead, match="hash"):
        load_network(saved, bind={"A": A})


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "])
def test_files_of_something_else(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.safetensors"
    path.write_bytes(content)
    with pytest.raises(CannotRead):
        load_network(path)


def test_weights_without_a_program_say_so(tmp_path: Path) -> None:
    save_file({"a": torch.ones(1)}, tmp_path / "bare.safetensors")
    with pytest.raises(CannotRead, match="without their program"):
        load_network(tmp_path / "bare.safetensors")


def test_a_failed_write_leaves_the_old_file(
    spec: Any, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = saved.read_bytes()

    def fail(*arguments: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="no space"):
        save_network(saved, spec, spec.compile(3, bind={"A": 2 * A}))
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["net.safetensors"]


def test_tensors_are_those_of_the_state_dict(spec: Any, saved: Path) -> None:
    assert load_file(saved).keys() == spec.compile(3, bind={"A": A}).state_dict().keys()
