"""Systems of the reference: matrices of maps, written out once, and what is too large to be written out."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, assert_never

import numpy as np

from unroll_dsl.backends.errors import SingularSystem
from unroll_dsl.backends.numpy.maps import AdjointOf, Array, MapValue, Multiple, Product, Sum
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.source import Span

_DENSE = 2048  # unknowns; a larger system of a map is not written out but iterated
_KEPT = 2**25  # entries of matrices that are kept for the next system
_MOST = 5000  # iterations of `least_squares`
_ROUNDING = 1e-15
_ENOUGH = 1e-10  # a residual that rounding alone explains in such a system
Shape = tuple[int, ...]
_Mark = tuple[Shape, Shape, bytes]  # what shape it takes, and what it makes of one such array


@dataclass(frozen=True, slots=True)
class Solution:
    """`condition` is that of the matrix in the 1-norm, 1 where the matrix was not written out."""

    x: Array
    condition: float


@dataclass(frozen=True, slots=True)
class _Matrix:
    """A map of arrays of one shape, written out; `reaches` is the shape of what it makes."""

    entries: Array
    reaches: Shape


class Systems:
    """Solves systems. A map is recognised by what it makes of one random vector, bit by bit, and written out
    when it is new: what is bound may change between two calls."""

    def __init__(self) -> None:
        self._known: dict[_Mark, _Matrix] = {}
        self._conditions: dict[_Mark, float] = {}
        self._probes: dict[Shape, Array] = {}
        self._last: tuple[MapValue, _Mark] | None = None

    def begin(self) -> None:
        """Another call begins, before which anything may have been changed."""
        self._last = None

    def solve(self, matrix: Array | MapValue, rhs: Array, origin: Span | None) -> Solution:
        """x with ``matrix(x) = rhs``; raises `UnrollError` (U0518) where no number is certain."""
        if not isinstance(matrix, MapValue):
            dense = np.asarray(matrix)
            condition = _condition(dense, origin)
            return Solution(np.asarray(np.linalg.solve(dense, rhs)), condition)
        if rhs.size > _DENSE:
            return Solution(least_squares(matrix, rhs), 1.0)
        if self._last is not None and self._last[0] is matrix and self._last[1][0] == rhs.shape:
            mark = self._last[1]
            found = self._known[mark]
        else:
            mark, found = self._written(matrix, rhs.shape)
            self._last = matrix, mark
        if mark not in self._conditions:
            self._conditions[mark] = _condition(found.entries, origin)
        x = np.linalg.solve(found.entries, np.ravel(rhs))
        return Solution(np.asarray(x).reshape(rhs.shape), self._conditions[mark])

    def _written(self, map_: MapValue, shape: Shape) -> tuple[_Mark, _Matrix]:
        """A map on arrays of that shape, and by what it is recognised."""
        if shape not in self._probes:
            real, imaginary = np.random.default_rng(0).standard_normal((2, *shape))
            self._probes[shape] = real + 1j * imaginary
        seen = np.asarray(map_.forward(self._probes[shape]))
        mark = (shape, seen.shape, seen.tobytes())
        found = self._known.get(mark)
        if found is None:
            found = _Matrix(self._entries(map_, shape), seen.shape)
            if sum(m.entries.size for m in self._known.values()) + found.entries.size > _KEPT:
                self._known.clear()
                self._conditions.clear()
            self._known[mark] = found
        return mark, found

    def _entries(self, map_: MapValue, shape: Shape) -> Array:
        def entries(part: MapValue, begin: Shape) -> Array:
            return self._written(part, begin)[1].entries

        match map_.made_of:
            case None | AdjointOf():
                return _columns(map_, shape)
            case Sum(left, right, sign):
                return np.asarray(entries(left, shape) + sign * entries(right, shape))
            case Product(outer, inner):
                _, first = self._written(inner, shape)
                return np.asarray(entries(outer, first.reaches) @ first.entries)
            case Multiple(factor, of):
                return np.asarray(factor * entries(of, shape))
            case _:
                assert_never(map_.made_of)


def _condition(matrix: Array, origin: Span | None) -> float:
    """The condition number in the 1-norm; 1 where entries are no numbers, which the solution shows."""
    found = float(np.linalg.cond(matrix, 1)) if np.isfinite(matrix).all() else 1.0
    if not found < 1 / np.finfo(np.float64).eps:
        raise UnrollError([SingularSystem(found, origin)])
    return found


def look(name: str, arguments: Sequence[Any], origin: Span | None) -> None:
    """What generated code looks at before it solves (operators/regularity.py), where a network is folded: raises
    `UnrollError` (U0518) as that refuses."""
    eps = float(np.finfo(np.float64).eps)
    match name:
        case "regular_matrix" | "regular_factor":
            _condition(arguments[0], origin)
            return
        case "regular_shift":
            low, high = arguments[0], arguments[0] + arguments[1]
        case "regular_sum":
            low, high = (arguments[0] + end for end in arguments[1:])
        case "regular" | "regular_eigenvalues":
            size = np.abs(arguments[0])
            low, high = size.min(initial=np.inf), size.max(initial=0)
            eps *= 4 if name == "regular_eigenvalues" else 1
        case _:
            return
    if np.any((low <= eps * high) & np.isfinite(high)):
        raise UnrollError([SingularSystem(float(1 / eps), origin)])


def _columns(map_: MapValue, shape: Shape) -> Array:
    """What a map makes of each unit vector."""
    size = int(np.prod(shape))
    units = np.eye(size, dtype=complex).reshape(size, *shape)
    made = map_.forward(units) if map_.stacked else [map_.forward(unit) for unit in units]
    matrix = np.ascontiguousarray(np.reshape(made, (size, -1)).T)
    return matrix if np.abs(matrix.imag).max(initial=0) > 0 else matrix.real.copy()


def least_squares(map_: MapValue, b: Array) -> Array:
    """x with map(x) = b, by conjugate gradients on the normal equations (CGLS; Hestenes, Stiefel,
    1952), to rounding; for spaces that are too large to write the matrix out.

    Where iterations run out far from it, a warning (`RuntimeWarning`) names the residual.
    """
    x: Any = np.zeros_like(b)
    residual = b
    slope = map_.adjoint(residual)
    direction = slope
    square = first = np.vdot(slope, slope).real
    for _ in range(_MOST):
        if square <= _ROUNDING**2 * first:
            return np.asarray(x)
        image = map_.forward(direction)
        step = square / np.vdot(image, image).real
        x = x + step * direction
        residual = residual - step * image
        slope = map_.adjoint(residual)
        before, square = square, np.vdot(slope, slope).real
        direction = slope + square / before * direction
    left = float(np.linalg.norm(np.ravel(b - map_.forward(x))) / np.linalg.norm(np.ravel(b)))
    if not left <= _ENOUGH:
        warnings.warn(
            f"`solve` in the reference: {_MOST} iterations of conjugate gradients on the normal "
            f"equations leave a residual of {left:.1e}, relative to the right-hand side",
            RuntimeWarning,
            stacklevel=2,
        )
    return np.asarray(x)
