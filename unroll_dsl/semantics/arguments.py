"""Which argument of a call is which parameter, and what is known of it while compiling."""

from __future__ import annotations

from unroll_dsl.near import near
from unroll_dsl.operators.model import Parameter, Static
from unroll_dsl.semantics import errors
from unroll_dsl.semantics.constants import as_dim
from unroll_dsl.semantics.model import SizeCall
from unroll_dsl.semantics.scopes import Context, sizes_seen
from unroll_dsl.semantics.typing import Typing
from unroll_dsl.syntax.expressions import Level, expression_text
from unroll_dsl.syntax.foreign import padding_instead
from unroll_dsl.syntax.nodes import LIST, Argument, Call, Expr, Name, Number
from unroll_dsl.types import SCALAR, Array, SizeTooLong


def _signature(name: str, parameters: tuple[Parameter, ...]) -> str:
    words = [
        f"{p.name}={p.default}" if p.optional or p.default is not None else p.name
        for p in parameters
    ]
    return f"{name}({', '.join(w.removesuffix('=None') for w in words)})"


def bind(
    typing: Typing, call: Call, name: str, parameters: tuple[Parameter, ...], context: Context
) -> dict[str, Argument] | None:
    """Arguments by parameter name; None if they do not match, reported."""
    bound: dict[str, Argument] = {}
    positional = [p.name for p in parameters]
    failed = False
    for argument in call.arguments:
        if argument.keyword is None:
            free = [p for p in positional if p not in bound]
            if not free:
                failed = True
                break
            bound[free[0]] = argument
        elif argument.keyword.text not in positional or argument.keyword.text in bound:
            word = argument.keyword.text
            typing.reporter.report(
                errors.UnknownKeyword(
                    argument.keyword.span,
                    name,
                    word,
                    tuple(positional),
                    near(word, positional),
                    twice=word in bound,
                )
            )
            return None
        else:
            bound[argument.keyword.text] = argument
    missing = [
        p for p in parameters if p.name not in bound and not p.optional and p.default is None
    ]
    if failed or missing:
        mend = None
        if not parameters and len(call.arguments) == 1:  # `fft2(x)`
            mend = f"apply it: `{name} @ {expression_text(call.arguments[0].value, Level.SIGNED)}`"
        typing.reporter.report(
            errors.WrongArgumentCount(
                call.span, name, _signature(name, parameters), len(call.arguments), mend
            )
        )
        for argument in call.arguments:
            if not isinstance(argument.value, Name):
                typing.infer(argument.value, context)
        return None
    return bound


def static(typing: Typing, expr: Expr, what: str, context: Context) -> Static | None:
    """The value of a static argument; None if it is not known while compiling, reported."""
    seen = sizes_seen(context, typing.symbols)
    if (
        isinstance(expr, Name)
        and expr.text not in typing.symbols
        and expr.text not in context.local
        and expr.text not in seen
    ):
        return expr.text
    if isinstance(expr, Call) and isinstance(expr.function, Name) and expr.function.text == LIST:
        items = [static(typing, a.value, what, context) for a in expr.arguments]
        if any(item is None for item in items):
            return None
        if all(isinstance(item, int) for item in items):
            return tuple(item for item in items if isinstance(item, int))
        text = expression_text(expr)
        typing.reporter.report(errors.NumberExpected(expr.span, what, text))
        return None
    if isinstance(expr, Call) and isinstance(expr.function, Name) and expr.function.text == "size":
        typing.infer(expr, context)
        resolved = context.calls.get(expr)
        return resolved.dim if isinstance(resolved, SizeCall) else None
    try:
        dim = as_dim(expr, seen)
    except SizeTooLong as error:
        typing.reporter.report(errors.SizeWithoutEnd(expr.span, str(error)))
        return None
    if dim is None:
        typing.reporter.report(errors.NumberExpected(expr.span, what, expression_text(expr)))
        return None
    dim = dim.substitute(seen)
    return dim if dim.value is None else dim.value


def _whole(default: Static | float) -> Static:
    return int(default) if isinstance(default, float) else default


def spread(parameters: tuple[Parameter, ...], call: Call) -> tuple[Parameter, ...]:
    """A parameter of many arguments as one for each that the call gives."""
    if not any(p.many for p in parameters):
        return parameters
    given = sum(a.keyword is None for a in call.arguments)
    many = tuple(Parameter(f"x{i + 1}") for i in range(max(given, 1)))
    return tuple(each for p in parameters for each in (many if p.many else (p,)))


def _is_word(
    typing: Typing, parameter: Parameter, value: Static, name: str, argument: Argument
) -> bool:
    """Whether a static is one of the words that there are, reported where it is none."""
    known = parameter.words
    if not known or value in known:
        return True
    word = str(value)
    close = padding_instead(word, known) or near(word, known)
    mend = None
    if name == "grad" and argument.keyword is None:
        mend = (
            "`grad @ x` takes differences of an image; the gradient of a function is written out, "
            "or derived from a `problem`"
        )
    typing.reporter.report(
        errors.UnknownWord(argument.value.span, word, parameter.name, known, close, mend)
    )
    return False


def split_arguments(
    typing: Typing, call: Call, name: str, parameters: tuple[Parameter, ...], context: Context
) -> tuple[list[Expr], list[Array], dict[str, Static]] | None:
    bound = bind(typing, call, name, parameters, context)
    if bound is None:
        return None
    arrays: list[Expr] = []
    types: list[Array] = []
    statics: dict[str, Static] = {}
    failed = False
    for parameter in parameters:
        argument = bound.get(parameter.name)
        if parameter.static:
            if argument is None:
                if parameter.default is not None:
                    statics[parameter.name] = _whole(parameter.default)
                continue
            value = static(typing, argument.value, f"`{parameter.name}` of `{name}`", context)
            if value is None or not _is_word(typing, parameter, value, name, argument):
                failed = True
            else:
                statics[parameter.name] = value
            continue
        if argument is None:
            if isinstance(parameter.default, int | float):
                arrays.append(Number(parameter.default, call.span))
                context.types[arrays[-1]] = SCALAR
                types.append(SCALAR)
            continue
        type_ = typing.array(argument.value, context, f"`{name}`")
        if type_ is None:
            failed = True
        else:
            arrays.append(argument.value)
            types.append(type_)
    return None if failed else (arrays, types, statics)
