"""Where the layers of a block are written, and what they are called.

A layer is called after its line, `d1 = Double[a, c](x)` or `f = conv[c -> c, 3]`, where it is the last one
that the line applies or all that it says; another one after what it is, `conv`, `max_pool`, `res_block`,
`layers` where it is a chain; with numbers from 1 where there are several: `conv1`, `conv2`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from keyword import iskeyword
from typing import assert_never

from unroll_dsl.syntax.layers import sized
from unroll_dsl.syntax.nodes import (
    Adjoint,
    Binary,
    BlockDefinition,
    Call,
    Chain,
    ConvType,
    Expr,
    LayerType,
    Name,
    NetworkType,
    Number,
    PhaseSum,
    RepeatedType,
    StepType,
    Unary,
)
from unroll_dsl.types.attributes import TAKEN
from unroll_dsl.types.steps import KINDS

_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class Body:
    """The layers in the body of a block.

    Attributes
    ----------
    places
        Where each stands, and its name, in order.
    given
        To which parameter or local it is applied, where it is one.
    """

    def __init__(self, definition: BlockDefinition, blocks: Collection[str]) -> None:
        self._blocks = blocks
        self._values = {p.name.text for p in definition.parameters}
        self.given: dict[Expr, str] = {}
        found: list[tuple[Expr, str | None]] = []
        for local in definition.locals:
            value, name = local.value, local.name.text
            last = value.function if isinstance(value, Call) and not self.is_layer(value) else value
            found += ((at, name if at is last else None) for at in self._within(value))
            self._values.add(name)
        found += ((place, None) for place in self._within(definition.value))
        self.places: dict[Expr, str] = self._named(list({each[0]: each for each in found}.values()))

    def is_layer(self, expr: Expr) -> bool:
        """Whether an expression is a layer: a chain, `max_pool[2]`, a block."""
        match expr:
            case Chain():
                return True
            case Name(text):
                return text in self._blocks and text not in self._values
            case Call():
                found = sized(expr)
                word = None if found is None else found.kind.text
                return word not in self._values and (word in KINDS or word in self._blocks)
            case _:
                return False

    def steps(self, place: Expr) -> tuple[StepType, ...]:
        """The steps of the layer that stands in a place."""
        match place:
            case Chain(steps):
                return steps
            case Name():
                return (place,)
            case Call() if (found := sized(place)) is not None:
                return (found,)
            case _:
                raise AssertionError("no layer stands here")

    def _within(self, expr: Expr) -> Iterator[Expr]:
        """The layers in an expression, from left to right, those of arguments before what is applied to them."""
        if self.is_layer(expr):
            yield expr
            return
        match expr:
            case Name() | Number() | Chain():
                return
            case Unary(_, operand) | Adjoint(operand) | PhaseSum(operand):
                yield from self._within(operand)
            case Binary(_, left, right):
                yield from self._within(left)
                yield from self._within(right)
            case Call(function, arguments):
                for argument in arguments:
                    yield from self._within(argument.value)
                if arguments and isinstance(arguments[0].value, Name):
                    self.given[function] = arguments[0].value.text
                yield from self._within(function)
            case _:
                assert_never(expr)

    def _named(self, found: list[tuple[Expr, str | None]]) -> dict[Expr, str]:
        plain = [name if name and _PLAIN.fullmatch(name) else None for _, name in found]
        wishes = [
            name or self._wish(self.steps(place))
            for (place, _), name in zip(found, plain, strict=True)
        ]
        several, taken = Counter(wishes), {name for name in plain if name}
        names: dict[Expr, str] = {}
        for wish, (place, _) in zip(wishes, found, strict=True):
            if several[wish] == 1:
                names[place] = _allowed(wish)
                continue
            number = 1
            while f"{wish}{number}" in taken:
                number += 1
            taken.add(f"{wish}{number}")
            names[place] = f"{wish}{number}"
        return names

    def _wish(self, steps: tuple[StepType, ...]) -> str:
        match steps:
            case (Name(text),) | (LayerType(Name(text)),):
                word = _CAPITAL.sub("_", text).lower()
                return word if _PLAIN.fullmatch(word) else "block"
            case (ConvType(),):
                return "conv"
            case (NetworkType() | RepeatedType(),) | _:
                return "layers"


def _allowed(name: str) -> str:
    return f"{name}_" if name in TAKEN or iskeyword(name) else name
