"""What arrays of numpy, tensors of torch and plain numbers have in common."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Meta:
    """A value's shape, the kind of its entries (f, c, i, b or ?) and the name of its dtype.

    A plain Python number has no dtype: it takes that of the network. Of kind ? is what torch cannot
    compute with: no number or array at all, a sparse one, a dtype that torch lacks.
    """

    shape: tuple[int, ...]
    kind: str
    dtype: str | None


def describe(value: Any) -> Meta:
    """The metadata of a value, without importing what it comes from."""
    if isinstance(value, bool):
        return Meta((), "b", None)
    if isinstance(value, int | float):
        return Meta((), "f", None)
    if isinstance(value, complex):
        return Meta((), "c", None)
    if isinstance(value, list | tuple):
        return _listed(value)
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape is None or dtype is None:
        return Meta((), "?", type(value).__name__)
    # in either byte order it is the same type
    same = dtype.newbyteorder("=") if hasattr(dtype, "newbyteorder") else dtype
    name = str(same).removeprefix("torch.")
    return Meta(tuple(int(size) for size in shape), _kind(value, name), name)


def _listed(value: list[Any] | tuple[Any, ...]) -> Meta:
    """Lists are numbers as Python writes them."""
    import numpy as np

    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError):  # ragged, or not of numbers
        return Meta((), "?", type(value).__name__)
    kind = {"f": "f", "i": "f", "u": "f", "c": "c", "b": "b"}.get(array.dtype.kind, "?")
    return Meta(array.shape, kind, type(value).__name__ if kind == "?" else None)


def _kind(value: Any, dtype: str) -> str:
    dense = str(getattr(value, "layout", "torch.strided")) == "torch.strided"
    if not dense or not hasattr(value, "__array__"):
        return "?"
    if dtype in ("float16", "bfloat16", "float32", "float64"):
        return "f"
    if dtype in ("complex64", "complex128"):
        return "c"
    if dtype.startswith(("int", "uint")):
        return "i"
    return "b" if dtype == "bool" else "?"


def for_torch(value: Any) -> Any:
    """An array of NumPy as torch takes it: in the byte order of the machine, without negative strides, and
    one that can be written to. Other values as they are."""
    import numpy as np

    if not isinstance(value, np.ndarray):
        return value
    found = np.ascontiguousarray(value, value.dtype.newbyteorder("=")).reshape(value.shape)
    return found if found.flags.writeable else found.copy()


def looks_like_a_map(value: Any) -> bool:
    """Whether an object has a forward and an adjoint, in one of the ways that backends/maps.py knows."""
    if isinstance(value, tuple | list):
        return len(value) == 2 and all(map(callable, value))
    pairs = (("matvec", "rmatvec"), ("A", "A_adjoint"), ("__call__", "adjoint"))
    return any(all(callable(getattr(value, word, None)) for word in pair) for pair in pairs)


def as_array(tensor: Any) -> Any:
    """A tensor of torch, wherever it lives, as an array of numpy: what is conjugated or negated lazily
    (`imag(conj(y))`) is written out, and what numpy has no dtype for is widened to single precision."""
    value = tensor.detach().cpu().resolve_conj().resolve_neg()
    match str(value.dtype):
        case "torch.bfloat16":
            value = value.float()
        case "torch.complex32":
            value = value.cfloat()
    return value.numpy()


def as_numpy(value: Any) -> Any:
    """The value as an array of numpy, in double precision."""
    import numpy as np

    array = np.asarray(as_array(value) if hasattr(value, "detach") else value)
    return array.astype(np.complex128 if np.iscomplexobj(array) else np.float64)


def outside(
    values: Any, lower: float | None, lower_strict: bool, upper: float | None, upper_strict: bool
) -> float | None:
    """An entry outside the bounds, or None.

    A network of lower precision has a bound as it is rounded there: a value that is just that is not outside.
    """
    import numpy as np

    array = np.asarray(values, dtype=np.float64)
    bad = np.zeros(array.shape, bool)
    if lower is not None and not math.isnan(lower):
        bad |= (
            array <= lower if lower_strict else (array < lower) & ~np.isin(array, _rounded(lower))
        )
    if upper is not None and not math.isnan(upper):
        bad |= (
            array >= upper if upper_strict else (array > upper) & ~np.isin(array, _rounded(upper))
        )
    return float(array[bad].flat[0]) if bad.any() else None


def _rounded(bound: float) -> list[float]:
    """A number in the precisions of float32, float16 and bfloat16 (24, 11 and 8 binary digits)."""
    if not math.isfinite(bound):
        return []
    mantissa, exponent = math.frexp(bound)
    return [
        math.ldexp(round(math.ldexp(mantissa, digits)), exponent - digits) for digits in (24, 11, 8)
    ]


def words(lower: float | None, lower_strict: bool, upper: float | None, upper_strict: bool) -> str:
    """A constraint in the words of the language."""
    if lower is not None and upper is not None:
        left, right = "(" if lower_strict else "[", ")" if upper_strict else "]"
        return f"in {left}{lower:g}, {upper:g}{right}"
    if lower is not None:
        return f"> {lower:g}" if lower_strict else f">= {lower:g}"
    return f"< {upper:g}" if upper_strict else f"<= {upper:g}"
