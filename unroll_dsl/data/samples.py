"""Pictures that scikit-image ships: data without a download."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll_dsl.data.errors import MissingExtra

TRAINING = ("astronaut", "cat", "coins", "rocket", "brick")
HELD_OUT = ("camera", "coffee")  # other pictures, so that no patch can overlap


def picture(name: str) -> NDArray[np.float64]:
    """A picture of scikit-image by name, as grey levels in [0, 1], shape [height, width]."""
    try:
        from skimage import color
    except ImportError as error:
        raise MissingExtra("scikit-image", "demo") from error
    found = colours(name)
    if found.ndim == 3:
        return np.asarray(color.rgb2gray(found[..., :3]), dtype=np.float64)
    return np.asarray(found / 255.0, dtype=np.float64)


def colours(name: str) -> NDArray[np.uint8]:
    """The same as levels from 0 to 255, shape [height, width] or [height, width, 3]."""
    try:
        from skimage import data
    except ImportError as error:
        raise MissingExtra("scikit-image", "demo") from error
    found: Any = getattr(data, name)()
    return np.asarray(found)
