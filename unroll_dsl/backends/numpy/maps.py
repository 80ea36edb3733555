"""Linear maps as pairs of functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class MapValue:
    """A linear map of one sample: `forward(x)` and `adjoint(y)`, and of what maps it is made, where it is.

    `begin`, of a map from outside, is told that another call begins, before which it may have been changed.
    `stacked` maps take many arrays at once, along leading axes.
    """

    forward: Callable[[Array], Array]
    adjoint: Callable[[Array], Array]
    made_of: Sum | Product | Multiple | None = None
    begin: Callable[[], None] | None = None
    stacked: bool = False


@dataclass(frozen=True, slots=True)
class Sum:
    left: MapValue
    right: MapValue
    sign: int


@dataclass(frozen=True, slots=True)
class Product:
    outer: MapValue
    inner: MapValue


@dataclass(frozen=True, slots=True)
class Multiple:
    factor: Array
    map: MapValue


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
    return MapValue(map_.adjoint, map_.forward, stacked=map_.stacked)


def compose(outer: MapValue, inner: MapValue) -> MapValue:
    return MapValue(
        lambda x: outer.forward(inner.forward(x)),
        lambda y: inner.adjoint(outer.adjoint(y)),
        Product(outer, inner),
    )


def add(left: MapValue, right: MapValue, sign: int) -> MapValue:
    return MapValue(
        lambda x: left.forward(x) + sign * right.forward(x),
        lambda y: left.adjoint(y) + sign * right.adjoint(y),
        Sum(left, right, sign),
    )


def scale(factor: Array, map_: MapValue) -> MapValue:
    return MapValue(
        lambda x: factor * map_.forward(x),
        lambda y: np.conj(factor) * map_.adjoint(y),
        Multiple(factor, map_),
    )
