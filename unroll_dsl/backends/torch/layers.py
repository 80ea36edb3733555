"""Layers as `torch.nn` has them, and how their kernels are drawn."""

from __future__ import annotations

from unroll_dsl.ir.graph import Random
from unroll_dsl.operators.random_init import RANDOM

ACTIVATIONS = {
    "relu": "nn.ReLU",
    "sigmoid": "nn.Sigmoid",
    "tanh": "nn.Tanh",
    "softplus": "nn.Softplus",
}


def initialiser(random: Random) -> tuple[str, str]:
    """The name and the source of a function that draws the kernels of a layer."""
    maker = RANDOM[random.name][1]
    defaults = tuple(default for _, default in RANDOM[random.name][0])
    arguments = "".join(f", {value!r}" for value in random.arguments)
    if random.arguments == defaults[: len(random.arguments)]:
        arguments = ""
    suffix = "".join(c if c.isalnum() else "_" for c in arguments).strip("_")
    word = f"{random.name}_layer" + (f"_{suffix}" if suffix else "")
    source = f'''def {word}(layer: nn.Module) -> nn.Module:
    """Draw the kernels of the convolutions in a layer; biases start at 0."""
    for part in layer.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.{maker}(part.weight{arguments})
            if part.bias is not None:
                nn.init.zeros_(part.bias)
    return layer
'''
    return word, source
