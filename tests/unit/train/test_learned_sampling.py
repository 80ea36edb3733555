"""A sampling that is learned with the reconstruction: data follow the network, and gradients go through them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import unroll_dsl
from unroll_dsl.measure import measurement
from unroll_dsl.train import Run
from unroll_dsl.train.errors import TrainingError

PAGE = """\
algorithm sampled
dims p, q, m = 5, s = 3
input     y   : image[m, p, q]
learnable Phi : matrix[m, s * s] ~ normal(0, 0.3)
learnable rho : scalar > 0 per phase = 0.5
fixed     sigma : scalar >= 0 = 0.01
let B = blocks(s)
state x : image[1, s * p, s * q] = B' @ (Phi' @ y)
phase (2):
    x <- x - rho * B' @ (Phi' @ (Phi @ (B @ x) - y))
output x
loss (target : image[1, s * p, s * q]):
    mean((x - target)^2)
measure y = Phi @ (B @ target) + sigma * noise
"""


@dataclass(frozen=True)
class Images:
    """Smooth images of 6 x 9 pixels, each of its number."""

    size: int = 40
    fresh: bool = False
    seed: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        return ("target",)

    @property
    def sizes(self) -> dict[str, int]:
        return {"p": 2, "q": 3}

    @property
    def snr(self) -> None:
        return None

    def problems(self) -> tuple[str, ...]:
        return ()

    def draw(self, rows: Any, rng: Any) -> dict[str, Tensor]:
        found = []
        for row in rows:
            a, b, c = np.random.default_rng([self.seed, int(row)]).standard_normal(3)
            i, j = np.mgrid[:6, :9] / 6
            found.append(a + b * i + c * j)
        return {"target": torch.as_tensor(np.stack(found)[:, None], dtype=torch.float32)}


def train(folder: Path, **over: Any) -> Run:
    table = {"steps": 30, "batch": 8, "rate": 0.01} | over
    return unroll_dsl.train(
        unroll_dsl.loads(PAGE),
        folder,
        {"train": table, "validate": {"every": 10}, "save": {"every": 10}},
        source=Images(),
        validation=Images(16, seed=1),
    )


def test_the_sampling_is_trained_by_its_data() -> None:
    """The gradient is that of the two as one function of Phi; without the data's part it is another."""
    spec = unroll_dsl.loads(PAGE)
    made = measurement(spec)
    assert made is not None and made.learned == ("Phi",)
    net = spec.compile(dtype=torch.float64, seed=3)
    measure = made.compile(network=net, dtype=torch.float64)
    target = torch.randn(4, 1, 6, 9, dtype=torch.float64)
    (noise,) = made.noise(4, {"p": 2, "q": 3}, dtype=torch.float64)

    def loss(Phi: Tensor) -> Tensor:
        tiles = target.unflatten(-1, (3, 3)).unflatten(-3, (2, 3)).permute(0, 3, 5, 1, 2, 4)
        x_blocks = tiles.reshape(4, 9, 2, 3)
        apply = lambda M, v: torch.einsum("ab,nbij->naij", M, v)  # noqa: E731
        y = apply(Phi, x_blocks) + 0.01 * noise
        x = apply(Phi.mT, y)
        for _ in range(2):
            x = x - 0.5 * apply(Phi.mT, apply(Phi, x) - y)
        return (x - x_blocks).square().mean()

    expected = torch.autograd.functional.jacobian(loss, net.Phi.detach())
    net.loss(measure(target, noise), target).backward()
    torch.testing.assert_close(net.Phi.grad, expected)
    with torch.no_grad():
        y = measure(target, noise)
    (alone,) = torch.autograd.grad(net.loss(y, target), [net.Phi])
    assert (alone - expected).norm() > 0.1 * expected.norm()


