"""Convolution with given kernels: filter banks and blur."""

from __future__ import annotations

from typing import Any

from unroll_dsl.operators.image_rules import Operands, Statics, not_an_image, with_channels
from unroll_dsl.operators.lazy import np
from unroll_dsl.operators.model import LinearOperator, Parameter
from unroll_dsl.operators.wrapping import WRAPPED
from unroll_dsl.types import Array, Dim


def _wrong_padding(statics: Statics) -> str | None:
    padding = statics.get("padding", "zero")
    if padding in ("zero", "circular"):
        return None
    return f"padding is zero or circular, found {padding}"


def _kernel_channels(kernels: object) -> tuple[Dim, Dim] | str:
    """Channels in and out."""
    if not isinstance(kernels, Array) or kernels.rank not in (3, 4):
        return f"kernels are tensor[l, a, b] or tensor[out, in, a, b], found {kernels}"
    if kernels.rank == 3:
        return Dim.of(1), kernels.shape[0]
    return kernels.shape[1], kernels.shape[0]


def _filters(x: Array, operands: Operands, statics: Statics, *, forward: bool) -> Array | str:
    channels = _kernel_channels(operands[0])
    if isinstance(channels, str):
        return channels
    begin, end = channels if forward else channels[::-1]
    if not_an_image(x) is not None or x.shape[0] != begin:
        return f"expected an image of {begin} channels, found {x}"
    return _wrong_padding(statics) or with_channels(end, x)


def _forward(x: Array, operands: Operands, statics: Statics) -> Array | str:
    return _filters(x, operands, statics, forward=True)


def _backward(x: Array, operands: Operands, statics: Statics) -> Array | str:
    return _filters(x, operands, statics, forward=False)


def _blur(x: Array, operands: Operands, statics: Statics) -> Array | str:
    kernel = operands[0]
    if not isinstance(kernel, Array) or kernel.rank != 2:
        return f"the kernel of `blur` is a matrix, found {kernel}"
    return not_an_image(x) or _wrong_padding(statics) or x


# ---- NumPy: a product with what stands around each pixel -----------------------------------------


def _around(x: Any, size: tuple[int, int], before: tuple[int, int], padding: str) -> Any:
    """The windows [..., h, w, a, b] of that size at each pixel, of which `before` rows and columns stand above
    and to the left; beyond the border zero or the other side."""
    (h, w), (a, b), (up, left) = x.shape[-2:], size, before
    if padding == "circular":
        rows, columns = np.arange(h + a - 1) - up, np.arange(w + b - 1) - left
        wide = x[..., rows[:, None] % h, columns % w]
    else:
        wide = np.zeros((*x.shape[:-2], h + a - 1, w + b - 1), x.dtype)
        wide[..., up : up + h, left : left + w] = x
    return np.lib.stride_tricks.sliding_window_view(wide, size, (-2, -1))


