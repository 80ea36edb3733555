"""Kernels of periodic convolution on images that are smaller than they: what leaves the image comes in again."""

from __future__ import annotations

from typing import Any

from unroll_dsl.operators.lazy import np


def wrapped(B: Any, h: int, w: int) -> Any:
    """Kernels [..., a, b] as kernels [..., h, w] of the same periodic convolution of images of h x w.

    Entry (i, j) is the sum of all B[..., i + k h, j + l w]; zeros where there are none.
    """
    a, b = B.shape[-2:]
    margins = [(0, 0)] * (B.ndim - 2) + [(0, -a % h), (0, -b % w)]
    tiles = np.pad(B, margins)
    rows, columns = tiles.shape[-2] // h, tiles.shape[-1] // w
    return tiles.reshape(*B.shape[:-2], rows, h, columns, w).sum((-4, -2))


WRAPPED = '''def wrapped(B: Tensor, h: int, w: int) -> Tensor:
    """Kernels [..., a, b] as kernels [..., h, w] of the same periodic convolution of images of h x w: what
    is larger than the image comes in again on the other side."""
    a, b = B.shape[-2:]
    if a <= h and b <= w:
        return nn.functional.pad(B, (0, w - b, 0, h - a))
    tiles = nn.functional.pad(B, (0, -b % w, 0, -a % h))
    return tiles.unflatten(-1, (-1, w)).sum(-2).unflatten(-2, (-1, h)).sum(-3)
'''
