"""FISTA-Net against the outputs of its authors' code, in double precision."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import unroll_dsl
from unroll_dsl.resources import beside
from unroll_dsl.weights.imports import translate
from unroll_dsl.weights.names import read_map

Golden = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def golden(request: pytest.FixtureRequest) -> Golden:
    folder: Path = request.getfixturevalue("shared_data")
    return load_file(folder / "fista_net" / "golden_fistanet_seed0.safetensors")


@pytest.fixture(scope="module")
def net(golden: Golden) -> Any:
    spec = unroll_dsl.load("fista_net")
    theirs = {
        key.removeprefix("param."): value
        for key, value in golden.items()
        if key.startswith("param.")
    }
    weights = translate(spec.graph, read_map(beside("fista_net", "weights.toml")), theirs, "golden")
    bind = {"A": golden["Phi"], "R": golden["L"], "M": golden["mask"]}
    found = spec.compile(7, bind=bind, dims={"h": 20, "w": 20})
    found.load_state_dict(weights.tensors)
    return found


def inputs(golden: Golden) -> tuple[torch.Tensor, torch.Tensor]:
    return golden["b"].reshape(3, 104), golden["x0"]


def relative(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


def test_every_phase(net: Any, golden: Golden) -> None:
    with torch.no_grad():
        states = net.trajectory(*inputs(golden))
    gaps = [relative(states[k - 1]["x"], golden[f"x.{k}"]) for k in range(1, 8)]
    assert max(gaps) < 1e-10


def test_loss_and_gradients(net: Any, golden: Golden) -> None:
    net.zero_grad()
    loss = net.loss(*inputs(golden), golden["x_true"])
    assert loss.item() == pytest.approx(golden["loss"][0].item(), rel=1e-10)
    loss.backward()
    names = read_map(beside("fista_net", "weights.toml"))
    parameters = dict(net.named_parameters())
    for rule in names.rules:
        found = parameters[rule.ours].grad
        expected = golden[f"grad.{rule.theirs[0]}"].reshape(found.shape)
        assert relative(found, expected) < 1e-8, rule.ours


def test_with_a_transform_that_does_nothing_it_is_a_projected_step(golden: Golden) -> None:
    """With G = 0 no feature comes back: what is left is the damped step with momentum, cut at 0."""
    spec = unroll_dsl.load("fista_net")
    A, R, M = (golden[key] for key in ("Phi", "L", "mask"))
    zero = {"weight": torch.zeros(1, 32, 3, 3).double(), "bias": torch.zeros(1).double()}
    net: Any = spec.compile(
        4, bind={"A": A, "R": R, "M": M}, dims={"h": 20, "w": 20}, init={"G": zero}
    )
    b, x0 = inputs(golden)
    H = A.mT @ A + 0.001 * R.mT @ R
    softplus = torch.nn.functional.softplus
    x = z = x0
    for k in range(4):
        mu = softplus(torch.tensor(-0.2 * k + 0.1, dtype=torch.float64))
        gain = softplus(torch.tensor(0.5 * k, dtype=torch.float64))
        rho = (gain - softplus(torch.tensor(0.0, dtype=torch.float64))) / gain
        v = z.flatten(1) @ M.mT
        g = (v @ A.mT - b) @ A - 0.001 * v @ R.mT @ R
        step = v - mu * torch.linalg.solve(H, g.mT).mT
        before, x = x, torch.relu((step @ M).reshape(x0.shape))
        z = x + rho * (x - before)
    with torch.no_grad():
        assert relative(net(b, x0), x) < 1e-10
