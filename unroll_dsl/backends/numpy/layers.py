"""Layers on one sample: correlation that keeps the size, and activations."""

from __future__ import annotations

from typing import Any

import numpy as np

from unroll_dsl.backends.errors import NoBackend
from unroll_dsl.diagnostics.model import UnrollError
from unroll_dsl.operators.registry import function
from unroll_dsl.source import Span
from unroll_dsl.types import Activation, Bound, Conv, Layer

Array = np.ndarray[Any, Any]
# the tensors of a layer by name, see backends/layers.py; of a bound network, the function itself
LayerValue = Any

_MODES = {"zero": "constant", "circular": "wrap", "reflect": "reflect", "replicate": "edge"}


def apply_layer(layer: Layer, value: LayerValue, x: Array, origin: Span | None) -> Array:
    """The layer at x [channels, h, w]; of a split layer, of its real and imaginary part alike."""
    if layer.split:
        real, imaginary = (_steps(layer, value, part, origin) for part in (x.real, x.imag))
        return np.asarray(real + 1j * imaginary)
    return _steps(layer, value, x, origin)


def _steps(layer: Layer, value: LayerValue, x: Array, origin: Span | None) -> Array:
    for place, step in enumerate(layer.steps):
        prefix = f"{place}." if len(layer.steps) > 1 else ""
        match step:
            case Conv():
                x = _correlate(step, value[f"{prefix}weight"], x)
                if step.bias:
                    x = x + value[f"{prefix}bias"][:, None, None]
            case Activation("plf"):
                raise UnrollError([NoBackend("`plf` as a layer", origin)])
            case Activation(name):
                x = np.asarray(function(name).numpy(x))
            case Bound():
                x = np.asarray(value(x))
    return x


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
