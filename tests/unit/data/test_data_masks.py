"""Masks: the zero frequency first, and exactly the ratio that was asked for."""

import numpy as np
import pytest

from unroll_dsl.data.masks import cartesian_mask, radial_mask, random_mask


@pytest.mark.parametrize("ratio", [0.001, 0.1, 0.2, 0.35, 0.9, 1.0])
@pytest.mark.parametrize("shape", [(64, 64), (33, 48)])
def test_points_are_exactly_the_ratio_and_hold_the_zero_frequency(
    shape: tuple[int, int], ratio: float
) -> None:
    wanted = max(1, round(ratio * shape[0] * shape[1]))
    for mask in (random_mask(shape, ratio, np.random.default_rng(0)), radial_mask(shape, ratio)):
        assert mask.shape == shape
        assert set(np.unique(mask)) <= {0, 1}
        assert mask.sum() == wanted
        assert mask[0, 0] == 1


@pytest.mark.parametrize("lines", ["columns", "rows"])
def test_lines_are_whole_and_hold_the_lowest_frequencies(lines: str) -> None:
    mask = cartesian_mask((40, 50), 0.3, np.random.default_rng(0), centre=0.1, lines=lines)  # type: ignore[arg-type]
    across = mask if lines == "columns" else mask.T
    assert (across == across[0]).all()
    size = across.shape[1]
    assert across[0].sum() == round(0.3 * size)
    low = round(0.1 * size) // 2
    assert across[0, :low].all() and across[0, -low + 1 :].all()


def test_random_points_are_denser_at_low_frequencies() -> None:
    mask = np.fft.fftshift(random_mask((64, 64), 0.3, np.random.default_rng(0)))
    assert mask[24:40, 24:40].mean() > 0.8 > 0.1 > mask[:8, :8].mean()
    plain = np.fft.fftshift(random_mask((64, 64), 0.3, np.random.default_rng(0), decay=0))
    assert plain[:32].mean() == pytest.approx(0.3, abs=0.03)


def test_radial_lines_go_through_the_middle_and_to_the_edges() -> None:
    mask = np.fft.fftshift(radial_mask((65, 65), 0.2))
    assert mask[32].all()  # the line at angle 0
    np.testing.assert_array_equal(mask[28:37, 28:37], np.ones((9, 9)))
    assert mask[0].sum() > 3 and mask[:, 0].sum() > 3
