"""What layers make of arrays: the shape behind a chain of steps, of named blocks of the page too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from unroll_dsl.types.mismatch import Mismatch, no_value
from unroll_dsl.types.model import (
    UNKNOWN,
    Activation,
    Array,
    Block,
    Bound,
    Conv,
    Field,
    Form,
    Layer,
    Type,
    Unknown,
)
from unroll_dsl.types.steps import Step, stepped

Found = Type | Mismatch
_REAL = "a real image (`split(...)` acts on real and imaginary parts alike)"
Behind = Callable[[Block, tuple[Array, ...]], Array | Mismatch]


def _no_block(block: Block, arguments: tuple[Array, ...]) -> Array | Mismatch:
    return Mismatch(None, "layers without named blocks", str(block))


def layered(
    layer: Type,
    argument: Type,
    *more: Type,
    behind: Behind = _no_block,
) -> Found:
    """A layer on an array; a network from outside and a block may take more. `behind`: what a block of the
    page makes of arrays."""
    if isinstance(layer, Unknown) or isinstance(argument, Unknown):
        return UNKNOWN
    if not isinstance(layer, Layer):
        return Mismatch(0, "a layer", str(layer))
    if not isinstance(argument, Array):
        return no_value(1, argument)
    domains = layer.domains
    linear = all(isinstance(step, Conv) and not step.bias for step in layer.steps)
    takes_complex = domains is not None and domains[0].field is Field.COMPLEX
    if argument.field is Field.COMPLEX and not (linear or layer.split or takes_complex):
        return Mismatch(1, _REAL, str(argument))
    first = layer.steps[0]
    if isinstance(first, Block):
        return _with_block(layer, first, (argument, *more), behind)
    if len(more) != len(domains or (argument,)) - 1:
        return Mismatch(None, _count(len(domains or (argument,))), str(len(more) + 1))
    for place, (type_, domain) in enumerate(zip(more, (domains or ())[1:], strict=True), start=2):
        if not isinstance(type_, Array) or type_.shape != domain.shape:
            return Mismatch(place, str(domain), str(type_))
        if type_.field.value > domain.field.value:
            return Mismatch(place, str(domain), str(type_))
    return _through(layer, argument, behind)


def _with_block(layer: Layer, first: Block, arguments: tuple[Type, ...], behind: Behind) -> Found:
    """A chain that begins with a block, which may take several arrays."""
    if len(arguments) != first.arguments:
        return Mismatch(None, _count(first.arguments), str(len(arguments)))
    arrays: list[Array] = []
    for place, type_ in enumerate(arguments, start=1):
        if not isinstance(type_, Array):
            return no_value(place, type_)
        if type_.field is Field.COMPLEX and (place > 1 or not layer.split):
            return Mismatch(place, _REAL, str(type_))
        arrays.append(type_)
    found = behind(first, tuple(replace(array, field=Field.REAL) for array in arrays))
    if isinstance(found, Mismatch):
        return found
    result = _through(replace(layer, steps=layer.steps[1:]), found, behind)
    is_complex = arrays[0].field is Field.COMPLEX
    if isinstance(result, Mismatch) or not is_complex:
        return result
    return replace(result, field=Field.COMPLEX)


def _count(arguments: int) -> str:
    return "1 argument" if arguments == 1 else f"{arguments} arguments"


def _through(layer: Layer, argument: Array, behind: Behind) -> Array | Mismatch:
    """What the steps of a layer make of an array, one after the other."""
    current = argument
    for step in layer.steps:
        match step:
            case Conv(channels_in, channels_out):
                if current.rank != 3 or current.shape[0] != channels_in:
                    return Mismatch(1, f"an image of {channels_in} channels", str(argument))
                current = Array((channels_out, *current.shape[1:]), current.field, Form.IMAGE)
            case Bound(domain, codomain):
                if domain.shape != current.shape:
                    return Mismatch(1, str(domain), str(argument))
                current = codomain
            case Activation():
                pass
            case Block():
                found = behind(step, (replace(current, field=Field.REAL),))
                if isinstance(found, Mismatch):
                    return found
                is_complex = current.field is Field.COMPLEX
                current = replace(found, field=Field.COMPLEX) if is_complex else found
            case Step():
                shape = stepped(step, current.shape)
                if isinstance(shape, str):
                    return Mismatch(1, shape, str(current))
                current = Array(shape, current.field, current.form)
            case _:
                assert_never(step)
    return current
