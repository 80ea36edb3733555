"""Masks of k-space [height, width], 1 where sampled, with the zero frequency first as `fft2` has it.

Each samples the zero frequency, and exactly the nearest whole number of points (or lines) to its ratio.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unroll_dsl.data.matrices import rows_for

Mask = NDArray[np.float64]


def cartesian_mask(
    shape: tuple[int, int],
    ratio: float,
    rng: np.random.Generator,
    *,
    centre: float = 0.04,
    lines: Literal["columns", "rows"] = "columns",
) -> Mask:
    """Whole lines: the lowest frequencies, a fraction `centre` of all lines, and others at random."""
    count = shape[1] if lines == "columns" else shape[0]
    wanted = rows_for(ratio, count)
    frequencies = np.abs(np.fft.fftfreq(count))
    low = np.argsort(frequencies, kind="stable")[: min(wanted, rows_for(centre, count))]
    rest = np.setdiff1d(np.arange(count), low)
    chosen = np.concatenate([low, rng.choice(rest, wanted - len(low), replace=False)])
    line = np.zeros(count)
    line[chosen] = 1
    return np.array(np.broadcast_to(line if lines == "columns" else line[:, None], shape))


def random_mask(
    shape: tuple[int, int], ratio: float, rng: np.random.Generator, *, decay: float = 3.0
) -> Mask:
    """Single points, with a density that falls as (1 - radius)^decay from the zero frequency to the
    corners (Lustig, Donoho, Pauly, 2007); at decay 0 all are alike likely."""
    radius = _radius(shape).ravel()
    density = (1 - radius / (radius.max() * 1.001 or 1)) ** decay
    # the points with the largest u^(1 / density): weighted drawing without replacement
    keys = np.log(1 - rng.random(len(density))) / density
    keys[0] = np.inf
    mask = np.zeros(len(density))
    mask[np.argsort(-keys, kind="stable")[: rows_for(ratio, len(density))]] = 1
    return np.asarray(mask.reshape(shape))


def radial_mask(shape: tuple[int, int], ratio: float) -> Mask:
    """Lines through the zero frequency at equal angles, as many as fit the ratio; what then lacks is
    taken from lines halfway between them, from the middle outwards."""
    wanted = rows_for(ratio, shape[0] * shape[1])
    mask, lines = np.zeros(shape), 0
    mask[0, 0] = 1
    while True:
        more = np.zeros(shape)
        for angle in np.pi * np.arange(lines + 1) / (lines + 1):
            more[_line(shape, angle)] = 1
        if more.sum() > wanted:
            break
        mask, lines = more, lines + 1
        if mask.all():
            return mask
    between = np.zeros(shape, bool)
    for angle in np.pi * (np.arange(max(lines, 1)) + 0.5) / max(lines, 1):
        between[_line(shape, angle)] = True
    # lines halfway first, each from the middle outwards; then whatever is nearest to the middle
    order = np.lexsort((_radius(shape).ravel(), ~between.ravel(), mask.ravel() == 1))
    mask.ravel()[order[: wanted - int(mask.sum())]] = 1
    return mask


def _radius(shape: tuple[int, int]) -> NDArray[np.float64]:
    """The distance of each frequency from zero, 1 at the highest along an axis."""
    down, across = (2 * np.fft.fftfreq(size) for size in shape)
    return np.asarray(np.hypot(down[:, None], across))


def _line(shape: tuple[int, int], angle: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The points of a line through the zero frequency, from edge to edge."""
    steps = np.linspace(-0.5, 0.5, 2 * max(shape) + 1)
    direction = np.array([np.sin(angle), np.cos(angle)])
    direction /= np.abs(direction).max()
    points = [np.rint(steps * d * size).astype(np.int64) for d, size in zip(direction, shape)]
    inside = np.logical_and.reduce(
        [(p >= -(size // 2)) & (p <= (size - 1) // 2) for p, size in zip(points, shape)]
    )
    rows, columns = (p[inside] % size for p, size in zip(points, shape))
    return rows, columns


def looks_centred(mask: NDArray[np.generic]) -> bool:
    """Whether a mask is stored with the zero frequency in the middle: low frequencies are sampled densely
    there, and not around the first entry, where `fft2` has them.

    Held against chance: a mask of points that are all alike likely has no such middle. What lacks the zero
    frequency, and has the three lines or the nine points around the middle, is taken for one.
    """
    shown = np.asarray(mask, np.float64)
    if shown.ndim != 2 or min(shown.shape) < 4 or not np.isfinite(shown).all():
        return False
    shown = (shown != 0).astype(np.float64)
    if any(_lines_centred(lines) for lines in _line_profiles(shown)):
        return True
    level = shown.mean()
    if shown[0, 0] == 0 and _around(shown, _middle(shown.shape), [1, 1]).all():
        return True
    for part in (64, 32, 16, 8):
        reach = [max(1, round(size / part)) for size in shown.shape]
        first, middle = (_around(shown, place, reach) for place in ((0, 0), _middle(shown.shape)))
        # of whole lines each counts once
        points = middle.size
        for axis in (0, 1):
            if (shown == shown.take([0], axis)).all():
                points = middle.shape[1 - axis]
        chance = np.sqrt(2 * level * (1 - level) / points)
        more = middle.mean() - first.mean()
        if more > max(0.3, 4 * chance):
            return True
    return False


def _line_profiles(mask: Mask) -> list[Mask]:
    """Which lines a Cartesian mask samples, along each axis along which it is the same everywhere."""
    return [turned[0] for turned in (mask, mask.T) if (turned == turned[:1]).all()]


def _lines_centred(lines: Mask) -> bool:
    """Whether lines have their fully sampled block around the middle: longer than that around the first
    line by more than chance would put there, at the density of the lines outside it."""
    size = len(lines)
    middle, first = (_block(np.roll(lines, -place)) for place in (size // 2, 0))
    if middle < 3 or middle >= size:
        return False
    density = (lines.sum() - middle) / (size - middle)
    return bool(density ** (middle - first) < 1e-4) if middle > first else False


def _block(lines: Mask) -> int:
    """How many lines are sampled without a gap, as many on each side of the first."""
    if not lines[0]:
        return 0
    pairs = (lines[1:] * lines[:0:-1])[: (len(lines) - 1) // 2]  # both neighbours at each distance
    gaps = np.flatnonzero(pairs == 0)
    return 1 + 2 * int(gaps[0] if len(gaps) else len(pairs))


def _middle(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(size // 2 for size in shape)


def _around(mask: Mask, place: tuple[int, ...], reach: list[int]) -> Mask:
    """The block of a periodic mask that reaches so far in each direction from a place."""
    rows, columns = (
        (at + np.arange(-far, far + 1)) % size for at, far, size in zip(place, reach, mask.shape)
    )
    return mask[np.ix_(rows, columns)]
