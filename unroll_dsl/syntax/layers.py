"""Layers that are written as entries of an array are: `up[2, bilinear]`, `Double[c, 2 * c]`."""

from __future__ import annotations

from unroll_dsl.syntax import nodes as n


def sized(call: n.Call) -> n.LayerType | None:
    """A layer with numbers and words in its brackets; None for what is none: a range, entries of a formula."""
    match call:
        case n.Call(n.Name(n.ENTRIES), (n.Argument(value=n.Name() as kind), *places)):
            pass
        case _:
            return None
    if any(place.keyword and not place.keyword.text.startswith("at") for place in places):
        return None
    given = [place.value for place in places]
    numbers = tuple(value for value in given if not isinstance(value, n.Name))
    flags = tuple(value for value in given if isinstance(value, n.Name))
    return n.LayerType(kind, None, numbers, flags, (), call.span)
