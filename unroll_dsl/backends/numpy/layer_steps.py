"""Steps of layers on one sample, as `torch.nn` has them in evaluation: strides, pooling, norms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from unroll_dsl.diagnostics.raised import InternalError
from unroll_dsl.types import Step

Array = np.ndarray[Any, Any]
EPSILON = 1e-5  # of torch's norms


def apply_step(step: Step, tensors: Mapping[str, Array], x: Array, is_flat: bool) -> Array:
    """The step at x; `tensors` are those of types/pieces.py. `is_flat`: channels are the last axis."""
    match step.kind:
        case "conv":
            return _biased(step, tensors, _strided(step, tensors["weight"], x))
        case "deconv":
            return _biased(step, tensors, _spread(step, tensors["weight"], x))
        case "dense":
            found = x @ tensors["weight"].T
            return found + tensors["bias"] if step.bias else found
        case "max_pool":
            return np.asarray(_windows(x, step.size).max((-3, -1)))
        case "avg_pool":
            return np.asarray(_windows(x, step.size).mean((-3, -1)))
        case "up":
            return _larger(x, step.size, "bilinear" in step.flags)
        case "instance_norm":
            return _normed(x, (-2, -1))
        case "group_norm":
            grouped = x.reshape(step.size, -1, *x.shape[1:])
            return _affine(_normed(grouped, (-3, -2, -1)).reshape(x.shape), tensors)
        case "layer_norm":
            return _affine(_normed(x, (-3,)), tensors)
        case "batch_norm":
            mean, variance = (tensors[f"running_{w}"][:, None, None] for w in ("mean", "var"))
            return _affine((x - mean) / np.sqrt(variance + EPSILON), tensors)
        case "prelu":
            return np.asarray(np.where(x > 0, x, _column(tensors["weight"], x) * x))
        case "softmax":
            axis = -1 if is_flat else -3
            raised = np.exp(x - x.max(axis, keepdims=True))
            return np.asarray(raised / raised.sum(axis, keepdims=True))
        case "dropout":
            return x
        case _:
            raise InternalError(f"no reference of `{step}`")


def _column(values: Array, x: Array) -> Array:
    """A number a channel, or an entry of a vector."""
    return values.reshape(-1, *(1,) * (x.ndim - 1))


def _biased(step: Step, tensors: Mapping[str, Array], x: Array) -> Array:
    return x + tensors["bias"][:, None, None] if step.bias else x


def _affine(x: Array, tensors: Mapping[str, Array]) -> Array:
    weight, bias = (tensors[word][:, None, None] for word in ("weight", "bias"))
    return np.asarray(weight * x + bias)


def _normed(x: Array, axes: tuple[int, ...]) -> Array:
    centred = x - x.mean(axes, keepdims=True)
    return np.asarray(centred / np.sqrt((centred**2).mean(axes, keepdims=True) + EPSILON))


def _windows(x: Array, size: int) -> Array:
    """[channels, h / size, size, w / size, size]."""
    c, h, w = x.shape
    return x.reshape(c, h // size, size, w // size, size)


def _strided(step: Step, weight: Array, x: Array) -> Array:
    stride, dilation, pad = step.option("stride"), step.option("dilation"), step.padding
    h, w = (side // stride for side in x.shape[-2:])
    wide = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
    groups = step.option("groups")
    results = []
    for source, kernel in zip(np.split(wide, groups), np.split(weight, groups), strict=True):
        total = 0
        for p in range(step.size):
            for q in range(step.size):
                a, b = p * dilation, q * dilation
                part = source[:, a : a + stride * h : stride, b : b + stride * w : stride]
                total = total + np.einsum("oi,ihw->ohw", kernel[..., p, q], part)
        results.append(np.asarray(total))
    return np.concatenate(results)


def _spread(step: Step, weight: Array, x: Array) -> Array:
    """Each pixel puts its kernel down, `stride` apart; `padding` rows and columns are cut off."""
    stride, size, pad = step.option("stride"), step.size, step.padding
    h, w = x.shape[-2:]
    room = max(stride, size)
    wide = np.zeros((weight.shape[1], h * stride + room + pad, w * stride + room + pad))
    for p in range(size):
        for q in range(size):
            put = np.einsum("io,ihw->ohw", weight[..., p, q], x)
            wide[:, p : p + stride * h : stride, q : q + stride * w : stride] += put
    return wide[:, pad : pad + h * stride, pad : pad + w * stride]


def _larger(x: Array, factor: int, bilinear: bool) -> Array:
    if not bilinear:
        return x.repeat(factor, -2).repeat(factor, -1)
    for axis in (-2, -1):
        n = x.shape[axis]
        places = np.clip((np.arange(n * factor) + 0.5) / factor - 0.5, 0, n - 1)
        below = np.minimum(places.astype(int), max(n - 2, 0))
        above = np.minimum(below + 1, n - 1)
        part = (places - below).reshape(-1, *(1,) * (-1 - axis))
        x = (1 - part) * x.take(below, axis) + part * x.take(above, axis)
    return x
