"""What a name stands for where it is read, and what may be seen where: a table of places and sorts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.near import near
from unroll_dsl.operators.model import LinearOperator
from unroll_dsl.operators.registry import names as record_names
from unroll_dsl.operators.registry import written
from unroll_dsl.semantics import errors
from unroll_dsl.semantics.errors import (
    MapAsValue,
    Mention,
    NotVisibleHere,
    Operand,
    PhaseValueOutside,
    TraceMisused,
)
from unroll_dsl.semantics.model import Sort, Symbol
from unroll_dsl.semantics.scopes import BODIES, NOISE, RESERVED, Context, Place
from unroll_dsl.semantics.typing import Typing
from unroll_dsl.syntax.foreign import name_instead
from unroll_dsl.syntax.nodes import IMAGINARY_UNIT, Name
from unroll_dsl.types import IDENTITY, SCALAR, UNKNOWN, Array, Field, LinearMap, Type

_Refusal = Callable[[Mention, Place], Diagnostic]

# ---- the table ----------------------------------------------------------------------------------

_PROGRAM = frozenset(Place) - BODIES

# Where each sort of name is seen. Names of one place (parameters, targets, variables, what a phase has
# computed above) are `local` there; `measure` lines look at what they read once more (measures.py).
SEEN: Mapping[Sort, frozenset[Place]] = {
    Sort.DIMENSION: _PROGRAM,
    Sort.INPUT: _PROGRAM,
    Sort.FIXED: _PROGRAM,
    Sort.LEARNABLE: _PROGRAM,
    Sort.LET: _PROGRAM,
    Sort.STATE: frozenset({Place.PHASE, Place.OUTPUT, Place.LOSS, Place.PHASE_SUM}),
    Sort.INNER: frozenset(),
    Sort.LOCAL: frozenset(),
    Sort.TRACE: frozenset(),
    Sort.DEFINITION: frozenset(),
    Sort.BLOCK: frozenset(),
}


def _not_visible(mend: NotVisibleHere.Mend, read: Mention, place: Place) -> Diagnostic:
    return NotVisibleHere(read, place.value, mend)


def _per_phase(why: PhaseValueOutside.Why, read: Mention, place: Place) -> Diagnostic:
    return PhaseValueOutside(read, place.value, why)


def _misused(why: TraceMisused.Why, read: Mention, place: Place) -> Diagnostic:
    return TraceMisused(read.span, place.value, why, read.name)


def _too_early(read: Mention, place: Place) -> Diagnostic:
    assert read.declared is not None
    if read.span.start > read.declared.start:  # within an inner loop, which has ended
        return NotVisibleHere(read, place.value, _Mend.STEP)
    return errors.UsedBeforeItsLine(read.span, read.name, read.declared)


def _uncalled(read: Mention, place: Place) -> Diagnostic:
    operand = Operand(read.span, f"function `{read.name}`")
    return MapAsValue(operand, place.value, f"call it: `{read.name}(...)`")


_Mend, _Why = NotVisibleHere.Mend, PhaseValueOutside.Why

# How a name is refused where it is not seen; None stands for every other place.
REFUSED: Mapping[tuple[Sort, Place | None], _Refusal] = {
    **{(sort, Place.DEFINITION): partial(_not_visible, _Mend.PARAMETER) for sort in Sort},
    **{(sort, Place.BLOCK): partial(_not_visible, _Mend.BLOCK) for sort in Sort},
    (Sort.STATE, Place.OBJECTIVE): partial(_not_visible, _Mend.VARIABLE),
    (Sort.STATE, Place.START): partial(_not_visible, _Mend.START),
    (Sort.STATE, None): partial(_not_visible, _Mend.STATE),
    (Sort.LOCAL, Place.PHASE): _too_early,
    (Sort.INNER, Place.PHASE): _too_early,
    (Sort.LOCAL, Place.OUTPUT): partial(_per_phase, _Why.LOCAL),
    (Sort.LOCAL, Place.OBJECTIVE): partial(_per_phase, _Why.LOCAL),
    (Sort.LOCAL, Place.LOSS): partial(_per_phase, _Why.LOCAL_IN_LOSS),
    (Sort.LOCAL, None): partial(_not_visible, _Mend.LOCAL),
    (Sort.INNER, None): partial(_not_visible, _Mend.INNER),
    (Sort.TRACE, Place.PHASE): partial(_misused, TraceMisused.Why.READ_IN_PHASE),
    (Sort.TRACE, None): partial(_misused, TraceMisused.Why.READ),
    (Sort.DEFINITION, Place.DEFINITION): _uncalled,
    (Sort.DEFINITION, Place.BLOCK): _uncalled,
    (Sort.DEFINITION, None): _uncalled,
}

# `k`, the number of the phase, likewise: it is seen where it is not refused.
_COUNTER = partial(_per_phase, _Why.COUNTER)
COUNTER_REFUSED: Mapping[Place, _Refusal] = {
    Place.OUTPUT: _COUNTER,
    Place.LOSS: _COUNTER,
    Place.OBJECTIVE: _COUNTER,
    Place.START: _COUNTER,
    Place.MEASURE: _COUNTER,
    **dict.fromkeys(BODIES, partial(_not_visible, _Mend.COUNTER)),
}


# ---- the look-up --------------------------------------------------------------------------------


def name_type(typing: Typing, name: Name, context: Context) -> Type:
    """The type of a name where it is read; `Unknown`, reported, where it is not seen."""
    text, place = name.text, context.place
    if text in context.local:
        return context.local[text]
    if context.block is not None and text in context.block.sizes:
        return SCALAR
    symbol = typing.symbols.get(text)
    if symbol is None:
        return _library_name(typing, name, context)
    if symbol.per_step and not context.in_step:
        read = Mention(text, name.span, symbol.sort.value, symbol.span)
        typing.reporter.report(NotVisibleHere(read, place.value, _Mend.PER_STEP))
        return UNKNOWN
    if place in SEEN.get(symbol.sort, frozenset()):
        return _declared_type(typing, symbol)
    refusal = REFUSED.get((symbol.sort, place)) or REFUSED.get((symbol.sort, None))
    refusal = refusal or partial(_not_visible, _Mend.ELSEWHERE)
    read = Mention(text, name.span, symbol.sort.value, symbol.span)
    typing.reporter.report(refusal(read, place))
    return UNKNOWN


def _declared_type(typing: Typing, symbol: Symbol) -> Type:
    match symbol.sort:
        case Sort.DIMENSION:
            return SCALAR
        case Sort.LET:
            return typing.let_types.get(symbol.name, UNKNOWN)
        case _ if symbol.per_step and isinstance(symbol.type, Array):
            return Array(symbol.type.shape[1:], symbol.type.field)
        case _:
            return symbol.type or UNKNOWN


def _earlier(typing: Typing, text: str) -> str | None:
    """`x_old`, where `x` is a state."""
    found = re.fullmatch(r"(.+?)_?(?:old|prev|previous|last)", text)
    symbol = typing.symbols.get(found.group(1)) if found is not None else None
    if symbol is None or symbol.sort is not Sort.STATE:
        return None
    return f"`prev({symbol.name})` is what `{symbol.name}` was as the phase began"


def _library_name(typing: Typing, name: Name, context: Context) -> Type:
    text, place = name.text, context.place
    if text == "I":
        return IDENTITY
    if text == "pi":
        return SCALAR
    if text == IMAGINARY_UNIT:
        return Array((), Field.COMPLEX)
    if text == "k":
        if place not in COUNTER_REFUSED:
            return SCALAR
        counter = Mention(text, name.span, "phase number", None)
        typing.reporter.report(COUNTER_REFUSED[place](counter, place))
        return UNKNOWN
    record = written(text)
    if isinstance(record, LinearOperator):
        if any(not p.optional and p.default is None for p in record.parameters):
            words = ", ".join(p.name for p in record.parameters)
            typing.reporter.report(
                errors.WrongArgumentCount(name.span, text, f"{text}({words})", 0)
            )
            return UNKNOWN
        return LinearMap(record.map_of((), dict(record.defaults)))
    if record is not None or text in typing.definitions or text in RESERVED:
        typing.reporter.report(_uncalled(Mention(text, name.span, "function", None), place))
        return UNKNOWN
    if text not in typing.poisoned:
        known = [*typing.symbols, *context.local, *record_names(), *typing.definitions, "I", "k"]
        mend = "white `noise` is known in `measure` lines alone" if text == NOISE else None
        mend = mend or _earlier(typing, text) or name_instead(text)
        typing.reporter.report(errors.UnknownName(name.span, text, near(text, known), mend=mend))
    return UNKNOWN
