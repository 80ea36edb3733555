"""Types."""

from __future__ import annotations

from collections.abc import Sequence

from unroll_dsl.syntax import nodes as n
from unroll_dsl.syntax import reports as e
from unroll_dsl.syntax.builder.expressions import number
from unroll_dsl.syntax.builder.parts import (
    OverLimit,
    Part,
    Places,
    Range,
    cover,
    every,
    find,
    name_in,
    name_of,
    one,
    value_in,
)
from unroll_dsl.syntax.engine import Placed
from unroll_dsl.syntax.tokens import Token


def space(parts: list[Placed]) -> n.SpaceType:
    places = find(parts, Places)
    dims = tuple(_size(place) for place in places.places) if places else ()
    match parts:
        case [Token(text="complex"), Token(kind="NAME"), *_]:
            return n.SpaceType(name_in(parts), dims, True, cover(parts))
    return n.SpaceType(name_in(parts), dims, False, cover(parts))


def _size(place: Part | Range) -> n.Expr:
    if isinstance(place, Range):
        mend = "a type has sizes; `x[1:3]` takes entries of a value"
        raise OverLimit(e.Unexpected(place.span, "a range", "a size", mend))
    return place.expr


def linear(parts: list[Placed]) -> n.LinearType:
    domain, codomain = every(parts, n.SpaceType)
    return n.LinearType(domain, codomain, cover(parts))


def network(parts: list[Placed]) -> n.NetworkType:
    *domains, codomain = every(parts, n.SpaceType)
    return n.NetworkType(tuple(domains), codomain, cover(parts))


def conv(parts: list[Placed]) -> n.ConvType:
    channels_in, channels_out, size = (part.expr for part in every(parts, Part))
    flags, options = every(parts, n.Name), every(parts, n.Argument)
    return n.ConvType(channels_in, channels_out, size, flags, options, cover(parts))


def conv_option(parts: list[Placed]) -> n.Name | n.Argument:
    value = value_in(parts)
    name = name_in(parts)
    return n.Argument(name, value, cover(parts)) if value else name


def layer(parts: list[Placed]) -> n.LayerType:
    first, second, *numbers = (part.expr for part in every(parts, Part))
    flags, options = every(parts, n.Name), every(parts, n.Argument)
    ends = first, second
    return n.LayerType(name_in(parts), ends, tuple(numbers), flags, options, cover(parts))


def layer_option(parts: list[Placed]) -> n.Name | n.Argument | Part:
    match parts:
        case [Token(kind="NUMBER")]:
            return number(parts)
    return conv_option(parts)


def sized(parts: list[Placed]) -> n.LayerType:
    """`up[2, bilinear]`: a number and words."""
    numbers: list[n.Expr] = []
    flags: list[n.Name] = []
    for place in one(parts, Places).places:
        expr = _size(place)
        if isinstance(expr, n.Name):
            flags.append(expr)
        else:
            numbers.append(expr)
    return n.LayerType(name_in(parts), None, tuple(numbers), tuple(flags), (), cover(parts))


def repeated(parts: list[Placed]) -> n.RepeatedType:
    *steps, count = parts
    return n.RepeatedType(_steps(steps), _literal_count(count), cover(parts))


def _literal_count(part: Placed) -> n.Number:
    counted = number([part]).expr
    assert isinstance(counted, n.Number)
    return counted


def composed(parts: list[Placed]) -> n.ComposedType:
    return n.ComposedType(_steps(parts), cover(parts))


def _steps(parts: Sequence[Placed]) -> tuple[n.StepType, ...]:
    steps: list[n.StepType] = []
    for part in parts:
        match part:
            case n.ConvType() | n.NetworkType() | n.LayerType() | n.RepeatedType():
                steps.append(part)
            case Token(kind="NAME"):
                steps.append(name_of(part))
    return tuple(steps)
