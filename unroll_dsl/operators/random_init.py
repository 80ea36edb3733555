"""Random initial values: what `~ NAME(...)` may name, and the parameters of each with defaults.

The torch backend draws them with `torch.nn.init`; the meaning is that of its documentation. Draws
of two backends, or of two versions of torch, differ; what agrees is their distribution.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

# for each name: its parameters with defaults, and the function of torch.nn.init that draws it
RANDOM: Mapping[str, tuple[tuple[tuple[str, float], ...], str]] = {
    "normal": ((("mean", 0.0), ("std", 1.0)), "normal_"),
    "uniform": ((("a", 0.0), ("b", 1.0)), "uniform_"),
    "xavier_normal": ((("gain", 1.0),), "xavier_normal_"),
    "xavier_uniform": ((("gain", 1.0),), "xavier_uniform_"),
    "kaiming_normal": ((("a", 0.0),), "kaiming_normal_"),
    "kaiming_uniform": ((("a", 0.0),), "kaiming_uniform_"),
    "orthogonal": ((("gain", 1.0),), "orthogonal_"),
}


def needs_matrix(name: str) -> bool:
    """Whether the scale comes from the number of rows and columns, which a vector does not have."""
    return name.startswith(("xavier", "kaiming", "orthogonal"))


def arguments(
    name: str, positional: Sequence[float], keywords: Mapping[str, float]
) -> tuple[float, ...] | str:
    """The values of all parameters of a random start, in order, or why a call of it is wrong."""
    parameters = RANDOM[name][0]
    names = [parameter for parameter, _ in parameters]
    signature = ", ".join(f"{parameter}={default:g}" for parameter, default in parameters)
    if len(positional) > len(names):
        return f"`{name}({signature})` is given {len(positional)} arguments"
    given = dict(zip(names, positional, strict=False))
    for keyword in keywords:
        if keyword not in names:
            return f"`{name}({signature})` has no argument `{keyword}`"
        if keyword in given:
            return f"`{keyword}` is given twice"
    values = {**dict(parameters), **given, **keywords}
    if name == "normal" and values["std"] < 0:
        return f"`std` is at least 0, found {values['std']:g}"
    if name == "uniform" and values["a"] > values["b"]:
        return f"`a` is at most `b`, found {values['a']:g} and {values['b']:g}"
    return tuple(values[parameter] for parameter in names)


def interval(name: str, values: Sequence[float], shape: tuple[int, ...]) -> tuple[float, float]:
    """The ends of a uniform distribution, as `torch.nn.init` defines it for a tensor of `shape`."""
    if name == "uniform":
        return values[0], values[1]
    # a uniform distribution on [-r, r] has the standard deviation r / sqrt(3)
    radius = math.sqrt(3) * _deviation(name, values, shape)
    return -radius, radius


def moments(name: str, values: Sequence[float], shape: tuple[int, ...]) -> tuple[float, float]:
    """Mean and standard deviation of a normal distribution, as `torch.nn.init` defines it."""
    if name == "normal":
        return values[0], values[1]
    return 0.0, _deviation(name, values, shape)


def _deviation(name: str, values: Sequence[float], shape: tuple[int, ...]) -> float:
    """Glorot, Bengio (2010): gain * sqrt(2 / (in + out)); He et al. (2015), for a leaky ReLU of
    negative slope a: sqrt(2 / (1 + a^2) / in)."""
    kernel = math.prod(shape[2:])
    fan_out, fan_in = shape[0] * kernel, shape[1] * kernel
    if name.startswith("xavier"):
        return values[0] * math.sqrt(2 / (fan_in + fan_out))
    return math.sqrt(2 / (1 + values[0] ** 2) / fan_in)
