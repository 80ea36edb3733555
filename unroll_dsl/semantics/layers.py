"""Steps of layers besides plain convolutions: their numbers, words and options, and chains of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from unroll_dsl.near import near
from unroll_dsl.semantics import errors
from unroll_dsl.semantics.errors import BlockFault, LayerFault
from unroll_dsl.semantics.scopes import Reporter
from unroll_dsl.source import Span
from unroll_dsl.syntax.nodes import (
    Argument,
    ConvType,
    Expr,
    LayerType,
    Name,
    NetworkType,
    Number,
    RepeatedType,
    StepType,
)
from unroll_dsl.syntax.printer import expression_text, type_text
from unroll_dsl.types import Activation, Block, Bound, Conv, Dim, Layer, Step
from unroll_dsl.types.steps import KINDS, Kind, Takes

Why = LayerFault.Why
Single = ConvType | NetworkType | LayerType | Name
ACTIVATIONS = (
    *("relu", "tanh", "sigmoid", "softplus", "plf"),
    *("leaky_relu", "elu", "gelu", "silu"),
)
_MOST = 1000  # steps of a chain


def single(steps: tuple[StepType, ...], reporter: Reporter) -> Iterator[Single]:
    """The steps one by one, those that are repeated as often as they say."""
    for step in steps:
        if not isinstance(step, RepeatedType):
            yield step
            continue
        count = step.count.value
        if not isinstance(count, int) or not 1 <= count <= _MOST:
            text = expression_text(step.count)
            reporter.report(LayerFault(step.count.span, type_text(step), Why.REPEATS, text))
            count = 1
        inner = tuple(single(step.steps, reporter))
        for _ in range(count):
            yield from inner


def read(node: LayerType, dim: Callable[[Expr], Dim | None], reporter: Reporter) -> Step | None:
    """The step that a type says; None where it says none, reported."""
    word = node.kind.text
    if word in ACTIVATIONS:
        span = node.kind.span.to(node.span)
        reporter.report(LayerFault(span, word, Why.NO_NUMBER, word))
        return None
    kind = KINDS.get(word)
    if kind is None or word == "conv":
        known = tuple(KINDS)
        reporter.report(errors.UnknownWord(node.kind.span, word, "layer", known, near(word, known)))
        return None
    channels = _channels(node, kind, dim, reporter)
    number = None if channels is None else _number(node, kind, reporter)
    flags = None if number is None else _flags(node.flags, kind, reporter)
    options = None if flags is None else read_options(node.options, kind, reporter)
    if channels is None or number is None or flags is None or options is None:
        return None
    return checked(Step(word, channels or None, number[0], flags, options), node.span, reporter)


def checked(step: Step, span: Span, reporter: Reporter) -> Step | None:
    """The step, unless no image has a size behind it ."""
    fault = step.fault()
    if fault is not None:
        reporter.report(LayerFault(span, str(step), Why.SIZE, fault))
        return None
    return step


def _groups(step: Step | Conv | Activation | Bound | Block) -> tuple[Dim, Dim, int] | None:
    """The channels and the groups of a convolution where these are not of one size."""
    match step:
        case Step(channels=(begin, end)):
            groups = step.option("groups")
            known = True
        case Conv(begin, end, groups=groups):
            known = begin.value is not None and end.value is not None
        case _:
            return None
    whole = not known or all(d.over(groups) is not None for d in (begin, end))
    return None if whole else (begin, end, groups)


def _channels(
    node: LayerType, kind: Kind, dim: Callable[[Expr], Dim | None], reporter: Reporter
) -> tuple[Dim, Dim] | tuple[()] | None:
    if kind.arrow and node.channels is None:
        more = "" if kind.takes is Takes.NOTHING else ", 3"
        reporter.report(LayerFault(node.span, kind.name, Why.ARROW, more))
        return None
    if node.channels is None:
        return ()
    if not kind.arrow:
        span = node.channels[0].span.to(node.channels[1].span)
        reporter.report(LayerFault(span, kind.name, Why.NO_ARROW))
        return None
    first, second = map(dim, node.channels)
    return None if first is None or second is None else (first, second)


def _number(
    node: LayerType, kind: Kind, reporter: Reporter
) -> tuple[int | float] | tuple[None] | None:
    found = [n.value if isinstance(n, Number) else None for n in node.numbers]
    text = ", ".join(map(expression_text, node.numbers)) or "nothing"
    span = node.numbers[0].span if node.numbers else node.span
    match kind.takes, found:
        case Takes.NOTHING, []:
            return (None,)
        case Takes.NOTHING, _:
            plain = type_text(replace(node, numbers=())).removesuffix("[]")
            reporter.report(LayerFault(span, kind.name, Why.NO_NUMBER, plain))
        case Takes.WHOLE, [int() as whole] if whole >= 1:
            return (whole,)
        case Takes.WHOLE, _:
            reporter.report(LayerFault(span, kind.name, Why.WHOLE, text))
        case Takes.SHARE, [int() | float() as share] if 0 <= share < 1:
            return (share,)
        case _:
            reporter.report(LayerFault(span, kind.name, Why.SHARE, text))
    return None


def _flags(given: tuple[Name, ...], kind: Kind, reporter: Reporter) -> tuple[str, ...] | None:
    for flag in given:
        if flag.text not in kind.flags:
            known = kind.flags or kind.options or ("no words",)
            what = f"option of {kind.name}"
            close = near(flag.text, known)
            reporter.report(errors.UnknownWord(flag.span, flag.text, what, known, close))
            return None
    return tuple(flag.text for flag in given)


def read_options(
    given: tuple[Argument, ...], kind: Kind, reporter: Reporter
) -> tuple[tuple[str, int], ...] | None:
    found: list[tuple[str, int]] = []
    for option in given:
        assert option.keyword is not None
        word, value = option.keyword.text, option.value
        if word not in kind.options:
            known = (*kind.flags, *kind.options)
            what = f"option of {kind.name}"
            reporter.report(errors.UnknownWord(option.span, word, what, known, near(word, known)))
            return None
        if not isinstance(value, Number) or not isinstance(value.value, int) or value.value < 1:
            text = expression_text(value)
            reporter.report(LayerFault(value.span, kind.name, Why.OPTION, text))
            return None
        if value.value > 1:
            found.append((word, value.value))
    return tuple(found)


def meeting(layer: Layer, nodes: tuple[Single, ...], reporter: Reporter) -> bool:
    """Whether the channels that leave one step enter the next, and each step knows those it needs."""
    channels: Dim | None = None
    for place, (step, node) in enumerate(zip(layer.steps, nodes, strict=True)):
        if isinstance(step, Block) and step.arguments > 1 and place:
            found = str(step.arguments)
            fault = BlockFault(node.span, step.name, BlockFault.Why.MIDDLE, str(step), found)
            reporter.report(fault)
            return False
        ends = step.channels if isinstance(step, Step | Block) else None
        if isinstance(step, Conv):
            ends = step.channels_in, step.channels_out
        if ends is not None:
            if channels is not None and ends[0] != channels:
                reporter.report(
                    errors.CallMismatch(
                        ">>",
                        errors.Operand(node.span, str(step)),
                        f"a layer that takes {channels} channels",
                        str(step),
                        "the channels that leave one layer enter the next",
                    )
                )
                return False
            channels = ends[1]
        elif isinstance(step, Block):
            channels = None  # what leaves it depends on what it is given
        groups = _groups(step)
        if groups is not None:
            text = f"{groups[0]} -> {groups[1]} channels do not make {groups[2]} groups of one size"
            reporter.report(LayerFault(node.span, str(step), Why.GROUPS, text))
            return False
        if not isinstance(step, Step) or not KINDS[step.kind].of_channels:
            continue
        own = layer.channels(place)
        if own is None:
            reporter.report(LayerFault(node.span, step.kind, Why.CHANNELS))
            return False
        if step.kind == "group_norm" and own.over(step.size) is None:
            text = f"{own} channels do not make {step.size} groups of one size"
            reporter.report(LayerFault(node.span, step.kind, Why.GROUPS, text))
            return False
    return True
