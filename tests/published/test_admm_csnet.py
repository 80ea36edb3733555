"""ADMM-CSNet with its authors' weights against the outputs of their authors' code."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import unroll_dsl
from unroll_dsl.resources import beside
from unroll_dsl.weights import import_weights


def relative(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


@pytest.fixture
def folder(shared_data: Path) -> Path:
    return shared_data / "admm_csnet"


def network(folder: Path) -> tuple[Any, torch.Tensor]:
    """The network, and the k-space of the authors' example [1, 1, 256, 256]."""
    spec = unroll_dsl.load("admm_csnet")
    names = beside("admm_csnet", "weights.toml")
    found = import_weights(spec, folder / "ratio20" / "admm_csnet.safetensors", names)
    mask = np.fft.ifftshift(np.load(folder / "ratio20" / "mask.npy"))
    net: Any = spec.compile(bind={"P": mask})
    net.load_state_dict(found.tensors)
    image = torch.as_tensor(np.load(folder / "test_new01_complex64.npy"))
    return net, (torch.as_tensor(mask) * torch.fft.fft2(image, norm="ortho"))[None, None]


@pytest.mark.slow
def test_their_reconstructions_and_figures(folder: Path) -> None:
    golden = load_file(folder / "ratio20" / "golden_new01.safetensors")
    image = torch.as_tensor(np.load(folder / "test_new01_complex64.npy"))
    net, y = network(folder)
    with torch.no_grad():
        states = [values["x"][0, 0] for values in net.trajectory(y)]
        output = net(y)[0, 0]
    places = {"x.org": states[0], "x.mid1": states[1], "x.mid9": states[9]}
    places |= {"x.final_before_dc": states[10], "output": output}
    for name, found in places.items():
        assert relative(torch.view_as_real(found), golden[name]) < 1e-5, name
    assert relative(output, image) == pytest.approx(0.182186, abs=5e-6)
    error = ((output.abs() - image.abs()) ** 2).double().mean().item()
    assert 10 * np.log10(1 / error + 1e-5) == pytest.approx(33.78776, abs=1e-4)
