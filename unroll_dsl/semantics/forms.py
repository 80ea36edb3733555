"""Forms that look like calls, one record each: `prev`, `solve`, `norm`, `diag`, `split`, `size`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from unroll_dsl.near import near
from unroll_dsl.operators.model import Function
from unroll_dsl.operators.registry import lookup
from unroll_dsl.semantics import errors
from unroll_dsl.semantics.constants import as_number
from unroll_dsl.semantics.library import function_call
from unroll_dsl.semantics.model import (
    DiagCall,
    FunctionCall,
    PrevCall,
    SizeCall,
    SolveCall,
    Sort,
    SplitCall,
)
from unroll_dsl.semantics.scopes import Context, Place
from unroll_dsl.semantics.typing import Typing
from unroll_dsl.syntax.nodes import Argument, Call, Expr, Name
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.types import (
    SCALAR,
    UNKNOWN,
    Array,
    Diagonal,
    Form,
    Layer,
    LinearMap,
    Mismatch,
    Type,
    Unknown,
    Why,
    algebra,
    entries,
)


@dataclass(frozen=True, slots=True)
class Written:
    """A form: how it is called, and the rule that types it and notes what it turned out to be."""

    name: str
    signature: str
    type_of: Callable[[Typing, Call, Context], Type]


def _of_one(
    name: str, rule: Callable[[Typing, Call, Expr, Context], Type]
) -> Callable[[Typing, Call, Context], Type]:
    """The rule of a form that takes one operand and no keyword."""

    def type_of(typing: Typing, call: Call, context: Context) -> Type:
        match call.arguments:
            case (Argument(None, operand),):
                return rule(typing, call, operand, context)
            case arguments:
                signature = FORMS[name].signature
                typing.reporter.report(
                    errors.WrongArgumentCount(
                        call.span, name, signature, len(arguments), _other_norm(name, arguments)
                    )
                )
                return UNKNOWN

    return type_of


def _other_norm(name: str, arguments: tuple[Argument, ...]) -> str | None:
    """What to write for `norm(x, 1)`."""
    if name != "norm" or len(arguments) != 2:
        return None
    of, which = (expression_text(argument.value).strip('"') for argument in arguments)
    word = {"1": "norm1", "0": "norm0", "inf": "norm_inf", "nuc": "nuclear_norm"}.get(which)
    return f"write `{word or 'norm'}({of})`"


def _prev(typing: Typing, call: Call, argument: Expr, context: Context) -> Type:
    symbol = typing.symbols.get(argument.text) if isinstance(argument, Name) else None
    states = tuple(s.name for s in typing.symbols.values() if s.sort is Sort.STATE)
    if context.place is not Place.PHASE:
        read = errors.Mention("prev", call.span, "the form", None)
        mend = errors.NotVisibleHere.Mend.PREV
        typing.reporter.report(errors.NotVisibleHere(read, context.place.value, mend))
        return UNKNOWN
    inner = symbol is not None and symbol.sort is Sort.INNER and symbol.name in context.local
    if symbol is None or not (symbol.sort is Sort.STATE or (inner and context.in_step)):
        if isinstance(argument, Name) and argument.text in typing.poisoned:
            return UNKNOWN
        if symbol is not None:
            found = f"the {symbol.sort.value} `{symbol.name}`"
        else:
            found = f"`{expression_text(argument)}`"
        typing.reporter.report(errors.PrevOfNonState(argument.span, found, states))
        return UNKNOWN
    context.calls[call] = PrevCall(symbol.name)
    context.types[argument] = symbol.type or UNKNOWN
    return symbol.type or UNKNOWN


def _solve(typing: Typing, call: Call, context: Context) -> Type:
    positional = [argument.value for argument in call.arguments if argument.keyword is None]
    if len(positional) != 2:
        typing.reporter.report(
            errors.WrongArgumentCount(call.span, "solve", FORMS["solve"].signature, len(positional))
        )
        return UNKNOWN
    matrix, rhs = positional
    map_type = typing.infer(matrix, context)
    right = typing.array(rhs, context, "`solve`")
    limits = _limits(typing, call)
    if isinstance(map_type, Unknown) or right is None or limits is None:
        return UNKNOWN
    found = algebra.solved(map_type, right)
    if not isinstance(found, Mismatch):
        context.calls[call] = SolveCall(matrix, rhs, *limits)
        return found
    if found.why is Why.NOT_SQUARE:
        shown = typing.operand(matrix, map_type, context)
        typing.reporter.report(errors.SquareExpected(shown, f"this is {map_type}"))
        return UNKNOWN
    typing.reporter.report(
        errors.CallMismatch(
            "solve",
            typing.operand(rhs, right, context),
            f"a right-hand side in the space of `{expression_text(matrix)}`",
            found.found,
        )
    )
    return UNKNOWN


def _limits(typing: Typing, call: Call) -> tuple[float | None, int | None] | None:
    """Tolerance and number of iterations of a `solve`; None if one is wrong."""
    found: dict[str, float] = {}
    for argument in call.arguments:
        if argument.keyword is None:
            continue
        word = argument.keyword.text
        if word not in ("tolerance", "iterations") or word in found:
            known = ("tolerance", "iterations")
            typing.reporter.report(
                errors.UnknownKeyword(
                    argument.span, "solve", word, known, near(word, known), word in found
                )
            )
            return None
        value = as_number(argument.value, lambda _: None)
        whole = word == "tolerance" or (value is not None and value == int(value))
        if value is None or value <= 0 or not whole:
            what = f"the `{word}` of `solve`"
            shown = expression_text(argument.value)
            typing.reporter.report(errors.NumberExpected(argument.value.span, what, shown))
            return None
        found[word] = value
    count = found.get("iterations")
    return found.get("tolerance"), None if count is None else int(count)


def _norm_or_norms(typing: Typing, call: Call, context: Context) -> Type:
    """`norm(v)`, or `norm(v, axis=1)`: one for each of the others."""
    keyword = next((a.keyword for a in call.arguments if a.keyword is not None), None)
    if keyword is None or keyword.text != "axis":
        return _of_one("norm", _norm)(typing, call, context)
    record = lookup("norm2")
    assert isinstance(record, Function)
    return function_call(typing, call, record, context)


def _norm(typing: Typing, call: Call, argument: Expr, context: Context) -> Type:
    type_ = typing.infer(argument, context)
    match type_:
        case Array(shape=(_, _), form=Form.PLAIN):
            record = lookup("spectral_norm")
        case Array():
            record = lookup("norm2")
        case Unknown():
            return UNKNOWN
        case LinearMap() | Layer():
            typing.reporter.report(
                errors.CallMismatch(
                    "norm",
                    typing.operand(argument, type_, context),
                    "an array or a matrix",
                    str(type_),
                    "declare the norm beside the map: `fixed L : scalar > 0`",
                )
            )
            return UNKNOWN
    assert isinstance(record, Function)
    context.calls[call] = FunctionCall(record, (argument,), ())
    return SCALAR


def _diag(typing: Typing, call: Call, argument: Expr, context: Context) -> Type:
    array = typing.array(argument, context, "`diag`")
    if array is None:
        return UNKNOWN
    context.calls[call] = DiagCall(argument)
    return LinearMap(Diagonal(array))


def _split(typing: Typing, call: Call, argument: Expr, context: Context) -> Type:
    layer = typing.infer(argument, context)
    if isinstance(layer, Unknown):
        return UNKNOWN
    if not isinstance(layer, Layer):
        operand = typing.operand(argument, layer, context)
        typing.reporter.report(errors.CallMismatch("split", operand, "a layer", str(layer)))
        return UNKNOWN
    context.calls[call] = SplitCall(argument)
    return Layer(layer.steps, split=True)


def _size(typing: Typing, call: Call, argument: Expr, context: Context) -> Type:
    array = typing.array(argument, context, "`size`")
    if array is None:
        return UNKNOWN
    context.calls[call] = SizeCall(entries(array.shape))
    return SCALAR


FORMS: Mapping[str, Written] = {
    form.name: form
    for form in (
        Written("prev", "prev(x)", _of_one("prev", _prev)),
        Written("solve", "solve(M, b, tolerance=..., iterations=...)", _solve),
        Written("norm", "norm(v)", _norm_or_norms),
        Written("diag", "diag(v)", _of_one("diag", _diag)),
        Written("split", "split(N)", _of_one("split", _split)),
        Written("size", "size(v)", _of_one("size", _size)),
    )
}
