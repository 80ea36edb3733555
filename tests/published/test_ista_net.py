"""ISTA-Net and ISTA-Net+ with their authors' weights against the outputs of their authors' code."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import unroll_dsl
from unroll_dsl.measure import measurement
from unroll_dsl.resources import beside
from unroll_dsl.weights import import_weights, load_network, save_network

NAMES = ("ista_net", "ista_net_plus")
DIMS = {"h": 33, "w": 33}


def relative(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


def bound(folder: Path) -> dict[str, Any]:
    return {"Phi": np.load(folder / "phi.npy"), "Q": np.load(folder / "qinit.npy")}


def network(name: str, folder: Path, dtype: torch.dtype) -> Any:
    spec = unroll_dsl.load(name)
    found = import_weights(spec, folder / f"{name}.safetensors", beside(name, "weights.toml"))
    net = spec.compile(found.phases, bind=bound(folder), dims=DIMS, dtype=dtype)
    net.load_state_dict({key: value.to(dtype) for key, value in found.tensors.items()})
    return net


@pytest.fixture
def folder(shared_data: Path) -> Path:
    return shared_data / "ista_net" / "ratio25"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("dtype", "ending", "limit"), [(torch.float32, "", 1e-5), (torch.float64, ".f64", 1e-10)]
)
def test_every_phase(
    name: str, dtype: torch.dtype, ending: str, limit: float, folder: Path
) -> None:
    golden = load_file(folder / f"golden_{name}_cameraman4.safetensors")
    net = network(name, folder, dtype)
    with torch.no_grad():
        states = net.trajectory(golden[f"Phix{ending}"])
    gaps = [
        relative(found["x"].flatten(1), expected)
        for found, expected in zip(states, golden[f"xk{ending}"], strict=True)
    ]
    assert len(gaps) == 9
    assert max(gaps) < limit


@pytest.mark.parametrize("name", NAMES)
def test_loss_and_its_gradients(name: str, folder: Path) -> None:
    golden = load_file(folder / f"golden_{name}_cameraman4.safetensors")
    net = network(name, folder, torch.float32)
    loss = net.loss(golden["Phix"], golden["blocks"].reshape(-1, 1, 33, 33))
    assert loss.item() == pytest.approx(golden["loss_total_disc_constr"][0].item(), rel=1e-5)
    loss.backward()
    first = "F" if name == "ista_net" else "H"
    pairs = {
        "rho": "lambda_step",
        "theta": "soft_thr",
        f"{first}.0.weight": "conv1_forward",
        f"{first}.2.weight": "conv2_forward",
        f"{first}t.0.weight": "conv1_backward",
        f"{first}t.2.weight": "conv2_backward",
    }
    parameters = dict(net.named_parameters())
    for ours, theirs in pairs.items():
        found = torch.cat([parameters[f"phases.{k}.{ours}"].grad.flatten() for k in range(9)])
        expected = torch.cat([golden[f"grad.fcs.{k}.{theirs}"].flatten() for k in range(9)])
        # rounding turns units of many relus on or off: a plain rendering of the same formulas is
        # as far from theirs; little of that reaches the last phase
        assert relative(found, expected) < 1e-2, ours
        if "weight" in ours:
            last = parameters[f"phases.8.{ours}"].grad, golden[f"grad.fcs.8.{theirs}"]
            assert relative(*last) < 1e-3, ours


@pytest.mark.parametrize("name", NAMES)
def test_numpy_is_the_authors_code_too(name: str, folder: Path) -> None:
    golden = load_file(folder / f"golden_{name}_cameraman4.safetensors")
    spec = unroll_dsl.load(name)
    init = spec.values(network(name, folder, torch.float64))
    exact = {key: value.astype(np.float64) for key, value in bound(folder).items()}
    reference = spec.reference(9, bind=exact, dims=DIMS, init=init)
    found = reference(golden["Phix.f64"][:1].numpy())
    assert relative(torch.as_tensor(found).flatten(1), golden["xk.f64"][-1][:1]) < 1e-10


def test_brain_images(shared_data: Path) -> None:
    folder = shared_data / "ista_net_mri" / "ratio20"
    golden = load_file(folder / "golden_brain_test_01.safetensors")
    spec = unroll_dsl.load("ista_net_plus_mri")
    names = beside("ista_net_plus_mri", "weights.toml")
    found = import_weights(spec, folder / "mri_ista_net_plus.safetensors", names)
    mask = np.load(folder / "mask.npy")
    net: Any = spec.compile(found.phases, bind={"P": mask})
    net.load_state_dict(found.tensors)
    # what the authors start from is the zero-filled image: k-space with the same real part
    y = torch.fft.fft2(golden["PhiTb"].to(torch.complex64), norm="ortho") * torch.as_tensor(mask)
    with torch.no_grad():
        states = net.trajectory(y)
    start = torch.fft.ifft2(y, norm="ortho").real
    if relative(start, golden["PhiTb"]) > 1e-5:
        pytest.skip("the zero-filled image does not determine k-space for this mask")
    for index, k in enumerate((1, 2, 5, 9)):
        assert relative(states[k - 1]["x"], golden["xk"][index].reshape(1, 1, 256, 256)) < 1e-5


def test_one_file_is_the_network(folder: Path, tmp_path: Path) -> None:
    net = network("ista_net", folder, torch.float32)
    path = tmp_path / "net.safetensors"
    save_network(path, unroll_dsl.load("ista_net"), net, bind=bound(folder))
    again: Any = load_network(path, bind=bound(folder), dims=DIMS)
    y = load_file(folder / "golden_ista_net_cameraman4.safetensors")["Phix"]
    with torch.no_grad():
        torch.testing.assert_close(again(y), net(y), rtol=0, atol=0)


def test_the_measure_line_is_the_published_sampling(folder: Path) -> None:
    found = measurement(unroll_dsl.load("ista_net_plus"))
    assert found is not None and not found.noisy
    Phi = np.load(folder / "phi.npy").astype(np.float64)
    blocks = np.random.default_rng(0).uniform(size=(4, 1, 33, 33))
    y = found.compile(bind={"Phi": Phi}, dims=DIMS)(torch.as_tensor(blocks))
    expected = blocks.reshape(4, -1) @ Phi.T
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12, atol=1e-12)