def test_a_run_learns_to_sample(tmp_path: Path) -> None:
    """Better than the same run in which the sampling stays as it was drawn, and judged as it was trained."""
    run = train(tmp_path / "learned")
    frozen = unroll_dsl.train(
        unroll_dsl.loads(PAGE),
        tmp_path / "frozen",
        {
            "train": {"steps": 30, "batch": 8, "rate": 0.01},
            "group": [{"match": "Phi", "rate": 0.0}],
            "validate": {"every": 10},
        },
        source=Images(),
        validation=Images(16, seed=1),
    )
    start, *_, end = run.metrics()
    assert end["val.loss"] < 0.8 * frozen.metrics()[-1]["val.loss"] < start["val.loss"]


def test_a_batch_in_parts_is_the_batch(tmp_path: Path) -> None:
    whole, parts = train(tmp_path / "whole"), train(tmp_path / "parts", accumulate=4)
    for one, other in zip(whole.metrics(), parts.metrics(), strict=True):
        assert one["val.loss"] == pytest.approx(other["val.loss"], rel=1e-4)


@pytest.mark.slow
def test_a_resumed_run_is_an_uninterrupted_one(tmp_path: Path) -> None:
    from unroll_dsl.train import Hooks, resume

    whole = train(tmp_path / "whole")
    count = 0

    def stop() -> bool:
        nonlocal count
        count += 1
        return count >= 13

    unroll_dsl.train(
        unroll_dsl.loads(PAGE),
        tmp_path / "parts",
        {
            "train": {"steps": 30, "batch": 8, "rate": 0.01},
            "validate": {"every": 10},
            "save": {"every": 10},
        },
        source=Images(),
        validation=Images(16, seed=1),
        hooks=Hooks(stop=stop),
    )
    run = resume(tmp_path / "parts", source=Images(), validation=Images(16, seed=1))
    torch.testing.assert_close(
        run.network("last").state_dict(), whole.network("last").state_dict(), rtol=0, atol=0
    )


def test_a_module_of_data_wants_to_know_what_was_learned() -> None:
    made = measurement(unroll_dsl.loads(PAGE))
    assert made is not None
    with pytest.raises(ValueError, match=r"`Phi`, which is learned: give `init=` or `network=`"):
        made.compile()
    with pytest.raises(ValueError, match="give `init=`"):
        made.reference()
    with pytest.raises(ValueError, match="data are made with `Phi`, which the network has not"):
        made.compile(network=torch.nn.Linear(2, 2))


def test_values_measure_as_the_network_does() -> None:
    spec = unroll_dsl.loads(PAGE)
    made = measurement(spec)
    assert made is not None
    net = spec.compile(dtype=torch.float64, seed=3)
    arguments = (torch.randn(2, 1, 6, 9, dtype=torch.float64),)
    arguments += made.noise(2, {"p": 2, "q": 3}, dtype=torch.float64)
    values = spec.values(net)
    shared = made.compile(network=net, dtype=torch.float64)(*arguments)
    torch.testing.assert_close(made.compile(init=values, dtype=torch.float64)(*arguments), shared)
    found = made.reference(init=values)(*(v.numpy() for v in arguments))
    torch.testing.assert_close(torch.as_tensor(found), shared)


def test_a_start_by_least_squares_is_of_data_that_stay_as_they_are(tmp_path: Path) -> None:
    """Refused while the sampling is not known; of one that is given, its least squares."""
    text = PAGE.replace("let B", "fixed Q : linear image[m, p, q] -> image[1, s * p, s * q]\nlet B")
    spec = unroll_dsl.loads(text.replace("= B' @ (Phi' @ y)", "= Q @ y"))
    table = {"train": {"steps": 1, "batch": 8}, "bind": {"Q": {"make": "least_squares"}}}
    with pytest.raises(TrainingError, match="made with `Phi`, which is learned"):
        unroll_dsl.train(spec, tmp_path / "refused", table, source=Images(), validation=Images(16))
    Phi = torch.linalg.qr(torch.randn(9, 5))[0].mT.contiguous()
    run = unroll_dsl.train(
        spec, tmp_path / "run", table, bind={"Phi": Phi}, source=Images(), validation=Images(16)
    )
    assert run.metrics()[-1]["step"] == 1
