"""What a name stands for where it is read, and what may be seen where."""

from __future__ import annotations

from unroll_dsl.operators.model import LinearOperator
from unroll_dsl.operators.registry import names as record_names
from unroll_dsl.operators.registry import written
from unroll_dsl.semantics import errors
from unroll_dsl.semantics.errors import Operand
from unroll_dsl.semantics.model import Sort, Symbol
from unroll_dsl.semantics.scopes import NOISE, RESERVED, Context, Place, near
from unroll_dsl.semantics.typing import Typing
from unroll_dsl.syntax.nodes import IMAGINARY_UNIT, Name
from unroll_dsl.types import IDENTITY, SCALAR, UNKNOWN, Array, Field, LinearMap, Type


def name_type(typing: Typing, name: Name, context: Context) -> Type:
    """The type of a name where it is read; `Unknown`, reported, where it is not seen."""
    text = name.text
    if text in context.local:
        return context.local[text]
    if context.place is Place.DEFINITION:
        return _in_definition(typing, name)
    symbol = typing.symbols.get(text)
    if symbol is not None:
        return _symbol(typing, name, symbol, context)
    return _library_name(typing, name, context)


def _library_name(typing: Typing, name: Name, context: Context) -> Type:
    text = name.text
    if text == "I":
        return IDENTITY
    if text == "pi":
        return SCALAR
    if text == IMAGINARY_UNIT:
        return Array((), Field.COMPLEX)
    if text == "k":
        if context.place in (
            Place.OUTPUT,
            Place.LOSS,
            Place.OBJECTIVE,
            Place.START,
            Place.MEASURE,
        ):
            typing.reporter.report(
                errors.PhaseValueOutside(
                    name.span,
                    "k",
                    "",
                    context.place.value,
                    None,
                    "there is no phase here; `k` counts the phases from 1 within them",
                )
            )
            return UNKNOWN
        return SCALAR
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
        typing.reporter.report(
            errors.MapAsValue(
                Operand(name.span, f"function `{text}`"),
                context.place.value,
                f"call it: `{text}(...)`",
            )
        )
        return UNKNOWN
    if text not in typing.poisoned:
        known = [*typing.symbols, *context.local, *record_names(), *typing.definitions, "I", "k"]
        mend = "white `noise` is known in `measure` lines alone" if text == NOISE else None
        if text in ("i", "j"):
            mend = "the imaginary unit is written `1i`"
        typing.reporter.report(errors.UnknownName(name.span, text, near(text, known), mend=mend))
    return UNKNOWN


def _in_definition(typing: Typing, name: Name) -> Type:
    symbol = typing.symbols.get(name.text)
    if symbol is not None and symbol.sort is not Sort.DEFINITION:
        typing.reporter.report(
            errors.NotVisibleHere(
                name.span,
                name.text,
                symbol.sort.value,
                "a function",
                symbol.span,
                f"a function sees its parameters alone: add a parameter `{name.text}`",
            )
        )
        return UNKNOWN
    if name.text == "I":
        return IDENTITY
    if name.text == "k":
        typing.reporter.report(
            errors.NotVisibleHere(
                name.span,
                "k",
                "phase number",
                "a function",
                None,
                "a function sees its parameters alone: pass `k` as an argument",
            )
        )
        return UNKNOWN
    return _library_name(typing, name, Context(Place.DEFINITION, {}, {}))


def _symbol(typing: Typing, name: Name, symbol: Symbol, context: Context) -> Type:
    place = context.place
    match symbol.sort:
        case Sort.DIMENSION:
            return SCALAR
        case Sort.LET:
            return typing.let_types.get(name.text, UNKNOWN)
        case Sort.INPUT | Sort.FIXED | Sort.LEARNABLE:
            return symbol.type or UNKNOWN
        case Sort.STATE:
            if place in (Place.PHASE, Place.OUTPUT, Place.LOSS, Place.PHASE_SUM):
                return symbol.type or UNKNOWN
            mend = (
                f"write `minimize over {name.text}:`"
                if place is Place.OBJECTIVE
                else f"compute it in the phase: `{name.text}2 = ...`"
            )
            if place is Place.START:
                mend = "start from inputs and constants; states start together"
        case Sort.LOCAL:
            if place is Place.PHASE:
                typing.reporter.report(errors.UsedBeforeItsLine(name.span, name.text, symbol.span))
                return UNKNOWN
            if place in (Place.OUTPUT, Place.LOSS, Place.OBJECTIVE):
                mend = (
                    f"declare `trace {name.text} = ...` and sum it: "
                    f"`sum over phases ...{name.text}...`"
                    if place is Place.LOSS
                    else "output a state, or compute the value again from the states"
                )
                typing.reporter.report(
                    errors.PhaseValueOutside(
                        name.span,
                        name.text,
                        "computed anew in every phase",
                        place.value,
                        symbol.span,
                        mend,
                    )
                )
                return UNKNOWN
            mend = "move this line into the phase, below the one that computes it"
        case Sort.TRACE:
            typing.reporter.report(
                errors.TraceMisused(
                    name.span,
                    f"trace `{name.text}` cannot be used in {place.value}",
                    f"read it in the loss: `sum over phases ... {name.text} ...`"
                    if place is not Place.PHASE
                    else f"a trace is for the loss alone: write `{name.text} = ...` without "
                    "`trace` and trace it under another name",
                )
            )
            return UNKNOWN
        case Sort.DEFINITION:
            typing.reporter.report(
                errors.MapAsValue(
                    Operand(name.span, f"function `{name.text}`"),
                    place.value,
                    f"call it: `{name.text}(...)`",
                )
            )
            return UNKNOWN
        case _:
            mend = "it belongs to another part of the file"
    typing.reporter.report(
        errors.NotVisibleHere(
            name.span, name.text, symbol.sort.value, place.value, symbol.span, mend
        )
    )
    return UNKNOWN
