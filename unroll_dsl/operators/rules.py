"""The type rules that many functions share."""

from __future__ import annotations

from collections.abc import Callable

from unroll_dsl.operators.model import Mismatch, Static
from unroll_dsl.types import SCALAR, Array, Field, Form, broadcast

Rule = Callable[[tuple[Array, ...], dict[str, Static]], Array | Mismatch]


def common_shape(arrays: tuple[Array, ...]) -> Array | Mismatch:
    """The broadcast of all arguments."""
    result = arrays[0]
    for index, array in enumerate(arrays[1:], start=1):
        joined = broadcast(result, array)
        if joined is None:
            return Mismatch(index, f"arguments whose shapes agree with {result}", str(array))
        result = joined
    return result


def elementwise(
    result: Field | None = None, *, real_only: bool = False, real_result: bool = False
) -> Rule:
    """Arguments broadcast; the field is theirs, at least real, unless `result` fixes it."""

    def rule(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
        if real_only:
            for index, array in enumerate(arrays):
                if array.field is Field.COMPLEX:
                    return Mismatch(
                        index, "real values", str(array), "take `abs(...)` or `real(...)` first"
                    )
        common = common_shape(arrays)
        if isinstance(common, Mismatch):
            return common
        field = common.field.join(Field.REAL) if result is None else result
        if real_result:
            field = Field.REAL
        return Array(common.shape, field, common.form)

    return rule


def reduction(*, real_only: bool = False, real_result: bool = False) -> Rule:
    """All axes, or the ones that `axis` counts from 1, become one number."""

    def rule(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
        array = arrays[0]
        for other in arrays[1:]:
            if other.shape != array.shape:
                return Mismatch(1, f"two arrays of one shape, the first {array}", str(other))
        field = Field.REAL
        for each in arrays:
            field = field.join(each.field)
        if real_only and field is Field.COMPLEX:
            return Mismatch(0, "real values", str(array), "take `abs(...)` first")
        if real_result:
            field = Field.REAL
        given = statics.get("axis")
        if given is None:
            return Array((), field)
        axes = given if isinstance(given, tuple) else (given,)
        for axis in axes:
            if not isinstance(axis, int) or not 1 <= axis <= array.rank:
                return Mismatch(
                    0, f"an axis from 1 to {array.rank}", f"axis={axis}", "axes count from 1"
                )
        if len(set(axes)) < len(axes):
            return Mismatch(0, "axes that differ", f"axis={given}")
        shape = tuple(dim for i, dim in enumerate(array.shape, start=1) if i not in axes)
        # the channels of an image reduced: one value a pixel, over which channels broadcast
        plane = array.form is Form.IMAGE and axes == (1,)
        return Array(shape, field, Form.MASK if plane else Form.PLAIN)

    return rule


def matrix_to(result: Callable[[Array], Array | Mismatch], *, square: bool = False) -> Rule:
    """One matrix, square if asked for; `result` tells the type from it."""

    def rule(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
        matrix = arrays[0]
        if matrix.rank != 2:
            return Mismatch(0, "a matrix", str(matrix))
        if square and matrix.shape[0] != matrix.shape[1]:
            return Mismatch(0, "a square matrix", str(matrix))
        return result(matrix)

    return rule


def scalar_of(matrix: Array) -> Array:
    return Array((), matrix.field.join(Field.REAL))


def real_scalar(_: Array) -> Array:
    return SCALAR
