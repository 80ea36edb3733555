"""Transfer functions: what convolution with a kernel multiplies the Fourier transform by."""

from __future__ import annotations

from typing import Any

from unroll_dsl.operators.lazy import np
from unroll_dsl.operators.model import Function, Kind, Mismatch, Parameter, Static
from unroll_dsl.types import Array, Dim, Field, Form


def _rule(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
    (kernels,) = arrays
    h, w = statics["h"], statics["w"]
    if kernels.rank not in (2, 3) or isinstance(h, str) or isinstance(w, str):
        return Mismatch(0, "kernels: a matrix or tensor[l, a, b]", str(kernels))
    form = Form.MASK if kernels.rank == 2 else Form.IMAGE
    return Array((*kernels.shape[:-2], Dim.of(h), Dim.of(w)), Field.COMPLEX, form)


def _transfer(B: Any, h: int, w: int) -> Any:
    a, b = B.shape[-2:]
    if a > h or b > w:
        raise ValueError(f"kernels of {a} x {b} do not fit an image of {h} x {w}")
    padded = np.zeros((*B.shape[:-2], h, w), B.dtype)
    padded[..., :a, :b] = B
    return np.fft.fft2(np.roll(padded, (-(a // 2), -(b // 2)), (-2, -1)))


RECORDS = (
    Function(
        "transfer",
        (Parameter("B"), Parameter("h", static=True), Parameter("w", static=True)),
        Kind.CONSTRUCTOR,
        "The transfer functions [..., h, w] of periodic convolution with kernels [..., a, b].",
        _rule,
        _transfer,
        "transfer(B, h, w)",
        helper='''def transfer(B: Tensor, h: int, w: int) -> Tensor:
    """The transfer functions [..., h, w] of periodic convolution with kernels [..., a, b]."""
    a, b = B.shape[-2:]
    padded = nn.functional.pad(B, (0, w - b, 0, h - a))
    return torch.fft.fft2(padded.roll((-(a // 2), -(b // 2)), (-2, -1)))
''',
    ),
)
