"""The type of a call: functions of the library and of the file, maps with operands, layers."""

from __future__ import annotations

from unroll_dsl.near import near
from unroll_dsl.operators.model import Function, LinearOperator
from unroll_dsl.operators.registry import names as record_names
from unroll_dsl.operators.registry import written
from unroll_dsl.semantics import errors
from unroll_dsl.semantics.block_calls import Behind
from unroll_dsl.semantics.definitions import definition_call
from unroll_dsl.semantics.entries import entries
from unroll_dsl.semantics.forms import FORMS
from unroll_dsl.semantics.library import function_call, operator_call
from unroll_dsl.semantics.model import LayerCall, Sort
from unroll_dsl.semantics.scopes import BODIES, Context
from unroll_dsl.semantics.typing import Typing
from unroll_dsl.syntax.expressions import Level, expression_text, steps_text
from unroll_dsl.syntax.foreign import function_instead
from unroll_dsl.syntax.layers import sized
from unroll_dsl.syntax.nodes import ENTRIES, LIST, Call, Chain, Expr, Name
from unroll_dsl.types import UNKNOWN, Array, Block, Layer, Mismatch, Type, Unknown, algebra
from unroll_dsl.types.layering import layered
from unroll_dsl.types.steps import KINDS


def infer_call(typing: Typing, call: Call, context: Context) -> Type:
    """Type a call and note in `context.calls` what it turned out to be."""
    function = call.function
    if (layer := own_layer(typing, call, context)) is not None:  # `f = max_pool[2]`
        return layer
    if (layer := own_layer(typing, function, context)) is not None:
        context.types[function] = layer
        return _apply_layer(typing, call, function, layer, context)
    if not isinstance(function, Name):
        layer = typing.infer(function, context)
        return _apply_layer(typing, call, function, layer, context)
    name = function.text
    if name == ENTRIES:
        return entries(typing, call, context)
    if name == LIST:
        typing.reporter.report(errors.ListAsValue(call.span))
        return UNKNOWN
    symbol = typing.symbols.get(name) if context.place not in BODIES else None
    if name in context.local or (symbol is not None and symbol.sort is not Sort.DEFINITION):
        type_ = typing.infer(function, context)
        return _apply_layer(typing, call, function, type_, context)
    definition = typing.definitions.get(name)
    if symbol is not None and definition is not None:  # the file's own come first
        return definition_call(typing, call, definition, context)
    if name in FORMS:
        return FORMS[name].type_of(typing, call, context)
    record = _record(name, call)
    match record:
        case Function():
            return function_call(typing, call, record, context)
        case LinearOperator():
            return operator_call(typing, call, record, context)
        case None:
            pass
    if definition is not None:
        return definition_call(typing, call, definition, context)
    for argument in call.arguments:
        typing.infer(argument.value, context)
    if name not in typing.poisoned:
        known = [*record_names(), *typing.definitions, *FORMS]
        known += [s.name for s in typing.symbols.values() if isinstance(s.type, Layer)]
        given = [expression_text(argument.value) for argument in call.arguments]
        mend = function_instead(name, given)
        typing.reporter.report(
            errors.UnknownName(function.span, name, near(name, known), True, mend, len(given))
        )
    return UNKNOWN


def _record(name: str, call: Call) -> Function | LinearOperator | None:
    """The record that a name calls; `max` and `min` of two arguments are elementwise."""
    if name in ("max", "min") and len([a for a in call.arguments if a.keyword is None]) == 2:
        name = {"max": "maximum", "min": "minimum"}[name]
    return written(name)


# ---- layers -------------------------------------------------------------------------------------


def _apply_layer(typing: Typing, call: Call, function: Expr, layer: Type, context: Context) -> Type:
    if isinstance(layer, Unknown):
        for argument in call.arguments:
            typing.infer(argument.value, context)
        return UNKNOWN
    text = expression_text(function)
    if not isinstance(layer, Layer):
        arguments = ", ".join(expression_text(a.value) for a in call.arguments)
        single = len(call.arguments) == 1
        factor = expression_text(call.arguments[0].value, Level.SIGNED) if single else ""
        is_map = algebra.as_structure(layer) is not None and single
        mend = f"apply it: `{text} @ {factor}`" if is_map else None
        if isinstance(layer, Array) and layer.rank < 2 and single:
            mend = f"for a product write `{text} * ({arguments})`"
        for argument in call.arguments:
            typing.infer(argument.value, context)
        typing.reporter.report(
            errors.NotAFunction(typing.operand(function, layer, context), text, mend)
        )
        return UNKNOWN
    first, domains = layer.steps[0], layer.domains or (None,)
    takes = first.arguments if isinstance(first, Block) else len(domains)
    named = any(argument.keyword is not None for argument in call.arguments)
    if len(call.arguments) != takes or named:
        words = _taken(typing, layer)
        typing.reporter.report(
            errors.WrongArgumentCount(call.span, text, f"{text}({words})", len(call.arguments))
        )
        return UNKNOWN
    operands = [argument.value for argument in call.arguments]
    arrays = [typing.array(operand, context, f"`{text}`") for operand in operands]
    if None in arrays:
        return UNKNOWN
    given = [array for array in arrays if array is not None]
    behind = Behind(typing)
    result = layered(layer, *given, behind=behind)
    if behind.problem is not None:
        block, types, problem = behind.problem
        if problem.report is not None:
            given_types = tuple(map(str, types))
            where = typing.blocks.place(block.name)
            report = errors.BlockDoesNotType(
                call.span, str(block), given_types, problem.report, where
            )
            typing.reporter.report(report)
        return UNKNOWN
    if isinstance(result, Mismatch):
        place = max((result.argument or 1) - 1, 0)
        shown = typing.operand(operands[place], given[place], context)
        typing.reporter.report(errors.CallMismatch(text, shown, result.expected, result.found))
        return UNKNOWN
    context.calls[call] = LayerCall(function, tuple(operands), tuple(behind.instances))
    return result


def _taken(typing: Typing, layer: Layer) -> str:
    """What a layer is called with, in the brackets of a call."""
    first = layer.steps[0]
    if isinstance(first, Block):
        return ", ".join(typing.blocks.parameters(first.name))
    domains = layer.domains or ()
    return "x" if len(domains) < 2 else ", ".join(map(str, domains))


def own_layer(typing: Typing, expr: Expr, context: Context) -> Type | None:
    """The type of a layer that is written where it is applied; None for what is no layer. Outside of a block it
    is reported."""
    if context.block is not None and expr in context.block.layers:
        return context.block.layers[expr]
    if isinstance(expr, Chain):
        text, name = steps_text(expr.steps), "the layer"
    elif (word := _written(typing, expr)) is not None and word not in context.local:
        text, name = expression_text(expr), word
    else:
        return None
    why = errors.BlockFault.Why.OUTSIDE
    typing.reporter.report(errors.BlockFault(expr.span, name, why, text))
    return UNKNOWN


def _written(typing: Typing, expr: Expr) -> str | None:
    """The name of a block or of a kind of layer, with its brackets if it has some."""
    if isinstance(expr, Name):
        return expr.text if expr.text in typing.blocks.names else None
    found = sized(expr) if isinstance(expr, Call) else None
    if found is None or (
        found.kind.text in typing.symbols and found.kind.text not in typing.blocks.names
    ):
        return None
    word = found.kind.text
    return word if word in KINDS or word in typing.blocks.names else None
