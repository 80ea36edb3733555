"""Whether two functions are a linear map and its adjoint: `<A x, y> = <x, A' y>`, up to rounding.

For random x and y of N and M entries `<A x, y>` is of the order of `|A x| |y| / sqrt(M)`, not of
`|A x| |y|`: what is held against the latter says less and less as images grow. So the two inner products
are compared in units of the former; and for y = A x, where both are `|A x|^2`, of these themselves, so
that an adjoint of another scale differs by that scale at every size.

How much rounding explains is measured too: by how much `A (x + c z)` misses `A x + c A z`. A map that
computes in lower precision than its arguments have, or sums naively, is granted what it shows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Function = Callable[[Array], Array]

_UNITS = 2.0**12  # of rounding: 5e-4 in single precision, 9e-13 in double
_SPREAD = 32.0  # how far apart inner products may be, as a multiple of how far sums are
_DOUBLE = 2.0**-52
_COARSE = (
    1e-5  # what sums may miss in double precision: parts that compute in single, solvers within
)


@dataclass(frozen=True, slots=True)
class Adjointness:
    """What was found.

    Attributes
    ----------
    gap : float
        The largest difference of the two inner products, in units of what they are.
    tolerance : float
        How large rounding may make it.
    bend : float
        By how much the image of a sum misses the sum of images, relative to its length.
    straight : float
        How large rounding may make that.
    unit : float
        The coarsest rounding unit of arguments and results.
    """

    gap: float
    tolerance: float
    bend: float
    straight: float
    unit: float

    @property
    def is_double(self) -> bool:
        """Whether it computes in double precision, its parts too."""
        return self.unit <= _DOUBLE and self.bend <= _UNITS * _DOUBLE

    @property
    def is_linear(self) -> bool:
        return self.bend <= self.straight  # NaN is not

    @property
    def is_adjoint(self) -> bool:
        return self.gap <= self.tolerance


def adjointness(
    forward: Function, adjoint: Function, x_like: Array, y_like: Array, seed: int = 0
) -> Adjointness:
    """Test two functions on random arguments and on images of these.

    Parameters
    ----------
    forward, adjoint
        Of one sample: [*domain] to [*codomain] and back, real or complex.
    x_like, y_like
        Arrays of the shapes and dtypes of their arguments; their values do not matter.

    Eight evaluations, four of each function. Where an argument is complex and its image is not, or the
    other way round, the adjoint is that of real spaces: real parts are compared.
    """
    rng = np.random.default_rng(seed)
    probe_x, probe_y = _Probe(forward, x_like.dtype), _Probe(adjoint, y_like.dtype)
    xs = [probe_x(_normal(rng, x_like)) for _ in range(2)]
    ys = [probe_y(_normal(rng, y_like)) for _ in range(2)]
    x_image, y_image = probe_x(ys[0][1]), probe_y(xs[0][1])  # A' y and A x as arguments
    pairs = [(x, y) for x in (*xs, x_image) for y in (*ys, y_image)]
    gap = max((_gap(x, y) for x, y in pairs), key=_nan_first)
    bend = max(probe_x.bend(xs[0], x_image), probe_y.bend(ys[0], y_image), key=_nan_first)
    unit = max(probe_x.unit, probe_y.unit)
    # a sum of n numbers from the first to the last is off by n units at worst
    straight = max(_COARSE, unit * max(_UNITS, x_like.size, y_like.size))
    return Adjointness(gap, max(_UNITS * unit, _SPREAD * bend), bend, straight, unit)


class _Probe:
    """A function that is tried out; `unit` is the coarsest rounding unit of its arguments and results."""

    def __init__(self, function: Function, dtype: np.dtype[Any]) -> None:
        self.function = function
        self.dtype = dtype
        self.unit = float(np.finfo(dtype).eps)

    def __call__(self, argument: Array) -> tuple[Array, Array]:
        argument = argument if self.dtype.kind == "c" else argument.real
        given = argument.astype(self.dtype)
        found = np.asarray(self.function(given))
        if found.dtype.kind in "fc":
            self.unit = max(self.unit, float(np.finfo(found.dtype).eps))
        return given, found

    def bend(self, first: tuple[Array, Array], second: tuple[Array, Array]) -> float:
        """How far the image of a sum is from the sum of images."""
        lengths = _norm(first[0]), _norm(second[0])
        if not lengths[1]:
            return 0.0  # nothing to add
        factor = 0.7 * lengths[0] / lengths[1]
        _, found = self(_wide(first[0]) + factor * _wide(second[0]))
        added = _wide(first[1]) + np.multiply(factor, _wide(second[1]))
        missed = _norm(_wide(found) - added)
        scale = max(_norm(first[1]), factor * _norm(second[1]))
        return missed / scale if scale else float("inf") if missed else 0.0


def _gap(x: tuple[Array, Array], y: tuple[Array, Array]) -> float:
    """The distance of `<A x, y>` and `<x, A' y>`, of the pairs (x, A x) and (y, A' y)."""
    (x_, Ax), (y_, Aty) = x, y
    left, right = _inner(Ax, y_), _inner(x_, Aty)
    if not (np.iscomplexobj(Ax) and np.iscomplexobj(x_)):
        left, right = left.real, right.real
    if not np.isfinite(left) or not np.isfinite(right):
        return float("nan")
    usual = _norm(Ax) * _norm(y_) / y_.size**0.5, _norm(x_) * _norm(Aty) / x_.size**0.5
    scale = max(*usual, abs(left), abs(right))
    return float(abs(left - right) / scale) if scale else 0.0


def _normal(rng: np.random.Generator, like: Array) -> Array:
    real = rng.standard_normal(like.shape)
    return real + 1j * rng.standard_normal(like.shape) if like.dtype.kind == "c" else real


def _wide(value: Array) -> Array:
    """In double precision: inner products and lengths add no error of their own."""
    return value.astype(np.complex128 if np.iscomplexobj(value) else np.float64)


def _inner(left: Array, right: Array) -> Any:
    """Summed in pairs: products of both signs nearly cancel where a map has few images."""
    return np.sum(np.ravel(_wide(left).conj() * _wide(right)))


def _norm(value: Array) -> float:
    return float(np.linalg.norm(np.ravel(_wide(value))))


def _nan_first(value: float) -> float:
    return float("inf") if np.isnan(value) else value
