"""Normalised patches."""

import numpy as np
import pytest

from unroll_dsl.data import samples
from unroll_dsl.data.errors import DataError
from unroll_dsl.data.signals import normalised_patches, signals

CAMERA = samples.picture("camera")


def test_patches_are_standardised_and_repeat_with_the_seed() -> None:
    pictures = [CAMERA, samples.picture("coffee")]
    first, second = (
        normalised_patches(pictures, 10, 50, np.random.default_rng(4)) for _ in range(2)
    )
    assert first.shape == (50, 100)
    np.testing.assert_allclose(first.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(first.var(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(first, second)


def test_patches_are_windows_of_the_picture() -> None:
    (patch,) = normalised_patches([CAMERA], 10, 1, np.random.default_rng(0))
    windows = np.lib.stride_tricks.sliding_window_view(CAMERA, (10, 10))
    rows = windows.reshape(-1, 100)
    rows = rows[rows.std(axis=1) > 0.05]
    alike = (rows - rows.mean(axis=1, keepdims=True)) / rows.std(axis=1, keepdims=True) @ patch
    assert alike.max() == pytest.approx(100)  # a correlation of 1


def test_held_out_pictures_are_others() -> None:
    assert not set(samples.TRAINING) & set(samples.HELD_OUT)


def test_pictures_without_enough_that_shows_something() -> None:
    with pytest.raises(DataError, match=r"50 different patches of 10 x 10 .* have 0 that are not"):
        normalised_patches([np.ones((40, 40))], 10, 50, np.random.default_rng(0))


def test_none_held_out_needs_no_picture() -> None:
    X, X_test = signals([CAMERA], [], (7, 0), 10, np.random.default_rng(0))
    assert (len(X), len(X_test)) == (7, 0)
