"""Finite differences of images."""

from __future__ import annotations

from typing import Any

from unroll_dsl.operators.image_rules import (
    Operands,
    Statics,
    divided,
    not_an_image,
    with_channels,
)
from unroll_dsl.operators.lazy import np
from unroll_dsl.operators.model import LinearOperator
from unroll_dsl.types import Array


def _grad_shape(x: Array, operands: Operands, statics: Statics) -> Array | str:
    return not_an_image(x) or with_channels(x.shape[0] * 2, x)


def _divergence_shape(x: Array, operands: Operands, statics: Statics) -> Array | str:
    if not_an_image(x) is not None:
        return f"expected an image, found {x}"
    half = divided(x.shape[0], 2)
    if half is None:
        return f"expected an even number of channels, found {x}"
    return with_channels(half, x)


def _grad(x: Any) -> Any:
    found = np.zeros((2 * x.shape[0], *x.shape[1:]), x.dtype)
    found[0::2, :-1] = np.diff(x, axis=-2)
    found[1::2, :, :-1] = np.diff(x, axis=-1)
    return found


def _grad_adjoint(y: Any) -> Any:
    found = np.zeros((y.shape[0] // 2, *y.shape[1:]), y.dtype)
    found[:, :-1] -= y[0::2, :-1]
    found[:, 1:] += y[0::2, :-1]
    found[..., :-1] -= y[1::2, :, :-1]
    found[..., 1:] += y[1::2, :, :-1]
    return found


_HELPER = '''def grad(x: Tensor) -> Tensor:
    """Forward differences, vertical then horizontal, for each channel; 0 at the far border."""
    pad = nn.functional.pad
    down, right = pad(x.diff(dim=-2), (0, 0, 0, 1)), pad(x.diff(dim=-1), (0, 1))
    return torch.stack([down, right], -3).flatten(-4, -3)


def grad_adjoint(y: Tensor) -> Tensor:
    """The adjoint of `grad`, which is the negative divergence."""
    pad = nn.functional.pad
    down, right = y[..., 0::2, :-1, :], y[..., 1::2, :, :-1]
    vertical = pad(down, (0, 0, 1, 0)) - pad(down, (0, 0, 0, 1))
    return vertical + pad(right, (1, 0)) - pad(right, (0, 1))
'''

RECORDS = (
    LinearOperator(
        "grad",
        (),
        "Forward differences, vertical then horizontal, for each channel; 0 at the far border.",
        complex=False,
        forward=_grad_shape,
        backward=_divergence_shape,
        numpy_forward=_grad,
        numpy_adjoint=_grad_adjoint,
        torch_forward="grad(x)",
        torch_adjoint="grad_adjoint(x)",
        helper=_HELPER,
    ),
    LinearOperator(
        "divergence",
        (),
        "The negative adjoint of `grad`.",
        complex=False,
        forward=_divergence_shape,
        backward=_grad_shape,
        numpy_forward=lambda x: -_grad_adjoint(x),
        numpy_adjoint=lambda y: -_grad(y),
        torch_forward="-grad_adjoint(x)",
        torch_adjoint="-grad(x)",
        helper=_HELPER,
    ),
)
