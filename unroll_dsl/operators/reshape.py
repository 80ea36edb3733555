"""Reshapes as linear maps."""

from __future__ import annotations

from typing import Any

from unroll_dsl.operators.lazy import np
from unroll_dsl.operators.model import LinearOperator, Parameter, Static
from unroll_dsl.types import Array, Dim, Type, entries

_PARAMETERS = (
    Parameter("d1", static=True),
    Parameter("d2", static=True),
    Parameter("d3", static=True, optional=True),
)


def _shape(statics: dict[str, Static]) -> tuple[Dim, ...]:
    found = []
    for name in ("d1", "d2", "d3"):
        value = statics.get(name)
        if value is not None and not isinstance(value, str | tuple):
            found.append(Dim.of(value))
    return tuple(found)


def _forward(x: Array, operands: tuple[Type, ...], statics: dict[str, Static]) -> Array | str:
    shape = _shape(statics)
    if x.shape != shape:
        return f"expected {Array(shape)}, found {x}"
    return Array((entries(shape),), x.field)


def _backward(y: Array, operands: tuple[Type, ...], statics: dict[str, Static]) -> Array | str:
    shape = _shape(statics)
    vector = Array((entries(shape),))
    if y.shape != vector.shape:
        return f"expected {vector}, found {y}"
    return Array(shape, y.field)


def _flatten(x: Any, **sizes: int) -> Any:
    return np.reshape(x, -1)


def _unflatten(y: Any, **sizes: int) -> Any:
    return np.reshape(y, tuple(sizes[name] for name in ("d1", "d2", "d3") if name in sizes))


RECORDS = (
    LinearOperator(
        "vec",
        _PARAMETERS,
        "The entries of an array as a vector, the last axis fastest: `vec(g, d)` takes "
        "matrix[g, d] to vector[g * d].",
        complex=False,
        forward=_forward,
        backward=_backward,
        structure=frozenset({"unitary", "permutation"}),
        numpy_forward=_flatten,
        numpy_adjoint=_unflatten,
        torch_forward="x.flatten(-RANK)",
        torch_adjoint="x.unflatten(-1, SHAPE)",
    ),
)
