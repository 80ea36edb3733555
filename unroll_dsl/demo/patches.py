"""Patches of photographs that scikit-image ships."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIZE = 10
TRAINING = ("astronaut", "cat", "coins", "rocket", "brick")
HELD_OUT = ("camera", "coffee")  # other pictures, so that no patch can overlap
_FLAT = 0.1  # standard deviation, of grey levels in [0, 1], below which a patch shows nothing


class MissingExtra(ImportError):
    """A library of the extra `demo` is not installed."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the demo needs {name}: pip install 'unroll_dsl[demo]'")


def picture(name: str) -> NDArray[np.float64]:
    """A picture of scikit-image by name, as grey levels in [0, 1], shape [height, width]."""
    try:
        from skimage import color, data
    except ImportError as error:
        raise MissingExtra("scikit-image") from error
    found: Any = np.asarray(getattr(data, name)())
    if found.ndim == 3:
        return np.asarray(color.rgb2gray(found[..., :3]), dtype=np.float64)
    return np.asarray(found / 255.0, dtype=np.float64)


def patches(names: Sequence[str], count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """`count` patches of 10 x 10 from pictures in equal parts, shape [count, 100].

    Each has mean 0 and variance 1; flat ones are left out, as in the paper (section 4).
    """
    each = -(-count // len(names))
    found = []
    for name in names:
        windows = np.lib.stride_tricks.sliding_window_view(picture(name), (SIZE, SIZE))
        order = rng.permutation(windows.shape[0] * windows.shape[1])
        chosen = np.empty((0, SIZE * SIZE))
        for start in range(0, len(order), 2 * each):  # until enough of them show something
            rows, columns = np.divmod(order[start : start + 2 * each], windows.shape[1])
            drawn = windows[rows, columns].reshape(-1, SIZE * SIZE)
            drawn = drawn - drawn.mean(axis=1, keepdims=True)
            spread = drawn.std(axis=1, keepdims=True)
            lively = (spread > _FLAT)[:, 0]
            chosen = np.concatenate([chosen, drawn[lively] / spread[lively]])
            if len(chosen) >= each:
                break
        found.append(chosen[:each])
    return np.concatenate(found)[:count]
