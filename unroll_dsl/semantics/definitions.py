"""Functions of the file and of the prelude: checked with the types of each call."""

from __future__ import annotations

from unroll_dsl.operators.model import Parameter
from unroll_dsl.semantics import errors
from unroll_dsl.semantics.arguments import bind
from unroll_dsl.semantics.model import FunctionInstance, InstanceCall
from unroll_dsl.semantics.scopes import Context, Place, Reporter
from unroll_dsl.semantics.typing import Typing
from unroll_dsl.syntax.nodes import Call, Definition
from unroll_dsl.types import UNKNOWN, Array, Type, Unknown

_MOST_NESTED = 6  # functions over maps are written out where they are called, which multiplies
_MOST_DEEP = 40  # functions that call each other
_MOST_CALLS = 4096  # of functions by one call: two of each other double with every definition


def definition_call(typing: Typing, call: Call, definition: Definition, context: Context) -> Type:
    name = definition.name.text
    if definition in context.stack:
        typing.reporter.report(errors.RecursiveDefinition(call.span, name))
        return UNKNOWN
    parameters = tuple(Parameter(p.name.text) for p in definition.parameters)
    bound = bind(typing, call, name, parameters, context)
    if bound is None:
        return UNKNOWN
    arrays = [bound[p.name].value for p in parameters]
    types = [typing.infer(array, context) for array in arrays]
    if any(isinstance(type_, Unknown) for type_ in types):
        return UNKNOWN
    over_maps = any(not isinstance(type_, Array) for type_ in types)

    def refused(reason: str) -> Type:
        operands = tuple(typing.operand(e, t, context) for e, t in zip(arrays, types, strict=True))
        typing.reporter.report(
            errors.CallDoesNotType(call.span, name, operands, reason, definition.name.span)
        )
        return UNKNOWN

    if over_maps and len(context.stack) >= _MOST_NESTED:
        return refused(f"functions over maps call each other at most {_MOST_NESTED} deep")
    if len(context.stack) >= _MOST_DEEP:
        return refused(f"functions call each other at most {_MOST_DEEP} deep")
    key = (definition, tuple(types))
    if key not in typing.instances:
        instance, problem = _instantiate(typing, definition, tuple(types), context)
        if problem is not None:
            return refused(problem)
        if instance.invoked > _MOST_CALLS:
            return refused(
                f"it calls {instance.invoked:,} functions in all, at most {_MOST_CALLS:,}"
            )
        typing.instances[key] = instance
    instance = typing.instances[key]
    context.calls[call] = InstanceCall(instance, tuple(arrays))
    return instance.result


def _instantiate(
    typing: Typing, definition: Definition, types: tuple[Type, ...], context: Context
) -> tuple[FunctionInstance, str | None]:
    """The body of a definition typed for these arguments, and what is wrong with it, if anything.

    In the file's own definitions mistakes that no argument could mend (an unknown name, a call of
    itself) are reported where they stand.
    """
    body = typing.apart(Reporter())
    inner = Context(
        Place.DEFINITION,
        {},
        {},
        {p.name.text: t for p, t in zip(definition.parameters, types, strict=True)},
        {p.name.text: p.span for p in definition.parameters},
        stack=(*context.stack, definition),
    )
    for local in definition.locals:
        inner.local[local.name.text] = body.infer(local.value, inner)
        inner.local_spans[local.name.text] = local.name.span
    result = body.infer(definition.value, inner)
    problem = None
    for diagnostic in body.reporter.diagnostics:
        if diagnostic.code.startswith("U02") or isinstance(diagnostic, errors.CallDoesNotType):
            typing.reporter.report(diagnostic)
            result = UNKNOWN
        else:
            problem = problem or diagnostic.message()
    invoked = 1 + sum(
        made.instance.invoked for made in inner.calls.values() if isinstance(made, InstanceCall)
    )
    instance = FunctionInstance(definition, types, inner.types, inner.calls, result, invoked)
    return instance, problem
