"""Exact codes, and dictionaries learned of patches."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Lasso

from unroll_dsl.data import coding, samples
from unroll_dsl.data.signals import normalised_patches

ALPHA = 0.5
PICTURES = [samples.picture(name) for name in samples.TRAINING]


@pytest.fixture(scope="module")
def problem() -> tuple[torch.Tensor, torch.Tensor]:
    """Patches [40, 100] and a random dictionary [100, 60], float64."""
    rng = np.random.default_rng(3)
    X = torch.from_numpy(normalised_patches(PICTURES, 10, 40, rng))
    D = torch.from_numpy(rng.standard_normal((100, 60)))
    return X, D / D.norm(dim=0)


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
    X = torch.from_numpy(normalised_patches(PICTURES, 10, 400, np.random.default_rng(5)))

    def energy(D: torch.Tensor) -> float:
        Z = coding.codes(X, D, ALPHA, 1e-6)
        return float(((X - Z @ D.mT) ** 2).sum() / 2 + ALPHA * Z.abs().sum()) / len(X)

    few, many = (
        coding.dictionary(X, 40, ALPHA, 0, rounds, lambda done, total: None) for rounds in (1, 12)
    )
    torch.testing.assert_close(many.norm(dim=0), torch.ones(40, dtype=X.dtype))
    assert energy(many) < energy(few)
