"""Linear maps as pairs of functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, assert_never

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
    made_of: Made | None = None
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


@dataclass(frozen=True, slots=True)
class AdjointOf:
    """The adjoint of a map."""

    map: MapValue


Made = Sum | Product | Multiple | AdjointOf
# argument and result, by their places in memory
_Known = dict[tuple[int, bool, int], tuple[Array, Array]]


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


def made(of: Made) -> MapValue:
    """A map made of others. What one part makes of one array is computed once in each application, however
    often the part occurs: `B + B` of `B = A + A` applies A once."""
    found = MapValue(
        lambda x: _applied(found, x, False, {}),
        lambda y: _applied(found, y, True, {}),
        of,
        stacked=isinstance(of, AdjointOf) and of.map.stacked,
    )
    return found


def _applied(map_: MapValue, x: Array, turned: bool, known: _Known) -> Array:
    """A map, or its adjoint, applied to an array; `known` is what its parts have made so far."""
    of, key = map_.made_of, (id(map_), turned, id(x))
    if isinstance(of, AdjointOf):
        return _applied(of.map, x, not turned, known)
    if key not in known:
        match of:
            case None:
                result = map_.adjoint(x) if turned else map_.forward(x)
            case Sum(left, right, sign):
                result = _applied(left, x, turned, known) + sign * _applied(right, x, turned, known)
            case Product(outer, inner):
                first, second = (outer, inner) if turned else (inner, outer)
                result = _applied(second, _applied(first, x, turned, known), turned, known)
            case Multiple(factor, scaled):
                factor = np.conj(factor) if turned else factor
                result = factor * _applied(scaled, x, turned, known)
            case _:
                assert_never(of)
        known[key] = x, result  # with the argument, so that nothing else takes its place
    return known[key][1]
