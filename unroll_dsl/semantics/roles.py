"""What a declaration may say of a value in its role."""

from __future__ import annotations

from collections.abc import Iterator

from unroll_dsl.semantics.constants import as_number
from unroll_dsl.semantics.errors import NotAllowedHere
from unroll_dsl.syntax.nodes import Declaration, RandomInit, Role, Sharing
from unroll_dsl.types import Layer, LinearMap, Type


def misplaced(declaration: Declaration, type_: Type) -> Iterator[NotAllowedHere]:
    """What is written in a declaration and has no meaning there."""
    if isinstance(type_, LinearMap):
        yield from _of_map(declaration)
    elif declaration.role is Role.INPUT:
        yield from _of_input(declaration, type_)
    elif declaration.role is Role.FIXED and isinstance(declaration.value, RandomInit):
        name = declaration.names[0].text
        yield NotAllowedHere(
            declaration.value.span,
            f"fixed value `{name}` has a random start",
            "what is fixed has one value",
            f"declare it `learnable {name} : ...`",
        )


def _of_input(declaration: Declaration, type_: Type) -> Iterator[NotAllowedHere]:
    name = declaration.names[0].text
    if isinstance(type_, Layer):
        yield NotAllowedHere(
            declaration.type.span,
            f"input `{name}` is a network",
            "inputs are arrays, one for each sample of the batch",
            f"bind it once: `fixed {name} : ...`",
        )
    if declaration.value is not None:
        yield NotAllowedHere(
            declaration.value.span,
            f"input `{name}` has a value",
            "inputs are given at every call",
            f"declare it `fixed {name} : ...` if it has a value of its own",
        )
    if declaration.sharing is Sharing.PER_PHASE:
        yield NotAllowedHere(
            declaration.span,
            f"input `{name}` is marked `per phase`",
            "an input is the same in every phase",
            "remove `per phase`",
        )
    # what data an input is for is said in numbers, which any data can be held against
    bounds = declaration.bounds
    for bound in () if bounds is None else (bounds.lower, bounds.upper):
        if bound is not None and as_number(bound, lambda _: None) is None:
            yield NotAllowedHere(
                bound.span,
                f"the data of input `{name}` are bounded by what is no number",
                "it may be another in every network",
                f"bound it by numbers, or project: `max({name}, {bound.span.text.strip()})`",
            )


def _of_map(declaration: Declaration) -> Iterator[NotAllowedHere]:
    """A `linear X -> Y` is bound from outside, once: the network holds it as it is."""
    name, span = declaration.names[0].text, declaration.type.span
    if declaration.role is Role.INPUT:
        yield NotAllowedHere(
            span,
            f"input `{name}` is a linear map",
            "inputs are arrays, one for each sample of the batch",
            f"bind the map once, `fixed {name} : ...`, or give a matrix: `input {name} : matrix[m, n]`",
        )
    elif declaration.role is Role.LEARNABLE:
        yield NotAllowedHere(
            span,
            f"learnable `{name}` is a linear map from outside",
            "it has no entries that could be trained",
            f"learn a matrix, `learnable {name} : matrix[m, n]`, or the values that a map is made of, "
            "such as the kernels of `filters`",
        )
    elif declaration.sharing is Sharing.PER_PHASE:
        yield NotAllowedHere(
            declaration.span,
            f"map `{name}` is marked `per phase`",
            "a map from outside is bound once, for all phases",
            "remove `per phase`",
        )
    elif declaration.value is not None:
        yield NotAllowedHere(
            declaration.value.span,
            f"map `{name}` has a value",
            "a map from outside is bound when the network is made",
            f"name a map that is made of others with `let {name} = ...`",
        )
