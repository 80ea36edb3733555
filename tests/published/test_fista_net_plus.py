"""fista_net_plus against its equations written out in plain PyTorch, in double precision.

Equations 9 to 13 of the paper with the conventions of the authors' code: schedules count from 0, what
lies outside the view is zero in every layer, W is fixed.
"""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d, relu, softplus

import unroll_dsl
from unroll_dsl.cli.main import main
from unroll_dsl.resources import beside
from unroll_dsl.weights.imports import translate
from unroll_dsl.weights.names import read_map

SIDE, PIXELS, MEASURED, BATCH = 6, 23, 11, 2
START = {"w_theta": -0.4, "b_theta": -1.5, "w_mu": 0.1, "b_mu": -0.3, "w_rho": 0.6, "b_rho": -0.2}


def drawn() -> dict[str, Tensor]:
    """Weights under the authors' names, away from where training starts, some of w's signs turned."""
    generator = torch.Generator().manual_seed(1)
    found = {name: torch.tensor([value], dtype=torch.float64) for name, value in START.items()}
    shapes = {"conv_D": (32, 1), "conv_G": (1, 32)}
    shapes |= {f"conv{i}_{way}": (32, 32) for way in ("forward", "backward") for i in range(1, 5)}
    for name, ends in shapes.items():
        scale = 0.5 / (9 * ends[1]) ** 0.5
        weight = torch.randn(*ends, 3, 3, generator=generator, dtype=torch.float64)
        bias = torch.randn(ends[0], generator=generator, dtype=torch.float64)
        found |= {f"bb.{name}.weight": 3 * scale * weight, f"bb.{name}.bias": 0.1 * bias}
    return found


def checkpoint(layers: int) -> dict[str, Tensor]:
    """As the authors save it: the block is there again for each layer."""
    found = drawn()
    for key, value in list(found.items()):
        if key.startswith("bb."):
            found |= {f"fcs.{i}.{key[3:]}": value for i in range(layers)}
    return found


@pytest.fixture(scope="module")
def problem() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(2)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    places = torch.randperm(SIDE**2, generator=generator)[:PIXELS].sort().values
    mask = torch.zeros(PIXELS, SIDE**2, dtype=torch.float64)
    mask[torch.arange(PIXELS), places] = 1
    A = normal(MEASURED, PIXELS) / MEASURED**0.5
    b, x0 = normal(BATCH, MEASURED), normal(BATCH, 1, SIDE, SIDE)
    assert (x0.flatten(1) @ (torch.eye(SIDE**2).double() - mask.mT @ mask)).norm() > 1  # off view
    return {"A": A, "W": normal(MEASURED, PIXELS) / 4, "M": mask, "b": b, "x0": x0,
            "target": normal(BATCH, 1, SIDE, SIDE)}  # fmt: skip


def plain(p: dict[str, Tensor], weights: dict[str, Tensor], layers: int) -> tuple[Tensor, Tensor]:
    """The last x and the loss."""

    def conv(name: str, image: Tensor) -> Tensor:
        return conv2d(image, weights[f"bb.{name}.weight"], weights[f"bb.{name}.bias"], padding=1)

    def chain(way: str, image: Tensor) -> Tensor:
        for i in range(1, 5):
            image = conv(f"conv{i}_{way}", relu(image) if i > 1 else image)
        return image

    w = weights
    x = y = p["x0"]
    symmetry = sparsity = torch.zeros(()).double()
    for i in range(layers):
        step = softplus(w["w_mu"] * i + w["b_mu"])
        threshold = softplus(w["w_theta"] * i + w["b_theta"])
        gain = softplus(w["w_rho"] * i + w["b_rho"])
        v = y.flatten(1) @ p["M"].mT
        v = v - step * (v @ p["A"].mT - p["b"]) @ p["W"]
        r = (v @ p["M"]).reshape(p["x0"].shape)
        d = conv("conv_D", r)
        f = chain("forward", d)
        s = torch.sign(f) * relu(f.abs() - threshold)
        before, x = x, relu(r + conv("conv_G", chain("backward", s)))
        y = x + (gain - softplus(w["b_rho"])) / gain * (x - before)
        symmetry = symmetry + (chain("backward", f) - d).square().mean()
        sparsity = sparsity + s.abs().mean()
    gap = x - p["target"]
    return x, gap.square().mean() + 0.1 * gap.abs().mean() + 0.01 * symmetry + 0.001 * sparsity


def compiled(p: dict[str, Tensor], phases: int) -> Any:
    spec = unroll_dsl.load("fista_net_plus")
    bind = {name: p[name] for name in ("A", "W", "M")}
    net = spec.compile(phases, bind=bind, dims={"h": SIDE, "w": SIDE})
    names = read_map(beside("fista_net_plus", "weights.toml"))
    net.load_state_dict(translate(spec.graph, names, checkpoint(phases), "drawn").tensors)
    return net


@pytest.mark.parametrize("phases", [1, 3, 7])
def test_values(problem: dict[str, Tensor], phases: int) -> None:
    x, loss = plain(problem, drawn(), phases)
    net = compiled(problem, phases)
    with torch.no_grad():
        torch.testing.assert_close(net(problem["b"], problem["x0"]), x, rtol=1e-10, atol=1e-10)
    found = net.loss(problem["b"], problem["x0"], problem["target"])
    torch.testing.assert_close(found, loss, rtol=1e-10, atol=0)


def test_gradients(problem: dict[str, Tensor]) -> None:
    weights = {name: value.requires_grad_() for name, value in drawn().items()}
    plain(problem, weights, 4)[1].backward()
    net = compiled(problem, 4)
    net.loss(problem["b"], problem["x0"], problem["target"]).backward()
    parameters = dict(net.named_parameters())
    assert "W" not in parameters
    for rule in read_map(beside("fista_net_plus", "weights.toml")).rules:
        found, expected = parameters[rule.ours].grad, weights[rule.theirs[0]].grad
        assert found is not None and expected is not None
        gap = (found - expected.reshape(found.shape)).norm() / expected.norm()
        assert float(gap) < 1e-10, rule.ours


def test_what_lies_outside_the_view_counts_for_nothing(problem: dict[str, Tensor]) -> None:
    outside = 1 - problem["M"].sum(0).reshape(1, SIDE, SIDE)
    net = compiled(problem, 1)
    with torch.no_grad():
        found = net(problem["b"], problem["x0"] + 100 * outside)
        torch.testing.assert_close(found, net(problem["b"], problem["x0"]))


def test_the_matrix_is_one_word_away_from_learnable(problem: dict[str, Tensor]) -> None:
    spec = unroll_dsl.load("fista_net_plus").with_roles({"W": "shared"})
    assert [p.name for p in spec.graph.parameters if p.name == "W"] == ["W"]


@pytest.mark.parametrize("layers", [3, 7, 9])
def test_a_checkpoint_has_its_own_number_of_layers(
    problem: dict[str, Tensor], layers: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, made = tmp_path / "epoch_1.ckpt", tmp_path / "plus.safetensors"
    torch.save({f"module.{name}": value for name, value in checkpoint(layers).items()}, source)
    assert main(["weights", "import", "fista_net_plus", str(source), "-o", str(made)]) == 0
    assert f"{layers} phases" in capsys.readouterr().err
    bind = {name: problem[name] for name in ("A", "W", "M")}
    net: Any = unroll_dsl.load_network(made, bind=bind, dims={"h": SIDE, "w": SIDE})
    with torch.no_grad():
        found = net(problem["b"], problem["x0"])
    torch.testing.assert_close(found, plain(problem, drawn(), layers)[0], rtol=1e-10, atol=1e-10)
