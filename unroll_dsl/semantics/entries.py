"""`x[2, 1:3]`: entries by their places, counted from 1, both ends of a range included."""

from __future__ import annotations

from unroll_dsl.operators.entries import AXES
from unroll_dsl.operators.registry import function
from unroll_dsl.semantics import errors
from unroll_dsl.semantics.arguments import static
from unroll_dsl.semantics.constants import as_dim
from unroll_dsl.semantics.definitions import several, value_of
from unroll_dsl.semantics.model import FunctionCall, Sort
from unroll_dsl.semantics.scopes import Context, sizes_seen
from unroll_dsl.semantics.typing import Typing
from unroll_dsl.syntax.foreign import name_instead
from unroll_dsl.syntax.nodes import OF, Argument, Call, Name
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.types import UNKNOWN, Array, Dim, Mismatch, SizeTooLong, Type, Unknown


def entries(typing: Typing, call: Call, context: Context) -> Type:
    """The type of what stands at the places of a call of `ENTRIES`, and what that call is."""
    operand, *given = call.arguments
    definition = several(typing, operand.value, context)
    if definition is not None:
        return value_of(typing, call, definition, context)
    if any(place.keyword is not None and place.keyword.text == OF for place in given):
        if not isinstance(typing.infer(operand.value, context), Unknown):
            typing.reporter.report(errors.NotSeveral(call.function.span, operand.span))
        return UNKNOWN
    array = typing.array(operand.value, context, "`[...]`")
    if array is None:
        return UNKNOWN
    axes = max(_axis(place) for place in given)
    if axes > min(array.rank, AXES):
        shown = typing.operand(operand.value, array, context)
        mend = _without_number(typing, call) if array.rank == 0 else None
        typing.reporter.report(
            errors.TooManyPlaces(call.function.span, axes, array.rank, shown, mend)
        )
        return UNKNOWN
    places: dict[str, Dim] = {}
    for place in given:
        found = _place(typing, call, place, context)
        if found is None:
            return UNKNOWN
        assert place.keyword is not None
        places[place.keyword.text] = found
    fits = [_inside(typing, call, place, places, array, context) for place in given]
    if not all(fits):  # each has been reported
        return UNKNOWN
    record = function("entries")
    ordered = tuple(
        (p.name, places[p.name] if places[p.name].value is None else places[p.name].value or 0)
        for p in record.parameters
        if p.name in places and not _whole(p.name, places)
    )
    result = record.rule((array,), dict(ordered))
    assert not isinstance(result, Mismatch), "every place has been looked at"
    context.calls[call] = FunctionCall(record, (operand.value,), ordered)
    return result


def _whole(name: str, places: dict[str, Dim]) -> bool:
    """`:`, which takes an axis as it is."""
    is_first = name.startswith("first") and places[name].value == 1
    return is_first and name.replace("first", "last") not in places


def _axis(place: Argument) -> int:
    assert place.keyword is not None
    return int(place.keyword.text.lstrip("atfirsl"))


def _without_number(typing: Typing, call: Call) -> str | None:
    """What to write for `x[k]`, `x[k - 1]`, `theta[k]`: the value of a phase, as papers write it."""
    operand, *given = call.arguments
    if len(given) != 1 or not isinstance(operand.value, Name):
        return None
    name, place = operand.value.text, expression_text(given[0].value)
    symbol = typing.symbols.get(name)
    if symbol is None or place.replace(" ", "") not in ("k", "k-1", "k+1"):
        return None
    if symbol.sort is not Sort.STATE:
        return f"what differs from phase to phase is declared `per phase`, and read by its name: `{name}`"
    return (
        f"write `{name}`, its newest value, or `prev({name})`, what it was as the phase began; an older one is "
        "kept in a state of its own"
    )


def _place(typing: Typing, call: Call, place: Argument, context: Context) -> Dim | None:
    expr = place.value
    if isinstance(expr, Name):
        symbol = None if expr.text in context.local else typing.symbols.get(expr.text)
        kind = symbol.sort.value if symbol else "phase number" if expr.text == "k" else None
        own = context.block.sizes if context.block is not None else {}
        if kind != "dimension" and expr.text not in own:
            if expr.text not in typing.poisoned:
                typing.reporter.report(
                    errors.PlaceUnknown(expr.span, expr.text, kind, _mend(typing, call, expr.text))
                )
            return None
    if isinstance(expr, Call):
        found = static(typing, expr, "a place", context)
        return None if found is None or isinstance(found, str | tuple) else Dim.of(found)
    sizes = sizes_seen(context, typing.symbols)
    try:
        dim = as_dim(expr, sizes)
    except SizeTooLong as error:
        typing.reporter.report(errors.SizeWithoutEnd(expr.span, str(error)))
        return None
    if dim is None:
        typing.reporter.report(
            errors.PlaceUnknown(
                expr.span, expression_text(expr), None, _without_number(typing, call)
            )
        )
    return dim if dim is None else dim.substitute(sizes)


def _mend(typing: Typing, call: Call, place: str) -> str | None:
    return _without_number(typing, call) or name_instead(place)


def _inside(
    typing: Typing,
    call: Call,
    place: Argument,
    places: dict[str, Dim],
    array: Array,
    context: Context,
) -> bool:
    """Whether a place may lie in the array; what depends on sizes is asked when these are known."""
    assert place.keyword is not None
    word, axis = place.keyword.text, _axis(place)
    at, size = places[word], array.shape[axis - 1]
    if word.startswith("first"):
        last = places.get(f"last{axis}", size)
        length = (last - at + 1).value
        if length is not None and length < 1 and at.value != 0:
            typing.reporter.report(errors.EmptyRange(place.span, str(at), str(last)))
            return False
    below, beyond = (at - 1).value, (at - size).value
    if (below is None or below >= 0) and (beyond is None or beyond <= 0):
        return True
    mend = None
    if at.value == 0:
        mend = f"entries count from 1: the first is `{_text(call, 1)}`"
        if word.startswith("first") and f"last{axis}" in places:
            mend = f"places count from 1, and a range holds both ends: `1:{places[f'last{axis}']}`"
    elif at.value is not None and at.value < 0:
        mend = f"the last is `{_text(call, size)}`; places do not count from the end"
    shown = typing.operand(call.arguments[0].value, array, context)
    typing.reporter.report(
        errors.EntryOutside(place.value.span, str(at), axis, str(size), shown, mend)
    )
    return False


def _text(call: Call, place: object) -> str:
    return f"{expression_text(call.arguments[0].value)}[{place}]"
