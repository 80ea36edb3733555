"""Layers on one sample: correlation that keeps the size, and activations."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from unroll_dsl.backends.numpy.layer_steps import apply_step
from unroll_dsl.operators.registry import function
from unroll_dsl.types import Activation, Block, Bound, Conv, Layer, Step

Array = np.ndarray[Any, Any]
# the tensors of a layer by name, see types/pieces.py; of a bound network, the function itself
LayerValue = Any
Behind = Callable[[Block, LayerValue, tuple[Array, ...]], Array]

# activations that are no functions of the language, with torch's defaults
_OTHERS: dict[str, Callable[[Array], Any]] = {
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "silu": lambda x: x * np.exp(-np.logaddexp(0, -x)),
    "gelu": lambda x: x / 2 * (1 + np.vectorize(math.erf)(x / np.sqrt(2))),
}
_MODES = {"zero": "constant", "circular": "wrap", "reflect": "reflect", "replicate": "edge"}


def apply_layer(
    layer: Layer, value: LayerValue, x: Array, *more: Array, behind: Behind | None = None
) -> Array:
    """The layer at x [channels, h, w]; of a split layer, of its real and imaginary part alike. A network
    from outside and a block may take `more` beside; `behind`: what a block makes of its tensors and arrays."""
    if layer.split:
        real, imaginary = (_steps(layer, value, part, more, behind) for part in (x.real, x.imag))
        return np.asarray(real + 1j * imaginary)
    return _steps(layer, value, x, more, behind)


def layer_steps(layer: Layer, value: LayerValue, start: int, stop: int) -> LayerValue:
    """The tensors of some steps of a layer, as those of a layer of their own."""
    found: dict[str, Array] = {}
    for name, tensor in value.items():
        place, _, piece = name.rpartition(".")
        if start <= int(place or 0) < stop:
            found[f"{int(place or 0) - start}.{piece}" if stop - start > 1 else piece] = tensor
    return found


def pair_kernel(first: Array, second: Array) -> Array:
    """The kernel of two correlations, one after the other: their kernels convolved, [out, in, 5, 5]."""
    sizes = [a + b - 1 for a, b in zip(first.shape[2:], second.shape[2:], strict=True)]
    found = np.zeros((second.shape[0], first.shape[1], *sizes))
    h, w = first.shape[2:]
    for p in range(second.shape[2]):
        for q in range(second.shape[3]):
            found[:, :, p : p + h, q : q + w] += np.einsum(
                "oc,cihw->oihw", second[:, :, p, q], first
            )
    return found


def within(value: LayerValue, name: str) -> LayerValue:
    """The tensors of a layer of that name within another one."""
    prefix = f"{name}."
    return {k.removeprefix(prefix): v for k, v in value.items() if k.startswith(prefix)}


def _steps(
    layer: Layer, value: LayerValue, x: Array, more: tuple[Array, ...], behind: Behind | None
) -> Array:
    for place, step in enumerate(layer.steps):
        prefix = f"{place}." if len(layer.steps) > 1 else ""
        match step:
            case Conv():
                x = _correlate(step, value[f"{prefix}weight"], x)
                if step.bias:
                    x = x + value[f"{prefix}bias"][:, None, None]
            case Activation("plf"):
                channels = zip(x, value[f"{prefix}slopes"], value[f"{prefix}start"], strict=True)
                x = np.stack([_piecewise(*channel) for channel in channels])
            case Activation(name):
                x = np.asarray(_OTHERS[name](x) if name in _OTHERS else function(name).numpy(x))
            case Bound():
                x = np.asarray(value(x, *more))
            case Block():
                assert behind is not None, "blocks are evaluated where their bodies are known"
                own = within(value, str(place)) if prefix else value
                x = behind(step, own, (x, *more) if place == 0 else (x,))
            case Step():
                own = {k.removeprefix(prefix): v for k, v in value.items() if k.startswith(prefix)}
                x = apply_step(step, own, x, layer.is_flat)
    return x


def _piecewise(x: Array, slopes: Array, start: Array) -> Array:
    """Linear between uniform knots from -1 to 1 and beyond them; `start` is the value at -1."""
    knots = np.linspace(-1, 1, slopes.size - 1)
    rises = slopes[1:-1] * np.diff(knots)
    values = start + np.concatenate([[0], np.cumsum(rises)])
    left, right = values[0] + slopes[0] * (x + 1), values[-1] + slopes[-1] * (x - 1)
    return np.asarray(np.where(x < -1, left, np.where(x > 1, right, np.interp(x, knots, values))))


def _correlate(step: Conv, weight: Array, x: Array) -> Array:
    """What `torch.nn.functional.conv2d` computes with padding that keeps the size."""
    size, groups = step.size, step.groups
    before = (size - 1) // 2
    margins = (before, size - 1 - before)
    wide = np.pad(x, ((0, 0), margins, margins), mode=_MODES[step.padding])  # type: ignore[call-overload]
    h, w = x.shape[-2:]
    sources = np.split(wide, groups)
    kernels = np.split(weight, groups)
    results = []
    for source, kernel in zip(sources, kernels, strict=True):
        result = sum(
            np.einsum("oi,ihw->ohw", kernel[..., p, q], source[:, p : p + h, q : q + w])
            for p in range(size)
            for q in range(size)
        )
        results.append(np.asarray(result))
    return np.concatenate(results)
