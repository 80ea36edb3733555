"""Sampling matrices and dictionaries at random."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unroll_dsl.data.errors import DataError


def orthonormal_rows(rows: int, columns: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """A matrix [rows, columns] of a random subspace: rows are orthogonal and of norm 1, as in ISTA-Net."""
    if rows > columns:
        raise DataError(f"{rows} rows of {columns} entries cannot be orthogonal")
    q, r = np.linalg.qr(rng.standard_normal((columns, rows)))
    return np.ascontiguousarray((q * np.sign(np.diag(r))).T)  # signs: uniform over subspaces' bases


def gaussian(rows: int, columns: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """A matrix [rows, columns] of normal entries with columns of norm 1, as in Open-L2O."""
    found = rng.standard_normal((rows, columns))
    return np.asarray(found / np.linalg.norm(found, axis=0))


def rows_for(ratio: float, columns: int) -> int:
    """The nearest count of rows to a sampling ratio, halves up, at least 1: 272 of 1089 at 0.25."""
    return max(1, int(np.floor(ratio * columns + 0.5)))
