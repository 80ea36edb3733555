"""Deep ADMM-Net with its authors' weights, against a port that reproduces the authors' figures."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.resources import beside
from unroll_dsl.weights import import_weights


@pytest.mark.parametrize(
    ("stages", "nmse", "decibels"), [(7, 0.05779433, 35.60099), (15, 0.05614314, 35.84998)]
)
def test_brain_image(stages: int, nmse: float, decibels: float, shared_data: Path) -> None:
    folder = shared_data / "deep_admm_net"
    data = np.load(folder / "brain1_mask20_plf_positions.npz")
    image, mask = data["Brain_data1"], np.fft.ifftshift(data["mask_20"]).astype(np.float64)
    spec = unroll_dsl.load("admm_net")
    names = beside("admm_net", "weights.toml")
    weights = import_weights(spec, folder / f"net-stage{stages}.safetensors", names)
    assert weights.phases == stages + 3
    net: Any = spec.compile(weights.phases, bind={"P": mask})
    net.load_state_dict(weights.tensors)
    y = torch.as_tensor(mask * np.fft.fft2(image, norm="ortho"))[None, None]
    with torch.no_grad():
        states = [values["x"][0, 0].numpy() for values in net.trajectory(y)]
    port = np.load(folder / f"port_brain1_stage{stages}.npz")
    found = states[-1]
    assert np.abs(states[0] - port["x_first"]).max() < 1e-7  # kept in single precision
    assert np.linalg.norm(found - port["x_final"]) < 1e-10 * np.linalg.norm(found)
    error = np.linalg.norm(found - image) / np.linalg.norm(image)
    assert error == pytest.approx(nmse, rel=1e-6)
    peak = 10 * np.log10(1 / np.mean((np.abs(found) - np.abs(image)) ** 2))
    assert peak == pytest.approx(decibels, abs=1e-4)


def test_the_last_phase_has_no_multiplier() -> None:
    net: Any = unroll_dsl.load("admm_net").compile(4, bind={"P": np.ones((6, 8))})
    assert {name for name, _ in net.phases[-1].named_parameters()} == {"gamma_H", "rho"}
    assert len(dict(net.phases[0].named_parameters())) == 5


@pytest.mark.parametrize("padding", ["circular"])
def test_deblurring_divides_under_the_transform(padding: str) -> None:
    """A periodic blur and a shift: the solution is that of the matrix, written out."""
    spec = unroll_dsl.loads(f"""
algorithm deblur
dims h, w
input y : image[1, h, w]
fixed kernel : matrix[3, 3]
learnable rho : scalar > 0 = 0.3
let A = blur(kernel, padding={padding})
output solve(A' @ A + rho * I, A' @ y)
""")
    generator = torch.Generator().manual_seed(0)
    kernel = torch.rand(3, 3, dtype=torch.float64, generator=generator)
    y = torch.rand(2, 1, 6, 7, dtype=torch.float64, generator=generator)
    dims = {"h": 6, "w": 7}
    net: Any = spec.compile(bind={"kernel": kernel}, dims=dims)
    expected = spec.reference(bind={"kernel": kernel}, dims=dims)(
        y.numpy()
    )  # a dense system of 42 unknowns
    assert not net(y).is_complex()
    torch.testing.assert_close(net(y).detach(), torch.as_tensor(expected))
    assert torch.autograd.gradcheck(net, (y.requires_grad_(),))


def test_layer_by_layer_on_a_small_image(shared_data: Path) -> None:
    folder = shared_data / "deep_admm_net"
    port = np.load(folder / "port_small32_stage7.npz")
    mask = port["mask_unshifted_fft_order"].astype(np.float64)
    spec = unroll_dsl.load("admm_net")
    # their own MATLAB file this time
    names = beside("admm_net", "weights.toml")
    weights = import_weights(spec, folder / "net-stage7.mat", names)
    net: Any = spec.compile(weights.phases, bind={"P": mask})
    net.load_state_dict(weights.tensors)
    y = torch.as_tensor(mask * np.fft.fft2(port["image"], norm="ortho"))[None, None]
    with torch.no_grad():
        states = [{k: v[0].numpy() for k, v in s.items()} for s in net.trajectory(y)]
    assert np.abs(states[-1]["x"][0] - port["x_final"]).max() < 1e-12
    for name, found in (
        ("layer01", states[0]["x"]),
        ("layer03", states[0]["z"]),
        ("layer04", states[0]["beta"]),
        ("layer05", states[1]["x"]),
        ("layer07", states[1]["z"]),
        ("layer08", states[1]["beta"]),
    ):
        key = next(k for k in port.files if k.startswith(name))
        expected = port[key]
        if expected.ndim == 3 and expected.shape[-1] == 8:
            expected = np.moveaxis(expected, -1, 0)
        assert np.abs(found.reshape(expected.shape) - expected).max() < 1e-12, key
