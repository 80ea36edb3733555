"""Finite differences of images."""

from __future__ import annotations

from typing import Any

from unroll_dsl.operators.image_rules import (
    Operands,
    Statics,
    not_an_image,
    with_channels,
)
from unroll_dsl.operators.lazy import np
from unroll_dsl.operators.model import Function, Kind, LinearOperator, Parameter, Static
from unroll_dsl.types import Array, Dim


def _wrong_padding(statics: Statics) -> str | None:
    padding = statics.get("padding", "replicate")
    if padding in ("replicate", "circular"):
        return None
    return f"padding is replicate or circular, found {padding}"


def _grad_shape(x: Array, operands: Operands, statics: Statics) -> Array | str:
    return not_an_image(x) or _wrong_padding(statics) or with_channels(x.shape[0] * 2, x)


def _divergence_shape(x: Array, operands: Operands, statics: Statics) -> Array | str:
    if not_an_image(x) is not None:
        return f"expected an image, found {x}"
    half = x.shape[0].over(2)
    if half is None:
        return f"expected an even number of channels, found {x}"
    return _wrong_padding(statics) or with_channels(half, x)


def _grad(x: Any, padding: str = "replicate") -> Any:
    found = np.empty((2 * x.shape[0], *x.shape[1:]), x.dtype)
    turned = found.swapaxes(-2, -1)
    for here, change in ((x, found[0::2]), (x.swapaxes(-2, -1), turned[1::2])):
        change[:, :-1] = here[:, 1:] - here[:, :-1]
        change[:, -1] = here[:, 0] - here[:, -1] if padding == "circular" else 0
    return found


def _grad_adjoint(y: Any, padding: str = "replicate") -> Any:
    found = np.zeros((y.shape[0] // 2, *y.shape[1:]), y.dtype)
    turned = found.swapaxes(-2, -1)
    for total, change in ((found, y[0::2]), (turned, y[1::2].swapaxes(-2, -1))):
        total[:, 1:] += change[:, :-1]
        total[:, :-1] -= change[:, :-1]
        if padding == "circular":
            total[:, 0] += change[:, -1]
            total[:, -1] -= change[:, -1]
    return found


_HELPER = '''def grad(x: Tensor, padding: str) -> Tensor:
    """Forward differences, vertical then horizontal, for each channel; at the far border 0, or with
    `padding` "circular" what leads back to the near one."""
    if padding == "circular":
        down, right = (x.roll(-1, axis) - x for axis in (-2, -1))
    else:
        pad = nn.functional.pad
        down, right = pad(x.diff(dim=-2), (0, 0, 0, 1)), pad(x.diff(dim=-1), (0, 1))
    return torch.stack([down, right], -3).flatten(-4, -3)


def grad_adjoint(y: Tensor, padding: str) -> Tensor:
    """The adjoint of `grad`, which is the negative divergence."""
    down, right = y[..., 0::2, :, :], y[..., 1::2, :, :]
    if padding == "circular":
        return down.roll(1, -2) - down + right.roll(1, -1) - right
    pad = nn.functional.pad
    down, right = down[..., :-1, :], right[..., :-1]
    vertical = pad(down, (0, 0, 1, 0)) - pad(down, (0, 0, 0, 1))
    return vertical + pad(right, (1, 0)) - pad(right, (0, 1))
'''
_PADDING = (
    Parameter("padding", static=True, default="replicate", words=("replicate", "circular")),
)


def _kernels_rule(arrays: tuple[Array, ...], statics: dict[str, Static]) -> Array:
    return Array((Dim.of(2), Dim.of(3), Dim.of(3)))


def _kernels() -> Any:
    found = np.zeros((2, 3, 3))
    found[:, 1, 1] = -1
    found[0, 0, 1] = found[1, 1, 0] = 1
    return found


RECORDS = (
    LinearOperator(
        "grad",
        _PADDING,
        "Forward differences, vertical then horizontal, for each channel; 0 at the far border, or "
        "with padding=circular what leads back to the near one.",
        complex=False,
        forward=_grad_shape,
        backward=_divergence_shape,
        structure=frozenset({"fourier"}),
        squared_norm="8",
        numpy_forward=_grad,
        numpy_adjoint=_grad_adjoint,
        torch_forward="grad(x, padding)",
        torch_adjoint="grad_adjoint(x, padding)",
        helper=_HELPER,
    ),
    LinearOperator(
        "divergence",
        _PADDING,
        "The negative adjoint of `grad`.",
        complex=False,
        forward=_divergence_shape,
        backward=_grad_shape,
        squared_norm="8",
        numpy_forward=lambda x, **statics: -_grad_adjoint(x, **statics),
        numpy_adjoint=lambda y, **statics: -_grad(y, **statics),
        torch_forward="-grad_adjoint(x, padding)",
        torch_adjoint="-grad(x, padding)",
        helper=_HELPER,
    ),
    Function(
        "difference_kernels",
        (),
        Kind.CONSTRUCTOR,
        "The kernels [2, 3, 3] with which periodic convolution is `grad` of one channel.",
        _kernels_rule,
        _kernels,
        "difference_kernels(LIKE)",
        helper='''def difference_kernels(like: Tensor) -> Tensor:
    """Kernels [2, 3, 3] of forward differences, vertical and horizontal, for convolution."""
    kernels = like.new_zeros(2, 3, 3)
    kernels[:, 1, 1] = -1
    kernels[0, 0, 1] = kernels[1, 1, 0] = 1
    return kernels
''',
    ),
)
