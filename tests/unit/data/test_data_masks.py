"""Masks: the zero frequency first, and exactly the ratio that was asked for."""

import numpy as np
import pytest

from unroll_dsl.data.masks import cartesian_mask, looks_centred, radial_mask, random_mask


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


@pytest.mark.parametrize("shape", [(32, 32), (33, 40), (64, 48), (256, 256)])
@pytest.mark.parametrize("ratio", [0.1, 0.2, 0.3, 0.5])
def test_a_mask_with_its_middle_in_the_middle_is_told_from_one_in_the_corners(
    shape: tuple[int, int], ratio: float
) -> None:
    rng = np.random.default_rng(3)
    found = [random_mask(shape, ratio, rng), radial_mask(shape, ratio)]
    if min(shape) > 100:  # of few lines nobody can tell
        found.append(cartesian_mask(shape, ratio, rng, centre=0.08))
    assert not any(looks_centred(mask) for mask in found)
    assert [looks_centred(np.fft.fftshift(mask)) for mask in found[:2]] == [True, True]
    missing = [np.fft.fftshift(mask) for mask in found if np.fft.fftshift(mask)[0, 0] == 0]
    assert all(looks_centred(mask) for mask in missing)


def test_masks_of_points_that_are_all_alike_have_no_middle() -> None:
    rng = np.random.default_rng(0)
    for _ in range(500):
        shape = rng.integers(4, 60, 2)
        mask = rng.random(shape) < rng.uniform(0.05, 0.95)
        mask[0, 0] = True
        assert not looks_centred(mask)
        lines = np.broadcast_to(mask[0], shape)
        assert not looks_centred(lines)
        assert not looks_centred(lines.T)


def centred(points: int, shape: tuple[int, int] = (9, 9)) -> np.ndarray:
    """A radial mask of so many points, with the zero frequency in the middle."""
    return np.fft.fftshift(radial_mask(shape, points / (shape[0] * shape[1])))


@pytest.mark.parametrize("shape", [(9, 9), (7, 9), (8, 11)])
def test_two_radial_lines_are_a_cross_through_the_zero_frequency(shape: tuple[int, int]) -> None:
    cross = np.zeros(shape)
    cross[shape[0] // 2] = cross[:, shape[1] // 2] = 1
    np.testing.assert_array_equal(centred(int(cross.sum()), shape), cross)


def test_what_lacks_is_taken_halfway_between_the_lines_from_the_middle_outwards() -> None:
    """Four more points than the cross has lie on its diagonals; eight more on them too, and next to those."""
    cross = centred(17)
    for more, reach in ((4, 1), (8, 2)):
        found = np.argwhere(centred(17 + more) - cross) - 4
        expected = {(i * a, i * b) for i in range(1, reach + 1) for a in (-1, 1) for b in (-1, 1)}
        assert set(map(tuple, found.tolist())) == expected


@pytest.mark.parametrize(("accelerations", "most"), [((6, 8), 4), ((3, 4), 35)])
def test_lines_with_a_fully_sampled_middle_are_told_apart(
    accelerations: tuple[int, int], most: int
) -> None:
    """Random Cartesian masks as fastMRI draws them: a block in the middle, other lines by chance. Of dense
    ones chance puts as long a block around the first line of a few."""
    rng = np.random.default_rng(0)
    missed = alarms = 0
    for trial in range(300):
        size = int(rng.choice([32, 64, 128, 256, 320]))
        block = max(5, round(size * rng.choice([0.04, 0.08])))
        chance = max(0.0, size / rng.choice(accelerations) - block) / (size - block)
        lines = rng.random(size) < chance
        start = (size - block + 1) // 2
        lines[start : start + block] = True
        mask = np.broadcast_to(lines.astype(np.float64), (6, size))
        mask = mask.T if trial % 2 else mask
        missed += not looks_centred(mask)
        alarms += looks_centred(np.fft.ifftshift(mask))
    assert alarms == 0
    assert missed <= most
