"""The least-squares start: streamed, the same as from the whole, undone by what measures."""

import numpy as np
import pytest
import torch

from unroll_dsl.data.errors import DataError
from unroll_dsl.data.least_squares import in_batches, least_squares
from unroll_dsl.data.matrices import orthonormal_rows

RNG = np.random.default_rng(0)
X = torch.from_numpy(RNG.standard_normal((200, 12)) @ RNG.standard_normal((12, 12)))
PHI = torch.from_numpy(orthonormal_rows(5, 12, RNG))


def batches(X: torch.Tensor, Y: torch.Tensor, size: int):  # type: ignore[no-untyped-def]
    return in_batches(lambda which: (X[list(which)], Y[list(which)]), len(X), size)


def test_it_is_the_definition_of_ista_net() -> None:
    Y = X @ PHI.mT
    expected = X.mT @ Y @ torch.linalg.inv(Y.mT @ Y)
    torch.testing.assert_close(least_squares([(X, Y)]), expected)


def test_what_measures_undoes_it() -> None:
    Q = least_squares([(X, X @ PHI.mT)])
    torch.testing.assert_close(PHI @ Q, torch.eye(5, dtype=torch.float64), atol=1e-11, rtol=0)


def test_it_is_that_of_numpy_for_noisy_measurements() -> None:
    Y = X @ PHI.mT + torch.from_numpy(RNG.standard_normal((200, 5)))
    expected = np.linalg.lstsq(Y.numpy(), X.numpy(), rcond=None)[0].T
    np.testing.assert_allclose(least_squares([(X, Y)]).numpy(), expected, rtol=1e-10, atol=1e-12)


def test_batches_change_nothing() -> None:
    Y = X @ PHI.mT
    torch.testing.assert_close(least_squares(batches(X, Y, 7)), least_squares([(X, Y)]))


def test_complex_measurements() -> None:
    A = PHI + 1j * torch.from_numpy(RNG.standard_normal((5, 12)))
    Z = X + 1j * X.flip(0)
    Y = Z @ A.mT
    expected = np.linalg.lstsq(Y.numpy(), Z.numpy(), rcond=None)[0].T
    np.testing.assert_allclose(least_squares(batches(Z, Y, 50)).numpy(), expected, atol=1e-10)


def test_images_are_flattened() -> None:
    Y = X @ PHI.mT
    torch.testing.assert_close(least_squares([(X.view(-1, 1, 3, 4), Y)]), least_squares([(X, Y)]))


def test_too_few_samples_and_samples_that_are_all_alike() -> None:
    with pytest.raises(DataError, match=r"4 samples do not determine .* from 5 measurements"):
        least_squares([(X[:4], X[:4] @ PHI.mT)])
    alike = X[:1].expand(50, -1)
    with pytest.raises(DataError, match="5 measurements depend on each other over 50 samples"):
        least_squares([(alike, alike @ PHI.mT)])
    with pytest.raises(DataError, match="no samples"):
        least_squares([])
