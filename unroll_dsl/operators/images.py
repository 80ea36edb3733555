"""Operators on images: signatures and shapes. Their backends are not part of this version."""

from __future__ import annotations

from collections.abc import Callable

from unroll_dsl.operators.model import LinearOperator, Parameter, Static
from unroll_dsl.types import Array, Dim, Form, Type

Rule = Callable[[Array, tuple[Type, ...], dict[str, Static]], Array | str]


def _planes(x: Array) -> str | None:
    return None if x.rank >= 2 else f"expected an image, found {x}"


def _image(x: Array) -> str | None:
    return None if x.rank == 3 else f"expected an image, found {x}"


def _same(x: Array, operands: tuple[Type, ...], statics: dict[str, Static]) -> Array | str:
    return _planes(x) or x


def _channels(result: Dim, x: Array) -> Array:
    return Array((result, *x.shape[1:]), x.field, Form.IMAGE)


def _filter_channels(operands: tuple[Type, ...]) -> tuple[Dim, Dim] | str:
    kernels = operands[0]
    if not isinstance(kernels, Array) or kernels.rank not in (3, 4):
        return f"kernels are tensor[l, a, b] or tensor[out, in, a, b], found {kernels}"
    if kernels.rank == 3:
        return Dim.of(1), kernels.shape[0]
    return kernels.shape[1], kernels.shape[0]


def _filters(*, forward: bool) -> Rule:
    def rule(x: Array, operands: tuple[Type, ...], statics: dict[str, Static]) -> Array | str:
        channels = _filter_channels(operands)
        if isinstance(channels, str):
            return channels
        begin, end = channels if forward else channels[::-1]
        if _image(x) is not None or x.shape[0] != begin:
            return f"expected an image of {begin} channels, found {x}"
        return _channels(end, x)

    return rule


def _grad(x: Array, operands: tuple[Type, ...], statics: dict[str, Static]) -> Array | str:
    return _image(x) or _channels(x.shape[0] * 2, x)


def _half(x: Array) -> Array | str:
    if _image(x) is not None:
        return f"expected an image, found {x}"
    terms = x.shape[0].terms
    if any(coefficient % 2 for _, coefficient in terms):
        return f"expected an even number of channels, found {x}"
    halved = Dim(tuple((monomial, coefficient // 2) for monomial, coefficient in terms))
    return _channels(halved, x)


def _grad_back(x: Array, operands: tuple[Type, ...], statics: dict[str, Static]) -> Array | str:
    return _half(x)


def _scaled(*, forward: bool) -> Rule:
    def rule(x: Array, operands: tuple[Type, ...], statics: dict[str, Static]) -> Array | str:
        factor = statics["s"]
        if _image(x) is not None:
            return f"expected an image, found {x}"
        if not isinstance(factor, int) or factor < 1:
            return "the factor of `downsample` is a whole number of at least 1"
        if not forward:
            return Array((x.shape[0], *(d * factor for d in x.shape[1:])), x.field, Form.IMAGE)
        dims = []
        for dim in x.shape[1:]:
            if any(coefficient % factor for _, coefficient in dim.terms):
                return f"height and width must be multiples of {factor}, found {x}"
            dims.append(Dim(tuple((m, c // factor) for m, c in dim.terms)))
        return Array((x.shape[0], *dims), x.field, Form.IMAGE)

    return rule


def _coils(x: Array, operands: tuple[Type, ...], statics: dict[str, Static]) -> Array | str:
    maps = operands[0]
    if not isinstance(maps, Array) or maps.rank != 3:
        return f"sensitivities are image[coils, h, w], found {maps}"
    if x.rank != 3 or x.shape != (Dim.of(1), *maps.shape[1:]):
        return f"expected image[1, {maps.shape[1]}, {maps.shape[2]}], found {x}"
    return _channels(maps.shape[0], x)


def _coils_back(x: Array, operands: tuple[Type, ...], statics: dict[str, Static]) -> Array | str:
    maps = operands[0]
    if not isinstance(maps, Array) or x.shape != maps.shape:
        return f"expected {maps}, found {x}"
    return _channels(Dim.of(1), x)


def _radon(x: Array, operands: tuple[Type, ...], statics: dict[str, Static]) -> Array | str:
    angles = operands[0]
    if not isinstance(angles, Array) or angles.rank != 1:
        return f"angles are a vector, found {angles}"
    if x.rank != 3 or x.shape[1] != x.shape[2]:
        return f"expected a square image, found {x}"
    return Array((x.shape[0], angles.shape[0], x.shape[2]), x.field, Form.IMAGE)


def _radon_back(x: Array, operands: tuple[Type, ...], statics: dict[str, Static]) -> Array | str:
    if x.rank != 3:
        return f"expected image[c, angles, detectors], found {x}"
    return Array((x.shape[0], x.shape[2], x.shape[2]), x.field, Form.IMAGE)


_PADDING = Parameter("padding", static=True, default="zero")
_FOURIER = frozenset({"diagonal under fft2"})

RECORDS = (
    LinearOperator(
        "fft2",
        (),
        "The unitary Fourier transform over the last two axes.",
        complex=True,
        forward=_same,
        backward=_same,
        structure=frozenset({"unitary", "fourier"}),
    ),
    LinearOperator(
        "ifft2",
        (),
        "The inverse of `fft2`, which is its adjoint.",
        complex=True,
        forward=_same,
        backward=_same,
        structure=frozenset({"unitary", "fourier"}),
    ),
    LinearOperator(
        "filters",
        (Parameter("B"), _PADDING),
        "Convolution with given kernels (flipped, as imaging papers write it): tensor[l, a, b] "
        "takes one channel to l, tensor[out, in, a, b] in channels to out.",
        complex=False,
        forward=_filters(forward=True),
        backward=_filters(forward=False),
        structure=_FOURIER,
    ),
    LinearOperator(
        "grad",
        (),
        "Forward differences, vertical then horizontal, for each channel.",
        complex=False,
        forward=_grad,
        backward=_grad_back,
    ),
    LinearOperator(
        "divergence",
        (),
        "The negative adjoint of `grad`.",
        complex=False,
        forward=_grad_back,
        backward=_grad,
    ),
    LinearOperator(
        "dct2",
        (),
        "The orthonormal DCT-II over the last two axes.",
        complex=False,
        forward=_same,
        backward=_same,
        structure=frozenset({"unitary"}),
    ),
    LinearOperator(
        "wavelet",
        (
            Parameter("name", static=True, default="db4"),
            Parameter("levels", static=True, default=3),
        ),
        "An orthonormal wavelet transform with periodic borders.",
        complex=False,
        forward=_same,
        backward=_same,
        structure=frozenset({"unitary"}),
    ),
    LinearOperator(
        "blur",
        (Parameter("kernel"), _PADDING),
        "Convolution of each channel with one kernel.",
        complex=False,
        forward=_same,
        backward=_same,
        structure=_FOURIER,
    ),
    LinearOperator(
        "downsample",
        (Parameter("s", static=True),),
        "Every s-th row and column.",
        complex=False,
        forward=_scaled(forward=True),
        backward=_scaled(forward=False),
    ),
    LinearOperator(
        "coils",
        (Parameter("S"),),
        "Products with the sensitivities of coils.",
        complex=True,
        forward=_coils,
        backward=_coils_back,
    ),
    LinearOperator(
        "radon",
        (Parameter("angles"),),
        "Line integrals at given angles.",
        complex=False,
        forward=_radon,
        backward=_radon_back,
    ),
)
