"""What layers compute: leading terms, step by step, of blocks by their bodies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from unroll_dsl.passes.analysis.counts import Count
from unroll_dsl.types import Activation, Array, Block, Bound, Conv, Field, Layer, Step
from unroll_dsl.types.steps import stepped

OfBlock = Callable[[Block, tuple[Array, ...]], tuple[Count, Array] | None]
_A_NORM = 5  # operations an entry: mean, variance, and what is made of them


def layer_flops(layer: Layer, arguments: tuple[Array, ...], of_block: OfBlock) -> Count | None:
    """Operations of a layer on arrays; None where a network from outside, or a block that is not known, is
    part of it. Of complex data real and imaginary parts are computed each."""
    total, current = Count(), arguments[0]
    is_complex = current.field is Field.COMPLEX
    for place, step in enumerate(layer.steps):
        match step:
            case Bound():
                return None
            case Block():
                given = arguments if place == 0 else (current,)
                found = of_block(step, tuple(replace(a, field=Field.REAL) for a in given))
                if found is None:
                    return None
                own, current = found
            case Activation():
                own = Count.entries(current.shape)
            case Conv():
                current = replace(current, shape=(step.channels_out, *current.shape[1:]))
                own = _convolution(step, current)
            case Step():
                behind = stepped(step, current.shape)
                if isinstance(behind, str):
                    return None
                own = _of_step(step, current, replace(current, shape=behind))
                current = replace(current, shape=behind)
        total = total + own
    return total * (2 if is_complex else 1)


def _convolution(step: Conv, result: Array) -> Count:
    kernel = Count.of(step.channels_in) * Fraction(step.size**2, step.groups)
    entries = Count.entries(result.shape)
    return 2 * kernel * entries + (entries if step.bias else Count())


def _of_step(step: Step, argument: Array, result: Array) -> Count:
    bias = Count.entries(result.shape) if step.bias else Count()
    match step.kind:
        case "conv" | "deconv":
            assert step.channels is not None
            there, groups = step.kind == "conv", step.option("groups")
            many = Count.entries(result.shape if there else argument.shape)
            return (
                2 * Count.of(step.channels[not there]) * Fraction(step.size**2, groups) * many
                + bias
            )
        case "dense":
            assert step.channels is not None
            return 2 * Count.of(step.channels[0]) * Count.entries(result.shape) + bias
        case "instance_norm" | "group_norm" | "layer_norm" | "batch_norm":
            return Count.entries(argument.shape) * _A_NORM
        case "dropout" | "up" if "bilinear" not in step.flags:
            return Count()
        case _:
            return Count.entries(argument.shape)
