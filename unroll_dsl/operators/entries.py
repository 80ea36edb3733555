"""Taking apart and putting together: `x[2, 1:3]`, `concat`, `stack`, `pair` and its inverse."""

from __future__ import annotations

from typing import Any

from unroll_dsl.operators.lazy import np
from unroll_dsl.operators.model import Function, Kind, Mismatch, Parameter, Static
from unroll_dsl.types import Array, Dim, Field, Form, Shape

AXES = 8  # of which entries can be taken

# ---- x[2, 1:3] -------------------------------------------------------------------------------------


def chosen(array: Array, statics: dict[str, Static]) -> list[Dim | tuple[Dim, Dim]]:
    """For each axis the one entry, or the first and the last, counted from 1."""
    found: list[Dim | tuple[Dim, Dim]] = []
    for axis, size in enumerate(array.shape, start=1):
        at = statics.get(f"at{axis}")
        if at is not None:
            found.append(_dim(at))
        else:
            first, last = statics.get(f"first{axis}", 1), statics.get(f"last{axis}", size)
            found.append((_dim(first), _dim(last)))
    return found


def lies_inside(place: Dim | tuple[Dim, Dim], size: Dim) -> bool | None:
    """Whether there are such entries along an axis of that size; None where sizes must tell."""
    first, last = place if isinstance(place, tuple) else (place, place)
    wanted = (first - 1, last - first + 1, size - last)
    if any(end.value is not None and end.value < 0 for end in wanted) or wanted[1].value == 0:
        return False
    return True if all(_least(end) >= 0 for end in wanted) else None


def _least(dim: Dim) -> int:
    """What a size is at least, since its symbols are 1 or more; -1 where that does not tell."""
    if any(coefficient < 0 for monomial, coefficient in dim.terms if monomial):
        return -1
    return sum(coefficient for _, coefficient in dim.terms)


def _dim(value: Static) -> Dim:
    assert isinstance(value, int | str | Dim)
    return Dim.of(value)


