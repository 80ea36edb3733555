"""Transfer functions: what convolution with a kernel multiplies the Fourier transform by, and that product."""

from __future__ import annotations

from typing import Any

from unroll_dsl.operators.lazy import np
from unroll_dsl.operators.model import Function, Kind, Mismatch, Parameter, Static
from unroll_dsl.operators.wrapping import WRAPPED, wrapped
from unroll_dsl.types import Array, Dim, Field, Form


def _rule(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
    (kernels,) = arrays
    h, w = statics["h"], statics["w"]
    if kernels.rank not in (2, 3) or isinstance(h, str | tuple) or isinstance(w, str | tuple):
        return Mismatch(0, "kernels: a matrix or tensor[l, a, b]", str(kernels))
    form = Form.MASK if kernels.rank == 2 else Form.IMAGE
    return Array((*kernels.shape[:-2], Dim.of(h), Dim.of(w)), Field.COMPLEX, form)


def _transfer(B: Any, h: int, w: int) -> Any:
    a, b = B.shape[-2:]
    return np.fft.fft2(np.roll(wrapped(B, h, w), (-(a // 2), -(b // 2)), (-2, -1)))


def _filtered_rule(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
    x, T = arrays
    if x.rank < 2 or T.rank != 2 or T.shape != x.shape[-2:]:
        return Mismatch(1, "images, and a transfer function of their size", f"{x}, {T}")
    return x


def _filtered(x: Any, T: Any) -> Any:
    found = np.fft.ifft2(np.fft.fft2(x) * T)
    return found if np.iscomplexobj(x) else found.real


def _aliased_rule(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array | Mismatch:
    (T,) = arrays
    s = statics["s"]
    sides = (
        [] if isinstance(s, str | tuple) or T.rank != 2 else [d.over(Dim.of(s)) for d in T.shape]
    )
    known = [side for side in sides if side is not None]
    if len(known) < 2:
        return Mismatch(0, f"a transfer function whose sides are multiples of {s}", str(T))
    return Array(tuple(known), T.field, Form.MASK)


def _aliased(T: Any, s: int) -> Any:
    h, w = T.shape
    return T.reshape(s, h // s, s, w // s).mean((0, 2))


RECORDS = (
    Function(
        "aliased",
        (Parameter("T"), Parameter("s", static=True)),
        Kind.WHOLE,
        "The mean of T [h, w] over the s x s frequencies that look alike where every s-th row and column is kept.",
        _aliased_rule,
        _aliased,
        "aliased(T, s)",
        helper='''def aliased(T: Tensor, s: int) -> Tensor:
    """The mean of T [h, w] over the s x s frequencies that look alike where every s-th row and column is kept."""
    return T.unflatten(-1, (s, -1)).mean(-2).unflatten(-2, (s, -1)).mean(-3)
''',
    ),
    Function(
        "transfer",
        (Parameter("B"), Parameter("h", static=True), Parameter("w", static=True)),
        Kind.CONSTRUCTOR,
        "The transfer functions [..., h, w] of periodic convolution with kernels [..., a, b].",
        _rule,
        _transfer,
        "transfer(B, h, w)",
        helper=WRAPPED
        + '''

def transfer(B: Tensor, h: int, w: int) -> Tensor:
    """The transfer functions [..., h, w] of periodic convolution with kernels [..., a, b]."""
    a, b = B.shape[-2:]
    return torch.fft.fft2(wrapped(B, h, w).roll((-(a // 2), -(b // 2)), (-2, -1)))
''',
    ),
    Function(
        "filtered",
        (Parameter("x"), Parameter("T")),
        Kind.WHOLE,
        "Images whose Fourier transforms are multiplied by T [h, w], which takes real images to real ones.",
        _filtered_rule,
        _filtered,
        "filtered(x, T)",
        helper='''def filtered(x: Tensor, T: Tensor) -> Tensor:
    """Multiply the Fourier transforms of images by T [h, w]; those of real ones are half known."""
    if x.is_complex():
        return torch.fft.ifft2(torch.fft.fft2(x) * T)
    h, w = x.shape[-2:]
    return torch.fft.irfft2(torch.fft.rfft2(x) * T[:, : w // 2 + 1], (h, w))
''',
        shared=("T",),
    ),
)
