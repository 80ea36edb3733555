"""Normalised patches: the signals of sparse coding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll_dsl.data.errors import DataError

_FLAT = 0.1  # standard deviation, of grey levels in [0, 1], below which a patch shows nothing


def normalised_patches(
    pictures: Sequence[NDArray[Any]],
    side: int,
    count: int,
    rng: np.random.Generator,
    *,
    fewer: bool = False,
) -> NDArray[np.float64]:
    """`count` patches of `side` x `side` from pictures in equal parts, shape [count, side^2].

    Each has mean 0 and variance 1; flat ones are left out, as by Gregor and LeCun (2010, section 4). No
    patch comes twice. With `fewer`, what there is where the pictures have no more.

    Raises
    ------
    DataError
        Where the pictures have fewer patches that show something, without `fewer`.
    """
    if count == 0:
        return np.empty((0, side * side))
    each = -(-count // len(pictures))
    found = []
    for picture in pictures:
        windows = np.lib.stride_tricks.sliding_window_view(picture, (side, side))
        order = rng.permutation(windows.shape[0] * windows.shape[1])
        chosen = np.empty((0, side * side))
        for start in range(0, len(order), 2 * each):  # until enough of them show something
            rows, columns = np.divmod(order[start : start + 2 * each], windows.shape[1])
            drawn = windows[rows, columns].reshape(-1, side * side)
            drawn = drawn - drawn.mean(axis=1, keepdims=True)
            spread = drawn.std(axis=1, keepdims=True)
            lively = (spread > _FLAT)[:, 0]
            chosen = np.concatenate([chosen, drawn[lively] / spread[lively]])
            if len(chosen) >= each:
                break
        found.append(chosen[:each])
    patches = np.concatenate(found)[:count]
    if len(patches) < count and not fewer:
        raise DataError(
            f"{count} different patches of {side} x {side} are asked for, and {len(pictures)} pictures, "
            f"{each} of each, have {len(patches)} that are not flat",
            "ask for fewer (`samples`, `validate`), or give more pictures",
        )
    return patches


def signals(
    training: Sequence[NDArray[Any]],
    held_out: Sequence[NDArray[Any]],
    counts: tuple[int, int],
    side: int,
    rng: np.random.Generator,
    *,
    fewer: tuple[bool, bool] = (False, False),
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """So many normalised patches of pictures for training, in random order, and of others held out.

    With `fewer`, of either, what there is where the pictures have no more.
    """
    X = normalised_patches(training, side, counts[0], rng, fewer=fewer[0])
    X_test = normalised_patches(held_out, side, counts[1], rng, fewer=fewer[1])
    return X[rng.permutation(len(X))], X_test