def _entries_rule(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
    (array,) = arrays
    if any(int(word.lstrip("atfirsl")) > array.rank for word in statics):
        return Mismatch(0, f"an array of {len(statics)} axes or more", str(array))
    shape: list[Dim] = []
    for place in chosen(array, statics):
        if isinstance(place, tuple):
            first, last = place
            shape.append(last - first + 1)
    return Array(tuple(shape), array.field, _form(array, shape, "at1" in statics))


def _form(array: Array, shape: list[Dim], channel: bool) -> Form:
    """An image with fewer channels is one; one channel of it is a plane, over which channels broadcast."""
    if len(shape) == array.rank:
        return array.form
    plane = array.form is Form.IMAGE and channel and len(shape) == 2
    return Form.MASK if plane else Form.PLAIN


def _entries(v: Any, **places: int) -> Any:
    index: list[int | slice] = []
    for axis in range(1, np.ndim(v) + 1):
        if f"at{axis}" in places:
            index.append(places[f"at{axis}"] - 1)
        else:
            index.append(slice(places.get(f"first{axis}", 1) - 1, places.get(f"last{axis}")))
    return v[tuple(index)]


# ---- concat, stack ---------------------------------------------------------------------------------


def _axis(statics: dict[str, Static], most: int) -> int | Mismatch:
    axis = statics.get("axis", 1)
    if not isinstance(axis, int) or not 1 <= axis <= most:
        return Mismatch(None, f"an axis from 1 to {most}", f"axis={axis}", "axes count from 1")
    return axis


def _common(arrays: tuple[Array, ...]) -> Field:
    field = Field.REAL
    for array in arrays:
        field = field.join(array.field)
    return field


def _concat_rule(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
    first = arrays[0]
    if len(arrays) < 2:
        return Mismatch(None, "two arrays or more", str(first))
    for index, array in enumerate(arrays):
        if not array.rank:
            mend = "`stack(a, b)` makes a vector of numbers"
            return Mismatch(index, "arrays that have an axis", str(array), mend)
    axis = _axis(statics, first.rank)
    if isinstance(axis, Mismatch):
        return axis
    total = first.shape[axis - 1]
    for index, array in enumerate(arrays[1:], start=1):
        if array.rank != first.rank:
            one_less = array.rank == first.rank - 1
            more = "`stack(v)` gives an array one more axis, of length 1" if one_less else None
            return Mismatch(index, f"arrays of {_count(first.rank)}", str(array), more)
        if _without(array.shape, axis) != _without(first.shape, axis):
            words = f"arrays that differ from {first} along axis {axis} alone"
            return Mismatch(index, words, str(array), _other_axis(first, array))
        total = total + array.shape[axis - 1]
    shape = (*first.shape[: axis - 1], total, *first.shape[axis:])
    form = Form.IMAGE if any(a.form is Form.IMAGE for a in arrays) else first.form
    return Array(shape, _common(arrays), form)


def _other_axis(first: Array, other: Array) -> str | None:
    """Along which axis two arrays could be put one after the other."""
    for axis in range(1, first.rank + 1):
        if _without(first.shape, axis) == _without(other.shape, axis):
            return f"they fit along another: `axis={axis}`"
    return None


def _count(rank: int) -> str:
    return "1 axis" if rank == 1 else f"{rank} axes"


def _without(shape: Shape, axis: int) -> Shape:
    return (*shape[: axis - 1], *shape[axis:])


def _stack_rule(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
    first = arrays[0]
    for index, array in enumerate(arrays[1:], start=1):
        if array.shape != first.shape:
            return Mismatch(index, f"arrays of one shape, the first {first}", str(array))
    axis = _axis(statics, first.rank + 1)
    if isinstance(axis, Mismatch):
        return axis
    shape = (*first.shape[: axis - 1], Dim.of(len(arrays)), *first.shape[axis - 1 :])
    planes = axis == 1 and first.form is Form.MASK
    return Array(shape, _common(arrays), Form.IMAGE if planes else Form.PLAIN)


# ---- pair, unpair ----------------------------------------------------------------------------------


def _pair_rule(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
    (z,) = arrays
    if z.field is not Field.COMPLEX or not z.rank:
        mend = "a real value has no imaginary part: `concat(x, 0 * x)`" if z.rank else None
        return Mismatch(0, "a complex array", str(z), mend)
    return Array((z.shape[0] * 2, *z.shape[1:]), Field.REAL, z.form)


def _unpair_rule(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
    (x,) = arrays
    words = "a real array whose first axis holds real parts, then as many imaginary ones"
    if x.field is Field.COMPLEX or not x.rank:
        return Mismatch(0, words, str(x))
    terms = x.shape[0].terms
    if any(coefficient % 2 for _, coefficient in terms):
        return Mismatch(0, words, str(x))
    half = Dim(tuple((monomial, coefficient // 2) for monomial, coefficient in terms))
    return Array((half, *x.shape[1:]), Field.COMPLEX, x.form)


def _unpair(x: Any) -> Any:
    half = x.shape[0] // 2
    return x[:half] + 1j * x[half:]


_UNPAIR = '''
def unpair(x: Tensor, axis: int) -> Tensor:
    """Real parts, and behind them along the axis as many imaginary ones, as complex values."""
    real, imaginary = x.chunk(2, axis)
    return torch.complex(real, imaginary)
'''

_MANY = Parameter("x", many=True)
_AXIS = Parameter("axis", static=True, default=1)

RECORDS = (
    Function(
        "entries",
        (
            Parameter("v"),
            *(
                Parameter(f"{word}{axis}", static=True, optional=True)
                for axis in range(1, AXES + 1)
                for word in ("at", "first", "last")
            ),
        ),
        Kind.WHOLE,
        "Entries by their places, counted from 1; written `x[2]`, `x[1:3]`, `x[:, 2]`.",
        _entries_rule,
        _entries,
        "v",
    ),
    Function(
        "concat",
        (_MANY, _AXIS),
        Kind.JOIN,
        "Arrays one after the other along an axis: the channels of one image, then those of the next.",
        _concat_rule,
        lambda *x, axis: np.concatenate(x, axis - 1),
        "torch.cat(VALUES, AXIS)",
    ),
    Function(
        "stack",
        (_MANY, _AXIS),
        Kind.JOIN,
        "Arrays of one shape side by side along a new axis: numbers as a vector, vectors as the rows of "
        "a matrix.",
        _stack_rule,
        lambda *x, axis: np.stack(x, axis - 1),
        "torch.stack(VALUES, AXIS)",
    ),
    Function(
        "pair",
        (Parameter("z"),),
        Kind.WHOLE,
        "Real parts, and behind them along the first axis the imaginary ones: a complex image as a real "
        "one of twice the channels.",
        _pair_rule,
        lambda z: np.concatenate([np.real(z), np.imag(z)]),
        "torch.cat((z.real, z.imag), -RANK)",
    ),
    Function(
        "unpair",
        (Parameter("x"),),
        Kind.WHOLE,
        "The inverse of `pair`: the first half of the channels as real parts, the second as imaginary ones.",
        _unpair_rule,
        _unpair,
        "unpair(x, -RANK)",
        helper=_UNPAIR,
    ),
)

__all__ = ["AXES", "RECORDS", "chosen", "lies_inside"]
