"""The parts of the demo: patches, dictionary, exact codes, training."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Lasso

import unroll_dsl
from unroll_dsl.demo import coding, patches
from unroll_dsl.demo.training import train

ALPHA = 0.5


@pytest.fixture(scope="module")
def problem() -> tuple[torch.Tensor, torch.Tensor]:
    """Patches [40, 100] and a random dictionary [100, 60], float64."""
    rng = np.random.default_rng(3)
    X = torch.from_numpy(patches.patches(patches.TRAINING, 40, rng))
    D = torch.from_numpy(rng.standard_normal((100, 60)))
    return X, D / D.norm(dim=0)


def test_patches_are_standardised_and_repeat_with_the_seed() -> None:
    first, second = (
        patches.patches(patches.HELD_OUT, 50, np.random.default_rng(4)) for _ in range(2)
    )
    assert first.shape == (50, 100)
    np.testing.assert_allclose(first.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(first.var(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(first, second)


def test_patches_are_windows_of_the_picture() -> None:
    (patch,) = patches.patches(("camera",), 1, np.random.default_rng(0))
    windows = np.lib.stride_tricks.sliding_window_view(patches.picture("camera"), (10, 10))
    rows = windows.reshape(-1, 100)
    rows = rows[rows.std(axis=1) > 0.05]
    alike = (rows - rows.mean(axis=1, keepdims=True)) / rows.std(axis=1, keepdims=True) @ patch
    assert alike.max() == pytest.approx(100)  # a correlation of 1


def test_held_out_pictures_are_others() -> None:
    assert not set(patches.TRAINING) & set(patches.HELD_OUT)


def test_codes_are_those_of_scikit_learn(problem: tuple[torch.Tensor, torch.Tensor]) -> None:
    X, D = problem
    found = coding.codes(X, D, ALPHA, 1e-10)
    solver = Lasso(alpha=ALPHA / len(D), fit_intercept=False, tol=1e-14, max_iter=100_000)
    expected = np.stack([solver.fit(D.numpy(), x).coef_ for x in X.numpy()])
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-7)


def test_violation_is_0_at_the_minimiser_and_nowhere_else(
    problem: tuple[torch.Tensor, torch.Tensor],
) -> None:
    X, D = problem
    Z = coding.codes(X, D, ALPHA, 1e-10)
    at_minimiser = coding.violation(Z, (Z @ D.mT - X) @ D, ALPHA)
    elsewhere = coding.violation(0.9 * Z, (0.9 * Z @ D.mT - X) @ D, ALPHA)
    assert at_minimiser.max() <= 1e-10
    assert elsewhere.min() > 1e-3


def test_a_learned_dictionary_has_unit_atoms_and_less_energy() -> None:
    X = torch.from_numpy(patches.patches(patches.TRAINING, 400, np.random.default_rng(5)))

    def energy(D: torch.Tensor) -> float:
        Z = coding.codes(X, D, ALPHA, 1e-6)
        return float(((X - Z @ D.mT) ** 2).sum() / 2 + ALPHA * Z.abs().sum()) / len(X)

    few, many = (
        coding.dictionary(X, 40, ALPHA, 0, rounds, lambda done, total: None) for rounds in (1, 12)
    )
    torch.testing.assert_close(many.norm(dim=0), torch.ones(40, dtype=X.dtype))
    assert energy(many) < energy(few)


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
