"""Numbers, spaces and plain words as LaTeX, and which adjoints conjugate."""

from __future__ import annotations

from typing import assert_never

from unroll_dsl.types import (
    AdjointMap,
    Array,
    Builtin,
    Composed,
    Declared,
    Diagonal,
    Field,
    IdentityMap,
    Scaled,
    Structure,
    Summed,
    Type,
    is_complex,
)


def is_complex_map(structure: Structure) -> bool:
    """Whether the adjoint of a map conjugates."""
    match structure:
        case Declared():
            return is_complex(structure)
        case Builtin():
            return structure.complex
        case Diagonal(diagonal):
            return diagonal.field is Field.COMPLEX
        case IdentityMap():
            return False
        case AdjointMap(inner) | Scaled(of=inner):
            return is_complex_map(inner)
        case Composed(first, second) | Summed(first, second):
            return is_complex_map(first) or is_complex_map(second)
        case _:
            assert_never(structure)


def numeral(value: int | float) -> str:
    text = repr(value)
    if "e" not in text:
        return text
    mantissa, _, exponent = text.partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"


def space_of(type_: Type) -> str:
    assert isinstance(type_, Array)
    field = r"\mathbb{C}" if type_.field is Field.COMPLEX else r"\mathbb{R}"
    if not type_.rank:
        return field
    dims = r" \times ".join(str(dim).replace(" * ", " ") for dim in type_.shape)
    return f"{field}^{{{dims}}}"


def plain(words: str) -> str:
    for character in "&%$#_{}":
        words = words.replace(character, "\\" + character)
    return words
