"""The parts of the demo: training on exact codes of patches."""

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.data import coding, samples
from unroll_dsl.data.signals import normalised_patches
from unroll_dsl.demo import run
from unroll_dsl.demo.curves import curve, reached
from unroll_dsl.demo.training import train

ALPHA = 0.5


@pytest.fixture(scope="module")
def problem() -> tuple[torch.Tensor, torch.Tensor]:
    """Patches [40, 100] and a random dictionary [100, 60], float64."""
    rng = np.random.default_rng(3)
    X = torch.from_numpy(normalised_patches([samples.picture("coins")], 10, 40, rng))
    D = torch.from_numpy(rng.standard_normal((100, 60)))
    return X, D / D.norm(dim=0)


def test_training_lowers_the_loss_and_repeats_with_the_seed(
    problem: tuple[torch.Tensor, torch.Tensor],
) -> None:
    X, D = problem
    Z = coding.codes(X, D, ALPHA, 1e-8)
    losses = []
    for _ in range(2):
        net = unroll_dsl.load("lista").compile(phases=2, bind={"Wd": D})
        before = float(net.loss(X, Z).detach())
        train(net, X, Z, rate=0.01, steps=60, batch=20, seed=1, progress=lambda done, total: None)
        losses.append(float(net.loss(X, Z).detach()))
    assert losses[0] == losses[1]
    assert losses[0] < before / 2


def test_error_curve_is_that_of_the_iteration_and_says_what_reaches_an_error(
    problem: tuple[torch.Tensor, torch.Tensor],
) -> None:
    X, D = problem
    Z = coding.codes(X, D, ALPHA, 1e-8)
    errors = curve("ista", X, Z, D, ALPHA, 5)
    reference = unroll_dsl.load("ista").reference(phases=3, bind={"A": D, "lambda": ALPHA})
    expected = ((reference(X.numpy()) - Z.numpy()) ** 2).sum(1).mean()
    np.testing.assert_allclose(errors[2], expected, rtol=1e-10)
    assert reached(errors, errors[2]) == 3
    assert reached(errors, errors[4] / 2) is None


def test_the_whole_demo_finds_its_patches() -> None:
    """Its five pictures have fewer than it asks for, and it takes what there is."""
    X, X_test = run._data(run.FULL, seed=0)
    assert 50_000 < len(X) <= run.FULL.training
    assert len(X_test) == run.FULL.held_out
