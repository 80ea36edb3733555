"""Linear maps as pairs of functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_MOST = 5000  # iterations of `least_squares`
_ROUNDING = 1e-15


@dataclass(frozen=True, slots=True)
class MapValue:
    """A linear map of one sample: `forward(x)` and `adjoint(y)`."""

    forward: Callable[[Array], Array]
    adjoint: Callable[[Array], Array]


def bound(value: Any, domain: tuple[int, ...], codomain: tuple[int, ...]) -> MapValue:
    """A map from outside: a matrix on flattened arrays, or an object with a forward and an adjoint
    (see outside.py)."""
    if isinstance(value, np.ndarray):
        return MapValue(
            lambda x: np.asarray(value @ np.ravel(x)).reshape(codomain),
            lambda y: np.asarray(value.conj().T @ np.ravel(y)).reshape(domain),
        )
    return MapValue(value.forward, value.adjoint)


def identity() -> MapValue:
    return MapValue(lambda x: x, lambda y: y)


def as_map(value: Array | MapValue) -> MapValue:
    """A matrix as a map on vectors; maps as they are."""
    if isinstance(value, MapValue):
        return value
    return MapValue(lambda x: value @ x, lambda y: value.conj().T @ y)


def diagonal(values: Array, align: Callable[[Array, Array], Array]) -> MapValue:
    return MapValue(lambda x: align(values, x) * x, lambda y: align(values, y).conj() * y)


def adjoint(map_: MapValue) -> MapValue:
    return MapValue(map_.adjoint, map_.forward)


def compose(outer: MapValue, inner: MapValue) -> MapValue:
    return MapValue(
        lambda x: outer.forward(inner.forward(x)), lambda y: inner.adjoint(outer.adjoint(y))
    )


def add(left: MapValue, right: MapValue, sign: int) -> MapValue:
    return MapValue(
        lambda x: left.forward(x) + sign * right.forward(x),
        lambda y: left.adjoint(y) + sign * right.adjoint(y),
    )


def scale(factor: Array, map_: MapValue) -> MapValue:
    return MapValue(lambda x: factor * map_.forward(x), lambda y: np.conj(factor) * map_.adjoint(y))


def materialise(map_: MapValue, like: Array) -> Array:
    """The matrix of a map of a space to itself, column by column; for small spaces."""
    columns = []
    for index in range(like.size):
        unit = np.zeros(like.size, dtype=complex)
        unit[index] = 1
        columns.append(np.ravel(map_.forward(unit.reshape(like.shape))))
    matrix = np.stack(columns, axis=1)
    return matrix if np.abs(matrix.imag).max(initial=0) > 0 else matrix.real


def least_squares(map_: MapValue, b: Array) -> Array:
    """x with map(x) = b, by conjugate gradients on the normal equations (CGLS; Hestenes, Stiefel,
    1952), to rounding; for spaces that are too large to write the matrix out."""
    x = np.zeros_like(b)
    residual = b
    slope = map_.adjoint(residual)
    direction = slope
    square = first = np.vdot(slope, slope).real
    for _ in range(_MOST):
        if square <= _ROUNDING**2 * first:
            break
        image = map_.forward(direction)
        step = square / np.vdot(image, image).real
        x = x + step * direction
        residual = residual - step * image
        slope = map_.adjoint(residual)
        before, square = square, np.vdot(slope, slope).real
        direction = slope + square / before * direction
    return x
