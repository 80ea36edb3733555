"""Calls of the library: functions by their records, and linear operators with their operands."""

from __future__ import annotations

from unroll_dsl.operators.model import Function, LinearOperator
from unroll_dsl.semantics import errors, mends
from unroll_dsl.semantics.arguments import split_arguments, spread
from unroll_dsl.semantics.arithmetic import fault
from unroll_dsl.semantics.errors import Operand
from unroll_dsl.semantics.model import FunctionCall, OperatorCall
from unroll_dsl.semantics.scopes import Context
from unroll_dsl.semantics.typing import Typing
from unroll_dsl.syntax.nodes import Call
from unroll_dsl.types import UNKNOWN, LinearMap, Mismatch, Type


def function_call(typing: Typing, call: Call, record: Function, context: Context) -> Type:
    shown = {"maximum": "max", "minimum": "min"}.get(record.name, record.name)
    parameters = spread(record.parameters, call)
    parts = split_arguments(typing, call, shown, parameters, context)
    if parts is None:
        return UNKNOWN
    arrays, types, statics = parts
    result = record.rule(tuple(types), statics)
    if isinstance(result, Mismatch):
        index = result.argument
        if index is None or index >= len(arrays):
            operand = Operand(call.span, result.found)
        else:
            operand = typing.operand(arrays[index], types[index], context)
        mend = result.help or mends.of_inner_product(shown, arrays, types)
        typing.reporter.report(
            errors.CallMismatch(shown, operand, result.expected, result.found, mend)
        )
        return UNKNOWN
    problem = fault(typing, call, context)
    if problem is not None:
        typing.reporter.report(problem)
        return UNKNOWN
    ordered = tuple((p.name, statics[p.name]) for p in record.parameters if p.name in statics)
    context.calls[call] = FunctionCall(record, tuple(arrays), ordered)
    return result


def operator_call(typing: Typing, call: Call, record: LinearOperator, context: Context) -> Type:
    parts = split_arguments(typing, call, record.name, record.parameters, context)
    if parts is None:
        return UNKNOWN
    operands, types, statics = parts
    ordered = tuple((p.name, statics[p.name]) for p in record.parameters if p.name in statics)
    context.calls[call] = OperatorCall(record, tuple(operands), ordered)
    return LinearMap(record.map_of(tuple(types), statics))
