"""Random initial values, drawn by NumPy."""

from __future__ import annotations

import numpy as np

from unroll_dsl.backends.numpy.maps import Array
from unroll_dsl.ir.graph import Random
from unroll_dsl.operators.random_init import RANDOM, interval, moments
from unroll_dsl.types import Field


def draw(random: Random, shape: tuple[int, ...], field: Field, rng: np.random.Generator) -> Array:
    """An array of `shape`.

    As in torch, the parts of complex values are independent; normal ones share the variance,
    uniform ones each have the whole interval.
    """
    defaults = tuple(default for _, default in RANDOM[random.name][0])
    values = (*random.arguments, *defaults[len(random.arguments) :])
    parts = 2 if field is Field.COMPLEX else 1
    if random.name == "orthogonal":
        return values[0] * _orthogonal(shape, rng)
    if random.name.endswith("uniform"):
        drawn = rng.uniform(*interval(random.name, values, shape), (parts, *shape))
    else:
        mean, deviation = moments(random.name, values, shape)
        drawn = rng.normal(mean, deviation / parts**0.5, (parts, *shape))
    return np.asarray(drawn[0] + 1j * drawn[1] if parts == 2 else drawn[0])


def _orthogonal(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Orthonormal rows, or columns where there are fewer, of the first axis against the others: uniformly
    distributed, by QR with positive diagonals (Mezzadri, 2007)."""
    rows, columns = shape[0], int(np.prod(shape[1:]))
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diagonal(r))
    return np.asarray(q if rows >= columns else q.T).reshape(shape)
