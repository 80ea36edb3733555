"""Functions of the file and of the prelude: checked with the types of each call."""

from __future__ import annotations

from unroll_dsl.operators.model import Parameter
from unroll_dsl.semantics import errors
from unroll_dsl.semantics.arguments import bind
from unroll_dsl.semantics.model import FunctionInstance, InstanceCall, ValueCall
from unroll_dsl.semantics.scopes import Context, Place, Reporter
from unroll_dsl.semantics.typing import Typing
from unroll_dsl.syntax.nodes import AT, OF, Call, Definition, Expr, Name, Number
from unroll_dsl.syntax.printer import by_call
from unroll_dsl.types import UNKNOWN, Array, Type, Unknown

_MOST_NESTED = 6  # functions over maps are written out where they are called, which multiplies
_MOST_DEEP = 40  # functions that call each other
_MOST_CALLS = 4096  # of functions by one call: two of each other double with every definition


def definition_call(typing: Typing, call: Call, definition: Definition, context: Context) -> Type:
    """The type of a call of a `def` that returns one value."""
    results = _results(typing, call, definition, context)
    if len(definition.values) > 1:
        why = errors.SeveralValues.Why.TOGETHER
        name, returned = definition.name.text, len(definition.values)
        report = errors.SeveralValues(call.span, name, returned, 1, why, definition.name.span)
        typing.reporter.report(report)
        return UNKNOWN
    return results[0]


def several(typing: Typing, expr: Expr, context: Context) -> Definition | None:
    """The `def` of several values that an expression calls; None where it is anything else."""
    match expr:
        case Call(Name(name)) if name not in context.local:
            definition = typing.definitions.get(name)
        case _:
            return None
    return definition if definition is not None and len(definition.values) > 1 else None


def value_of(typing: Typing, call: Call, definition: Definition, context: Context) -> Type:
    """The type of one of several values: `f(x)[1]`, or a name of `a, b = f(x)`."""
    taken, *places = call.arguments
    assert isinstance(taken.value, Call)
    given = {place.keyword.text: place.value for place in places if place.keyword}
    at, names = given.get(AT), given.get(OF)
    name, returned = definition.name.text, len(definition.values)
    Why = errors.SeveralValues.Why
    why, named = None, 1
    if isinstance(names, Number) and names.value != returned:
        why, named = Why.COUNT, int(names.value)
    elif (
        len(given) - (names is not None) != 1
        or not isinstance(at, Number)
        or at.value not in range(1, returned + 1)
    ):
        why = Why.PLACE
    if why is not None:
        place = call.function.span
        report = errors.SeveralValues(place, name, returned, named, why, definition.name.span)
        typing.reporter.report(report)
        return UNKNOWN
    assert isinstance(at, Number)
    results = _results(typing, taken.value, definition, context)
    context.calls[call] = ValueCall(taken.value, int(at.value) - 1)
    return results[int(at.value) - 1]


def _results(
    typing: Typing, call: Call, definition: Definition, context: Context
) -> tuple[Type, ...]:
    """The types of the values that a call of a `def` returns."""
    unknown = (UNKNOWN,) * len(definition.values)
    name = definition.name.text
    if definition in context.stack:
        typing.reporter.report(errors.RecursiveDefinition(call.span, name))
        return unknown
    parameters = tuple(Parameter(p.name.text) for p in definition.parameters)
    bound = bind(typing, call, name, parameters, context)
    if bound is None:
        return unknown
    arrays = [bound[p.name].value for p in parameters]
    types = [typing.infer(array, context) for array in arrays]
    if any(isinstance(type_, Unknown) for type_ in types):
        return unknown
    over_maps = any(not isinstance(type_, Array) for type_ in types) or len(unknown) > 1

    def refused(reason: str) -> tuple[Type, ...]:
        operands = tuple(typing.operand(e, t, context) for e, t in zip(arrays, types, strict=True))
        typing.reporter.report(
            errors.CallDoesNotType(call.span, name, operands, reason, definition.name.span)
        )
        return unknown

    if over_maps and len(context.stack) >= _MOST_NESTED:
        return refused(
            f"functions over maps, or of several values, call each other at most {_MOST_NESTED} deep"
        )
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
    return instance.results


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
    for lines in by_call(definition.locals):
        found = [body.infer(local.value, inner) for local in lines]
        for local, type_ in zip(lines, found, strict=True):
            inner.local[local.name.text] = type_
            inner.local_spans[local.name.text] = local.name.span
    results = tuple(body.infer(value, inner) for value in definition.values)
    problem = None
    for diagnostic in body.reporter.diagnostics:
        if diagnostic.code.startswith("U02") or isinstance(diagnostic, errors.CallDoesNotType):
            typing.reporter.report(diagnostic)
            results = (UNKNOWN,) * len(results)
        else:
            problem = problem or diagnostic.message()
    invoked = 1 + sum(
        made.instance.invoked for made in inner.calls.values() if isinstance(made, InstanceCall)
    )
    instance = FunctionInstance(definition, types, inner.types, inner.calls, results, invoked)
    return instance, problem
