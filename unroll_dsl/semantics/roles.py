"""What a declaration may say of a value in its role."""

from __future__ import annotations

from collections.abc import Iterator

from unroll_dsl.semantics.constants import as_number
from unroll_dsl.semantics.errors import NotAllowedHere
from unroll_dsl.syntax.nodes import Declaration, RandomInit, Role, Sharing
from unroll_dsl.types import Bound, Layer, LinearMap, Type

_Why = NotAllowedHere.Why


def misplaced(declaration: Declaration, type_: Type) -> Iterator[NotAllowedHere]:
    """What is written in a declaration and has no meaning there."""
    if isinstance(type_, LinearMap):
        yield from _of_map(declaration)
    elif declaration.role is Role.INPUT:
        yield from _of_input(declaration, type_)
    elif isinstance(type_, Layer) and any(isinstance(step, Bound) for step in type_.steps):
        yield from _of_network(declaration, type_)
    elif declaration.role is Role.FIXED and isinstance(declaration.value, RandomInit):
        name = declaration.names[0].text
        yield NotAllowedHere(declaration.value.span, name, _Why.RANDOM_FIXED)


def _of_input(declaration: Declaration, type_: Type) -> Iterator[NotAllowedHere]:
    name = declaration.names[0].text
    if isinstance(type_, Layer):
        yield NotAllowedHere(declaration.type.span, name, _Why.INPUT_NETWORK)
    if declaration.value is not None:
        yield NotAllowedHere(declaration.value.span, name, _Why.INPUT_VALUE)
    if declaration.sharing is Sharing.PER_PHASE:
        yield NotAllowedHere(declaration.span, name, _Why.INPUT_PER_PHASE)
    if declaration.per_step:
        yield NotAllowedHere(declaration.span, name, _Why.INPUT_PER_STEP)
    # what data an input is for is said in numbers, which any data can be held against
    bounds = declaration.bounds
    for bound in () if bounds is None else (bounds.lower, bounds.upper):
        if bound is not None and as_number(bound, lambda _: None) is None:
            yield NotAllowedHere(bound.span, name, _Why.INPUT_BOUND, bound.span.text.strip())


def _of_network(declaration: Declaration, layer: Layer) -> Iterator[NotAllowedHere]:
    """A network from outside is bound; it starts from the weights that it has."""
    name = declaration.names[0].text
    if declaration.value is not None:
        yield NotAllowedHere(declaration.value.span, name, _Why.NETWORK_VALUE)
    elif layer.from_outside is None:
        yield NotAllowedHere(declaration.type.span, name, _Why.NETWORK_CHAIN)


def _of_map(declaration: Declaration) -> Iterator[NotAllowedHere]:
    """A `linear X -> Y` is bound from outside, once: the network holds it as it is."""
    name, span = declaration.names[0].text, declaration.type.span
    if declaration.role is Role.INPUT:
        yield NotAllowedHere(span, name, _Why.INPUT_MAP)
    elif declaration.role is Role.LEARNABLE:
        yield NotAllowedHere(span, name, _Why.LEARNABLE_MAP)
    elif declaration.sharing is Sharing.PER_PHASE:
        yield NotAllowedHere(declaration.span, name, _Why.MAP_PER_PHASE)
    elif declaration.value is not None:
        yield NotAllowedHere(declaration.value.span, name, _Why.MAP_VALUE)
