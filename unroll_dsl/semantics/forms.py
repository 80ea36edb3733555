"""Forms that look like calls: `prev`, `solve`, `norm`, `diag`, `split`, `size`."""

from __future__ import annotations

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
from unroll_dsl.semantics.scopes import Context, Place, near
from unroll_dsl.semantics.typing import Typing
from unroll_dsl.syntax.nodes import Call, Expr, Name
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.types import (
    SCALAR,
    UNKNOWN,
    Array,
    Diagonal,
    Dim,
    Form,
    Layer,
    LinearMap,
    Mismatch,
    Type,
    Unknown,
    Why,
    algebra,
)

SPECIAL = ("prev", "solve", "norm", "diag", "split", "size")


def special(typing: Typing, call: Call, name: str, context: Context) -> Type:
    signatures = {
        "prev": "prev(x)",
        "solve": "solve(M, b, tolerance=..., iterations=...)",
        "norm": "norm(v)",
        "diag": "diag(v)",
        "split": "split(N)",
        "size": "size(v)",
    }
    wanted = 1
    keyword = next((a.keyword for a in call.arguments if a.keyword is not None), None)
    if name == "norm" and keyword is not None and keyword.text == "axis":
        record = lookup("norm2")
        assert isinstance(record, Function)
        return function_call(typing, call, record, context)
    if name == "solve":
        return _solve(typing, call, signatures[name], context)
    if len(call.arguments) != wanted or keyword is not None:
        typing.reporter.report(
            errors.WrongArgumentCount(call.span, name, signatures[name], len(call.arguments))
        )
        return UNKNOWN
    first = call.arguments[0].value
    match name:
        case "prev":
            return _prev(typing, call, first, context)
        case "norm":
            return _norm(typing, call, first, context)
        case "diag":
            array = typing.array(first, context, "`diag`")
            if array is None:
                return UNKNOWN
            context.calls[call] = DiagCall(first)
            return LinearMap(Diagonal(array))
        case "size":
            array = typing.array(first, context, "`size`")
            if array is None:
                return UNKNOWN
            product = Dim.of(1)
            for dim in array.shape:
                product = product * dim
            context.calls[call] = SizeCall(product)
            return SCALAR
        case _:
            layer = typing.infer(first, context)
            if isinstance(layer, Unknown):
                return UNKNOWN
            if not isinstance(layer, Layer):
                typing.reporter.report(
                    errors.CallMismatch(
                        "split", typing.operand(first, layer, context), "a layer", str(layer)
                    )
                )
                return UNKNOWN
            context.calls[call] = SplitCall(first)
            return Layer(layer.steps, split=True)


def _prev(typing: Typing, call: Call, argument: Expr, context: Context) -> Type:
    symbol = typing.symbols.get(argument.text) if isinstance(argument, Name) else None
    states = tuple(s.name for s in typing.symbols.values() if s.sort is Sort.STATE)
    if context.place is not Place.PHASE:
        typing.reporter.report(
            errors.NotVisibleHere(
                call.span,
                "prev",
                "the form",
                context.place.value,
                None,
                "`prev` belongs into the phase: it is a state's value as the phase began",
            )
        )
        return UNKNOWN
    if symbol is None or symbol.sort is not Sort.STATE:
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


def _solve(typing: Typing, call: Call, signature: str, context: Context) -> Type:
    positional = [argument.value for argument in call.arguments if argument.keyword is None]
    if len(positional) != 2:
        typing.reporter.report(
            errors.WrongArgumentCount(call.span, "solve", signature, len(positional))
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
