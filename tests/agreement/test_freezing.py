"""A frozen network computes what the trained one does, and learns no more."""

import copy
import inspect
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import unroll_dsl
from tests.agreement.test_levels import made, several
from unroll_dsl.resources import algorithm_names


def moved(net: Any) -> Any:
    """Off the classical values."""
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(1.03)
    return net


@pytest.mark.parametrize("level", [0, 2])
@pytest.mark.parametrize("name", sorted(algorithm_names()))
def test_frozen_networks_compute_the_same(name: str, level: int) -> None:
    net, inputs, _ = made(name, level)
    frozen = moved(net).freeze()
    with torch.no_grad():
        for found, expected in zip(several(frozen(*inputs)), several(net(*inputs)), strict=True):
            assert (found - expected).abs().max() <= 1e-12 * max(expected.abs().max().item(), 1)
    assert not any(p.requires_grad for p in frozen.parameters())


def small() -> Any:
    """A step that a constraint keeps positive, and an inverse that depends on it."""
    spec = unroll_dsl.loads(
        "algorithm small\ndims m, n\ninput y : vector[m]\nfixed A : matrix[m, n]\n"
        "learnable rho : scalar > 0 per phase = 1\nstate x : vector[n] = 0\n"
        "phase (3):\n    x <- solve(A' @ A + rho * I, A' @ y + rho * x)\noutput x\n"
    )
    torch.manual_seed(0)
    return spec.compile(bind={"A": torch.randn(5, 4, dtype=torch.float64)})


def test_what_depends_on_learnables_alone_is_kept() -> None:
    net = small()
    frozen = net.freeze()
    assert "rho" not in dict(frozen.named_parameters())
    text = inspect.getsource(sys.modules[type(frozen).__module__])
    forward = text[text.index("    def forward") : text.index("class Small")]
    assert "positive" in inspect.getsource(sys.modules[type(net).__module__])
    assert "positive" not in text  # the constraint has been applied
    assert "rho +" not in forward and "+ rho" not in forward


def test_a_constraint_holds_in_the_frozen_network() -> None:
    net = small()
    y = torch.randn(2, 5, dtype=torch.float64)
    with torch.no_grad():
        for phase in net.phases:
            phase.rho.fill_(-0.5)  # an optimiser's step too far; reflected
        torch.testing.assert_close(net.freeze()(y), net(y), rtol=1e-12, atol=1e-12)


def test_training_goes_on_without_the_frozen_network() -> None:
    net = small()
    frozen, y = net.freeze(), torch.randn(2, 5, dtype=torch.float64)
    before = frozen(y)
    moved(net)
    torch.testing.assert_close(frozen(y), before, rtol=0, atol=0)
    assert (net(y) - before).abs().max() > 1e-6