def _before(kernels: Any, x: Any, padding: str) -> Any:
    """What a convolution sees of `x`, whose kernels are flipped."""
    a, b = kernels.shape[-2:]
    return _around(x, (a, b), (a - 1 - a // 2, b - 1 - b // 2), padding)


def _behind(kernels: Any, y: Any, padding: str) -> Any:
    """What its adjoint, a correlation, sees."""
    a, b = kernels.shape[-2:]
    return _around(y, (a, b), (a // 2, b // 2), padding)


def _banked(B: Any) -> Any:
    return B[:, None] if B.ndim == 3 else B


def _convolve(x: Any, B: Any, padding: str = "zero") -> Any:
    flipped = _banked(B)[..., ::-1, ::-1]
    return np.einsum("oipq,...ihwpq->...ohw", flipped, _before(B, x, padding))


def _correlate(y: Any, B: Any, padding: str = "zero") -> Any:
    return np.einsum("oipq,...ohwpq->...ihw", np.conj(_banked(B)), _behind(B, y, padding))


def _blurred(x: Any, kernel: Any, padding: str = "zero") -> Any:
    return np.einsum("pq,...hwpq->...hw", kernel[::-1, ::-1], _before(kernel, x, padding))


def _blurred_back(y: Any, kernel: Any, padding: str = "zero") -> Any:
    return np.einsum("pq,...hwpq->...hw", np.conj(kernel), _behind(kernel, y, padding))


ENTRIES = 25  # of a kernel, from which on transforms are cheaper than a convolution

# ---- torch: one convolution ------------------------------------------------------------------------

_HELPER = (
    WRAPPED
    + '''

def correlate(x: Tensor, B: Tensor, padding: str, before: tuple[int, int]) -> Tensor:
    """Correlate images [..., in, h, w] with kernels [out, in, a, b]; `before` tells how many rows and
    columns to add above and to the left, so that the size stays."""
    if x.is_complex() and not B.is_complex():
        parts = (correlate(part, B, padding, before) for part in (x.real, x.imag))
        return torch.complex(*parts)
    (up, left), (a, b), (h, w) = before, B.shape[-2:], x.shape[-2:]
    if padding == "circular" and (a > h or b > w):
        B, up, left, a, b = wrapped(B, h, w), up % h, left % w, h, w
    margins = (left, b - 1 - left, up, a - 1 - up)
    planes = x.reshape(-1, *x.shape[-3:]).to(torch.promote_types(x.dtype, B.dtype))
    mode = "circular" if padding == "circular" else "constant"
    found = nn.functional.conv2d(nn.functional.pad(planes, margins, mode=mode), B)
    return found.reshape(*x.shape[:-3], *found.shape[-3:])


def convolve(x: Tensor, B: Tensor, padding: str) -> Tensor:
    """Convolve images with kernels [out, 1, a, b] or [out, in, a, b] (flipped, as papers write it)."""
    B = B.unsqueeze(-3) if B.ndim == 3 else B
    a, b = B.shape[-2:]
    return correlate(x, B.flip(-2, -1), padding, (a - 1 - a // 2, b - 1 - b // 2))


def convolve_adjoint(y: Tensor, B: Tensor, padding: str) -> Tensor:
    """The adjoint of `convolve`: a correlation."""
    B = B.unsqueeze(-3) if B.ndim == 3 else B
    a, b = B.shape[-2:]
    return correlate(y, B.conj().transpose(-4, -3), padding, (a // 2, b // 2))
'''
)
_BLUR = (
    _HELPER
    + f'''

def blurred(x: Tensor, kernel: Tensor, padding: str, adjoint: bool = False) -> Tensor:
    """Convolve each plane with one kernel, from {ENTRIES} entries on by way of the Fourier transform."""
    (h, w), (a, b) = x.shape[-2:], kernel.shape
    rows, columns = (h, w) if padding == "circular" else (h + a - 1, w + b - 1)
    if a * b < {ENTRIES} or x.is_complex() or kernel.is_complex():
        turn = convolve_adjoint if adjoint else convolve
        return turn(x.unsqueeze(-3), kernel[None], padding).squeeze(-3)
    planes = wrapped(kernel, rows, columns).roll((-(a // 2), -(b // 2)), (-2, -1))
    spectrum = torch.fft.rfft2(planes)
    spectrum = spectrum.conj() if adjoint else spectrum
    found = torch.fft.irfft2(torch.fft.rfft2(x, (rows, columns)) * spectrum, (rows, columns))
    return found[..., :h, :w]
'''
)
_PADDING = Parameter("padding", static=True, default="zero", words=("zero", "circular"))
_FOURIER = frozenset({"diagonal under fft2"})

RECORDS = (
    LinearOperator(
        "filters",
        (Parameter("B"), _PADDING),
        "Convolution with given kernels (flipped, as imaging papers write it): tensor[l, a, b] "
        "takes one channel to l, tensor[out, in, a, b] in channels to out.",
        complex=False,
        forward=_forward,
        backward=_backward,
        structure=_FOURIER,
        squared_norm="norm1(B)^2",
        numpy_forward=_convolve,
        numpy_adjoint=_correlate,
        stacked=True,
        torch_forward="convolve(x, B, padding)",
        torch_adjoint="convolve_adjoint(x, B, padding)",
        helper=_HELPER,
        shared=("B",),
    ),
    LinearOperator(
        "blur",
        (Parameter("kernel"), _PADDING),
        "Convolution of each channel with one kernel.",
        complex=False,
        forward=_blur,
        backward=_blur,
        structure=_FOURIER,
        squared_norm="norm1(kernel)^2",
        numpy_forward=_blurred,
        numpy_adjoint=_blurred_back,
        stacked=True,
        torch_forward="blurred(x, kernel, padding)",
        torch_adjoint="blurred(x, kernel, padding, adjoint=True)",
        helper=_BLUR,
        shared=("kernel",),
    ),
)
