"""Where libraries differ in where things lie, the manual says which way this one goes; here it is held to that."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pywt
import scipy.ndimage
import scipy.signal
from skimage.transform import radon

from unroll_dsl.operators.registry import linear_operator

RNG = np.random.default_rng(0)
MANUAL = (Path(__file__).parents[3] / "docs" / "language.md").read_text(encoding="utf-8")


def apply(operator: str, x: Any, /, *operands: Any, **statics: Any) -> Any:
    return linear_operator(operator).numpy_forward(x, *operands, **statics)  # type: ignore[misc]


@pytest.mark.parametrize("size", [(2, 2), (4, 3), (2, 5), (6, 4)])
def test_kernels_of_even_size_have_their_origin_behind_the_middle(size: tuple[int, int]) -> None:
    """At entry [a // 2, b // 2], as scipy.ndimage has it; scipy.signal's "same" takes [(a - 1) // 2, ...]."""
    x, kernel = RNG.standard_normal((1, 9, 11)), RNG.standard_normal(size)
    a, b = size
    for padding, mode in (("zero", "constant"), ("circular", "wrap")):
        found = apply("blur", x, kernel, padding=padding)[0]
        np.testing.assert_allclose(found, scipy.ndimage.convolve(x[0], kernel, mode=mode))
        bank = apply("filters", x, kernel[None], padding=padding)[0]
        np.testing.assert_allclose(bank, found)
    whole = scipy.signal.convolve2d(x[0], kernel)
    np.testing.assert_allclose(
        apply("blur", x, kernel)[0], whole[a // 2 : a // 2 + 9, b // 2 : b // 2 + 11], atol=1e-12
    )
    one = np.zeros(size)
    one[a // 2, b // 2] = 1
    np.testing.assert_array_equal(apply("blur", x, one), x)


def levels(x: Any, name: str, count: int, shift: int) -> Any:
    """The transform by pywt: at each level what is transformed is rolled first."""
    moved = np.roll(x, (shift, shift), (0, 1))
    averages, (down, across, both) = pywt.dwt2(moved, name, mode="periodization")
    if count > 1:
        averages = levels(averages, name, count - 1, shift)
    return np.block([[averages, across], [down, both]])


@pytest.mark.parametrize(("name", "shift"), [("haar", 0), ("db2", -1), ("db3", -2), ("db4", -3)])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_wavelets_are_those_of_pywt_of_a_rolled_image(name: str, shift: int, count: int) -> None:
    x = RNG.standard_normal((32, 24))
    found = apply("wavelet", x[None], name=name, levels=count)[0]
    np.testing.assert_allclose(found, levels(x, name, count, shift), atol=1e-10)
    if shift and count == 1:
        assert not np.allclose(found, levels(x, name, count, 0))


@pytest.mark.parametrize("n", [32, 33])
def test_the_centre_of_radon_is_the_middle_of_the_image(n: int) -> None:
    """(n - 1) / 2; scikit-image turns around n // 2: for even n the shadow lies at other detectors there."""
    rows, columns = np.mgrid[:n, :n] - (n - 1) / 2
    inside = rows**2 + columns**2 < (n / 2 - 2) ** 2
    image = np.exp(-((columns - 2.3) ** 2 + (rows + 1.7) ** 2) / 16) * inside
    angles = np.array([0.0, 30.0, 77.0, 90.0, 135.0])
    sums = [apply("radon", image[None], angles)[0], radon(image, theta=angles, circle=True).T]
    ours, theirs = ((found * np.arange(n)).sum(1) / found.sum(1) for found in sums)
    turn = np.deg2rad(angles)
    mass = image / image.sum()
    exact = (mass * columns).sum() * np.cos(turn) - (mass * rows).sum() * np.sin(turn) + (n - 1) / 2
    np.testing.assert_allclose(ours, exact, atol=1e-10)
    gap = 0.5 * (1 - np.cos(turn) + np.sin(turn)) if n % 2 == 0 else 0 * turn
    np.testing.assert_allclose(theirs - ours, gap, atol=0.01)


def test_the_manual_says_so() -> None:
    for words in ("[a // 2, b // 2]", "(n - 1) / 2", "rolled by -1, -2 and -3"):
        assert words in MANUAL