def test_precision_is_kept() -> None:
    net = small().float()
    frozen = net.freeze()
    y = torch.randn(2, 5)
    assert frozen(y).dtype == torch.float32
    with torch.no_grad():
        torch.testing.assert_close(frozen(y), net(y), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_freeze_and_frozen_networks_are_copied(copied: Any) -> None:
    net = moved(small())
    y = torch.randn(2, 5, dtype=torch.float64)
    with torch.no_grad():
        expected = net(y)
        for other in (copied(net).freeze(), copied(net.freeze())):
            torch.testing.assert_close(other(y), expected, rtol=1e-12, atol=1e-12)


def test_a_frozen_network_is_frozen_already() -> None:
    frozen = small().freeze()
    assert frozen.freeze() is frozen


def test_networks_read_in_another_process_freeze(tmp_path: Path) -> None:
    net = moved(small())
    torch.save(net, tmp_path / "net.pt")
    y = torch.randn(2, 5, dtype=torch.float64)
    torch.save(y, tmp_path / "y.pt")
    program = (
        "import sys, torch\n"
        "net = torch.load(sys.argv[1], weights_only=False).freeze()\n"
        "torch.save(net(torch.load(sys.argv[2])), sys.argv[3])\n"
    )
    paths = [str(tmp_path / word) for word in ("net.pt", "y.pt", "x.pt")]
    subprocess.run([sys.executable, "-c", program, *paths], check=True)
    expected = net(y).detach()
    torch.testing.assert_close(torch.load(paths[2]), expected, rtol=1e-12, atol=1e-12)


def test_variants_freeze() -> None:
    """What `learn` and `fix` have made of a program is what is frozen."""
    spec = unroll_dsl.load("ista")
    A = torch.randn(6, 9, dtype=torch.float64)
    net = moved(spec.compile(4, bind={"A": A, "lambda": 0.1}, learn={"A": "per phase"}))
    y = torch.randn(3, 6, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(net.freeze()(y), net(y), rtol=1e-12, atol=1e-12)


HEAD = "algorithm q\ndims n\ninput y : vector[n]\n"
# Not every phase has the learnables of these: the last one alone, all but the last one, all but the first.
UNEVEN = {
    "in the last phase alone": (
        f"{HEAD}learnable a : scalar per phase = 0.5\nlearnable b : scalar per phase = 0.1\n"
        "state u, x : vector[n] = 0\nphase (3):\n    u <- a * u + y\n    x <- b * u\noutput x\n"
    ),
    "in all phases but the last one": (
        f"{HEAD}learnable b : scalar in (0, 1) per phase = 0.1 * k\nlearnable c : scalar per phase = 1\n"
        "state u, x : vector[n] = 0\nphase (4):\n    x <- c * u\n    u <- soft(b * u + y, b / 2)\noutput x\n"
    ),
    "a layer in all phases but the last one": (
        "algorithm q\ndims h, w\ninput y : image[1, h, w]\n"
        "learnable N : conv[1 -> 1, 3] per phase ~ xavier_normal\nstate x, v : image[1, h, w] = y\n"
        "phase (3):\n    x <- soft(v, 0.01)\n    v <- x + N(x)\noutput x\n"
    ),
    "a layer in the last phase alone": (
        "algorithm q\ndims h, w\ninput y : image[1, h, w]\n"
        "learnable N : conv[1 -> 1, 3] per phase ~ xavier_normal\nlearnable t : scalar per phase = 0.1\n"
        "state x, v : image[1, h, w] = y\nphase (3):\n    v <- soft(v, t) + y\n    x <- N(v)\noutput x\n"
    ),
}  # fmt: skip


@pytest.mark.parametrize("level", [0, 2])
@pytest.mark.parametrize("text", UNEVEN.values(), ids=UNEVEN.keys())
def test_values_that_not_every_phase_has(text: str, level: int) -> None:
    spec = unroll_dsl.loads(text)
    sizes = {"n": 6} if "dims n" in text else {"h": 6, "w": 5}
    net: Any = spec.compile(dims=sizes, seed=0, dtype=torch.float64, optimize=level)
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(0.8).add_(0.1 * torch.rand_like(parameter))
        x = torch.randn(3, 6) if "dims n" in text else torch.randn(3, 1, 6, 5)
        expected = net(x.double())
        values = spec.values(net)
        assert set(values) == {p.name for p in spec.graph.parameters}
        again = spec.compile(dims=sizes, seed=1, dtype=torch.float64, init=values)(x.double())
        found = [net.freeze()(x.double()), again]
    found.append(torch.from_numpy(spec.reference(init=values, dims=sizes)(x.double().numpy())))
    for other in found:
        torch.testing.assert_close(other, expected, rtol=1e-12, atol=1e-12)


STATES_NO_OUTPUT_NEEDS = """
algorithm apart
dims m, n
input y : vector[n]
fixed c : vector[m]
learnable q : scalar in (0, 2] per phase = 0.3 + 0.2 / k
state x : vector[n] = 0
state z : vector[m] = -0.2 * c
state s : scalar = norm1(c)
phase (3):
    x <- 0.5 * x + y
    z <- z + q * c
    s <- cos(dot(x, x))
output x, s
loss (g : vector[n]):
    sumsq(x - g) + sumsq(z)
"""


def test_values_that_outputs_do_not_need_are_not_asked_for() -> None:
    """`c` starts a state that no output needs, and one that is written before it is read."""
    spec = unroll_dsl.loads(STATES_NO_OUTPUT_NEEDS)
    bind = {"c": torch.rand(3, dtype=torch.float64)}
    net = spec.compile(bind=bind, dims={"n": 4}, dtype=torch.float64)
    y = torch.randn(2, 4, dtype=torch.float64)
    for found, expected in zip(net.freeze()(y), net(y), strict=True):
        torch.testing.assert_close(found, expected.detach(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("line", ["0.5", "k", "tanh(dot(p, p))"])
def test_a_state_that_becomes_a_number_is_a_tensor(line: str) -> None:
    spec = unroll_dsl.loads(
        "algorithm a\ndims n\ninput y : vector[n]\nlearnable p : vector[n] = 0.7\n"
        f"state x : scalar = 0\nphase (3):\n    x <- {line}\noutput x, x * y + p\n"
    )
    net = spec.compile(dims={"n": 4}, dtype=torch.float64)
    y = torch.randn(2, 4, dtype=torch.float64)
    expected = spec.reference(dims={"n": 4})(y.numpy())[0]
    for network in (net, net.freeze()):
        found = network(y)[0].detach()
        assert found.dtype == torch.float64
        torch.testing.assert_close(found, torch.as_tensor(expected), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("phases", [1, 2])
def test_layers_that_only_later_phases_show(phases: int) -> None:
    """The output of the first phase does not need the layer: nothing is asked of it."""
    spec = unroll_dsl.loads(
        "algorithm late\ndims h, w\ninput y : image[1, h, w]\n"
        "learnable N : conv[1 -> 1, 3] per phase ~ xavier_normal\n"
        "state x, z : image[1, h, w] = 0\n"
        "phase (5):\n    x <- (y + prev(z)) / 2\n    z <- N(x)\noutput x\n"
    )
    net = spec.compile(phases, dims={"h": 6, "w": 5}, dtype=torch.float64, seed=3)
    y = torch.randn(2, 1, 6, 5, dtype=torch.float64)
    frozen = net.freeze()
    assert torch.equal(frozen(y), net(y).detach())
    assert (frozen(y) != y / 2).any() == (phases > 1)
