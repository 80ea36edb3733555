"""The linear map from measurements back to targets that is best on training data."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from unroll_dsl.data.errors import DataError


def least_squares(pairs: Iterable[tuple[Tensor, Tensor]]) -> Tensor:
    """Q = X Y' (Y Y')^-1, the matrix with the least ||X - Q Y||_F (Zhang, Ghanem, 2018, equation 12).

    If Y = Phi X then Phi Q = I. The normal equations are summed up batch by batch in double precision, so
    that memory does not grow with the number of samples.

    Parameters
    ----------
    pairs
        Batches of targets [batch, ...] and their measurements [batch, ...]; both are flattened.

    Returns
    -------
    Tensor
        [entries of a target, entries of a measurement], float64 or complex128.

    Raises
    ------
    DataError
        Where fewer samples than measurements of one, or measurements that depend on each other, leave Q
        open.
    """
    XY: Tensor | None = None
    YY: Tensor | None = None
    count = 0
    for targets, measured in pairs:
        X, Y = (_wide(part.flatten(1)) for part in (targets, measured))
        XY = X.mT @ Y.conj() if XY is None else XY + X.mT @ Y.conj()
        YY = Y.mT @ Y.conj() if YY is None else YY + Y.mT @ Y.conj()
        count += len(X)
    if XY is None or YY is None:
        raise DataError("there are no samples to fit the least-squares start to")
    if count < len(YY):
        raise DataError(
            f"{count} samples do not determine a least-squares start from {len(YY)} measurements of each",
            "give more data, or ask for more of them: `samples`",
        )
    factor, failed = torch.linalg.cholesky_ex(YY)
    pivots = factor.diagonal().abs()
    if failed or pivots.min() <= 1e-7 * pivots.max():
        raise DataError(
            f"the {len(YY)} measurements depend on each other over {count} samples, so that the "
            "least-squares start is not determined",
            "give data that vary more, or bind the start from a file",
        )
    return torch.cholesky_solve(XY.mH, factor).mH.resolve_conj().contiguous()


def in_batches(
    draw: Callable[[range], tuple[Tensor, Tensor]], count: int, batch: int = 1000
) -> Iterable[tuple[Tensor, Tensor]]:
    """Samples 0 to `count` - 1 in batches."""
    for start in range(0, count, batch):
        yield draw(range(start, min(start + batch, count)))


def _wide(rows: Tensor) -> Tensor:
    return rows.to(torch.complex128 if rows.is_complex() else torch.float64)
