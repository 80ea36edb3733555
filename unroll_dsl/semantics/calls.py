"""The type of a call: functions of the library and of the file, maps with operands, layers."""

from __future__ import annotations

from unroll_dsl.operators.model import (
    Function,
    LinearOperator,
    Mismatch,
    Parameter,
    Static,
)
from unroll_dsl.operators.registry import lookup, written
from unroll_dsl.operators.registry import names as record_names
from unroll_dsl.semantics import errors
from unroll_dsl.semantics.constants import as_dim, as_number
from unroll_dsl.semantics.errors import Operand
from unroll_dsl.semantics.infer import Inference, as_structure, operator_structure
from unroll_dsl.semantics.model import (
    DiagCall,
    FunctionCall,
    Instance,
    InstanceCall,
    LayerCall,
    OperatorCall,
    PrevCall,
    SizeCall,
    SolveCall,
    Sort,
    SplitCall,
)
from unroll_dsl.semantics.scopes import Context, Place, Reporter, near
from unroll_dsl.syntax.nodes import Argument, Call, Definition, Expr, Name, Number
from unroll_dsl.syntax.printer import expression_text
from unroll_dsl.types import (
    SCALAR,
    UNKNOWN,
    Activation,
    Array,
    Bound,
    Conv,
    Diagonal,
    Dim,
    Field,
    Form,
    Layer,
    LinearMap,
    Type,
    Unknown,
    map_forward,
)

_MOST_NESTED = 6  # functions over maps are written out where they are called, which multiplies
_SPECIAL = ("prev", "solve", "norm", "diag", "split", "size")


def infer_call(self: Inference, call: Call, context: Context) -> Type:
    """Type a call and note in `context.calls` what it turned out to be."""
    function = call.function
    if not isinstance(function, Name):
        layer = self.infer(function, context)
        return _apply_layer(self, call, function, layer, context)
    name = function.text
    symbol = self.symbols.get(name) if context.place is not Place.DEFINITION else None
    if name in context.local or (symbol is not None and symbol.sort is not Sort.DEFINITION):
        type_ = self.infer(function, context)
        return _apply_layer(self, call, function, type_, context)
    definition = self.definitions.get(name)
    if symbol is not None and definition is not None:  # the file's own come first
        return _definition_call(self, call, definition, context)
    if name in _SPECIAL:
        return _special(self, call, name, context)
    record = _record(name, call)
    match record:
        case Function():
            return _function_call(self, call, record, context)
        case LinearOperator():
            return _operator_call(self, call, record, context)
        case None:
            pass
    if definition is not None:
        return _definition_call(self, call, definition, context)
    for argument in call.arguments:
        self.infer(argument.value, context)
    if name not in self.poisoned:
        known = [*record_names(), *self.definitions, *_SPECIAL]
        known += [s.name for s in self.symbols.values() if isinstance(s.type, Layer)]
        self.reporter.report(
            errors.UnknownName(function.span, name, near(name, known), is_function=True)
        )
    return UNKNOWN


def _record(name: str, call: Call) -> Function | LinearOperator | None:
    """The record that a name calls; `max` and `min` of two arguments are elementwise."""
    if name in ("max", "min") and len([a for a in call.arguments if a.keyword is None]) == 2:
        name = {"max": "maximum", "min": "minimum"}[name]
    return written(name)


# ---- special forms ------------------------------------------------------------------------------


def _special(self: Inference, call: Call, name: str, context: Context) -> Type:
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
        return _function_call(self, call, record, context)
    if name == "solve":
        return _solve(self, call, signatures[name], context)
    if len(call.arguments) != wanted or keyword is not None:
        self.reporter.report(
            errors.WrongArgumentCount(call.span, name, signatures[name], len(call.arguments))
        )
        return UNKNOWN
    first = call.arguments[0].value
    match name:
        case "prev":
            return _prev(self, call, first, context)
        case "norm":
            return _norm(self, call, first, context)
        case "diag":
            array = self.array(first, context, "`diag`")
            if array is None:
                return UNKNOWN
            context.calls[call] = DiagCall(first)
            return LinearMap(Diagonal(array))
        case "size":
            array = self.array(first, context, "`size`")
            if array is None:
                return UNKNOWN
            product = Dim.of(1)
            for dim in array.shape:
                product = product * dim
            context.calls[call] = SizeCall(product)
            return SCALAR
        case _:
            layer = self.infer(first, context)
            if isinstance(layer, Unknown):
                return UNKNOWN
            if not isinstance(layer, Layer):
                self.reporter.report(
                    errors.CallMismatch(
                        "split", self.operand(first, layer, context), "a layer", str(layer)
                    )
                )
                return UNKNOWN
            context.calls[call] = SplitCall(first)
            return Layer(layer.steps, split=True)


def _prev(self: Inference, call: Call, argument: Expr, context: Context) -> Type:
    symbol = self.symbols.get(argument.text) if isinstance(argument, Name) else None
    states = tuple(s.name for s in self.symbols.values() if s.sort is Sort.STATE)
    if context.place is not Place.PHASE:
        self.reporter.report(
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
        if isinstance(argument, Name) and argument.text in self.poisoned:
            return UNKNOWN
        if symbol is not None:
            found = f"the {symbol.sort.value} `{symbol.name}`"
        else:
            found = f"`{expression_text(argument)}`"
        self.reporter.report(errors.PrevOfNonState(argument.span, found, states))
        return UNKNOWN
    context.calls[call] = PrevCall(symbol.name)
    context.types[argument] = symbol.type or UNKNOWN
    return symbol.type or UNKNOWN


def _solve(self: Inference, call: Call, signature: str, context: Context) -> Type:
    positional = [argument.value for argument in call.arguments if argument.keyword is None]
    if len(positional) != 2:
        self.reporter.report(
            errors.WrongArgumentCount(call.span, "solve", signature, len(positional))
        )
        return UNKNOWN
    matrix, rhs = positional
    map_type = self.infer(matrix, context)
    right = self.array(rhs, context, "`solve`")
    limits = _limits(self, call)
    if isinstance(map_type, Unknown) or right is None or limits is None:
        return UNKNOWN
    structure = as_structure(map_type)
    if structure is None:
        self.reporter.report(
            errors.SquareExpected(self.operand(matrix, map_type, context), f"this is {map_type}")
        )
        return UNKNOWN
    if isinstance(map_type, Array):
        m, n = map_type.shape
        if m != n:
            self.reporter.report(
                errors.SquareExpected(
                    self.operand(matrix, map_type, context), f"this is {map_type}"
                )
            )
            return UNKNOWN
        if right.rank == 2 and right.shape[0] == m:
            context.calls[call] = SolveCall(matrix, rhs, *limits)
            return Array(right.shape, right.field.join(map_type.field))
    result = map_forward(structure, right)
    if isinstance(result, str) or result.shape != right.shape:
        expected = result if isinstance(result, str) else f"it takes {right} to {result}"
        self.reporter.report(
            errors.CallMismatch(
                "solve",
                self.operand(rhs, right, context),
                f"a right-hand side in the space of `{expression_text(matrix)}`",
                f"{right}" if not isinstance(result, str) else f"{right} ({expected})",
            )
        )
        return UNKNOWN
    context.calls[call] = SolveCall(matrix, rhs, *limits)
    return Array(right.shape, result.field, right.form)


def _limits(self: Inference, call: Call) -> tuple[float | None, int | None] | None:
    """Tolerance and number of iterations of a `solve`; None if one is wrong."""
    found: dict[str, float] = {}
    for argument in call.arguments:
        if argument.keyword is None:
            continue
        word = argument.keyword.text
        if word not in ("tolerance", "iterations") or word in found:
            known = ("tolerance", "iterations")
            self.reporter.report(
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
            self.reporter.report(errors.NumberExpected(argument.value.span, what, shown))
            return None
        found[word] = value
    count = found.get("iterations")
    return found.get("tolerance"), None if count is None else int(count)


def _norm(self: Inference, call: Call, argument: Expr, context: Context) -> Type:
    type_ = self.infer(argument, context)
    match type_:
        case Array(shape=(_, _), form=Form.PLAIN):
            record = lookup("spectral_norm")
        case Array():
            record = lookup("norm2")
        case Unknown():
            return UNKNOWN
        case LinearMap() | Layer():
            self.reporter.report(
                errors.CallMismatch(
                    "norm",
                    self.operand(argument, type_, context),
                    "an array or a matrix",
                    str(type_),
                    "declare the norm beside the map: `fixed L : scalar > 0`",
                )
            )
            return UNKNOWN
    assert isinstance(record, Function)
    context.calls[call] = FunctionCall(record, (argument,), ())
    return SCALAR


# ---- arguments ----------------------------------------------------------------------------------


def _signature(name: str, parameters: tuple[Parameter, ...]) -> str:
    words = [
        f"{p.name}={p.default}" if p.optional or p.default is not None else p.name
        for p in parameters
    ]
    return f"{name}({', '.join(w.removesuffix('=None') for w in words)})"


def _bind(
    self: Inference, call: Call, name: str, parameters: tuple[Parameter, ...], context: Context
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
            self.reporter.report(
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
        self.reporter.report(
            errors.WrongArgumentCount(
                call.span, name, _signature(name, parameters), len(call.arguments)
            )
        )
        for argument in call.arguments:
            if not isinstance(argument.value, Name):
                self.infer(argument.value, context)
        return None
    return bound


def _static(self: Inference, expr: Expr, what: str, context: Context) -> Static | None:
    """The value of a static argument; None if it is not known while compiling, reported."""
    dims = {s.name: s for s in self.symbols.values() if s.sort is Sort.DIMENSION}
    if isinstance(expr, Name) and expr.text not in self.symbols and expr.text not in context.local:
        return expr.text
    if isinstance(expr, Call) and isinstance(expr.function, Name) and expr.function.text == "size":
        self.infer(expr, context)
        resolved = context.calls.get(expr)
        return resolved.dim if isinstance(resolved, SizeCall) else None
    visible = {} if context.place is Place.DEFINITION else dims
    dim = as_dim(expr, visible)
    if dim is None:
        self.reporter.report(errors.NumberExpected(expr.span, what, expression_text(expr)))
        return None
    return dim if dim.value is None else dim.value


def _split_arguments(
    self: Inference, call: Call, name: str, parameters: tuple[Parameter, ...], context: Context
) -> tuple[list[Expr], list[Array], dict[str, Static]] | None:
    bound = _bind(self, call, name, parameters, context)
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
                    default = parameter.default
                    statics[parameter.name] = (
                        int(default) if isinstance(default, float) else default
                    )
                continue
            value = _static(self, argument.value, f"`{parameter.name}` of `{name}`", context)
            if value is None:
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
        type_ = self.array(argument.value, context, f"`{name}`")
        if type_ is None:
            failed = True
        else:
            arrays.append(argument.value)
            types.append(type_)
    return None if failed else (arrays, types, statics)


# ---- functions and operators of the library -----------------------------------------------------


def _function_call(self: Inference, call: Call, record: Function, context: Context) -> Type:
    shown = {"maximum": "max", "minimum": "min"}.get(record.name, record.name)
    parts = _split_arguments(self, call, shown, record.parameters, context)
    if parts is None:
        return UNKNOWN
    arrays, types, statics = parts
    result = record.rule(tuple(types), statics)
    if isinstance(result, Mismatch):
        index = result.argument
        if index is None or index >= len(arrays):
            operand = Operand(call.span, result.found)
        else:
            operand = self.operand(arrays[index], types[index], context)
        self.reporter.report(
            errors.CallMismatch(shown, operand, result.expected, result.found, result.help)
        )
        return UNKNOWN
    ordered = tuple((p.name, statics[p.name]) for p in record.parameters if p.name in statics)
    context.calls[call] = FunctionCall(record, tuple(arrays), ordered)
    return result


def _operator_call(self: Inference, call: Call, record: LinearOperator, context: Context) -> Type:
    parts = _split_arguments(self, call, record.name, record.parameters, context)
    if parts is None:
        return UNKNOWN
    operands, types, statics = parts
    ordered = tuple((p.name, statics[p.name]) for p in record.parameters if p.name in statics)
    context.calls[call] = OperatorCall(record, tuple(operands), ordered)
    return LinearMap(operator_structure(record, tuple(types), dict(statics)))


# ---- layers -------------------------------------------------------------------------------------


def _apply_layer(
    self: Inference, call: Call, function: Expr, layer: Type, context: Context
) -> Type:
    if isinstance(layer, Unknown):
        for argument in call.arguments:
            self.infer(argument.value, context)
        return UNKNOWN
    text = expression_text(function)
    if not isinstance(layer, Layer):
        arguments = ", ".join(expression_text(a.value) for a in call.arguments)
        single = len(call.arguments) == 1
        is_map = as_structure(layer) is not None and single
        mend = f"apply it: `{text} @ {arguments}`" if is_map else None
        if isinstance(layer, Array) and layer.rank < 2 and single:
            mend = f"for a product write `{text} * ({arguments})`"
        for argument in call.arguments:
            self.infer(argument.value, context)
        self.reporter.report(
            errors.NotAFunction(self.operand(function, layer, context), text, mend)
        )
        return UNKNOWN
    if len(call.arguments) != 1 or call.arguments[0].keyword is not None:
        self.reporter.report(
            errors.WrongArgumentCount(call.span, text, f"{text}(x)", len(call.arguments))
        )
        return UNKNOWN
    operand = call.arguments[0].value
    array = self.array(operand, context, f"`{text}`")
    if array is None:
        return UNKNOWN
    result = layer_result(layer, array)
    if isinstance(result, str):
        self.reporter.report(
            errors.CallMismatch(text, self.operand(operand, array, context), result, str(array))
        )
        return UNKNOWN
    context.calls[call] = LayerCall(function, operand)
    return result


def layer_result(layer: Layer, argument: Array) -> Array | str:
    """The type of a layer on `argument`, or what it takes."""
    linear = all(isinstance(step, Conv) and not step.bias for step in layer.steps)
    if argument.field is Field.COMPLEX and not (linear or layer.split):
        return "a real image (`split(...)` acts on real and imaginary parts alike)"
    current = argument
    for step in layer.steps:
        match step:
            case Conv(channels_in, channels_out):
                if current.rank != 3 or current.shape[0] != channels_in:
                    return f"an image of {channels_in} channels"
                current = Array((channels_out, *current.shape[1:]), current.field, Form.IMAGE)
            case Bound(domain, codomain):
                if domain.shape != current.shape:
                    return str(domain)
                current = codomain
            case Activation():
                pass
    return current


# ---- functions of the file and of the prelude ---------------------------------------------------


def _definition_call(self: Inference, call: Call, definition: Definition, context: Context) -> Type:
    name = definition.name.text
    if definition in context.stack:
        self.reporter.report(errors.RecursiveDefinition(call.span, name))
        return UNKNOWN
    parameters = tuple(Parameter(p.name.text) for p in definition.parameters)
    bound = _bind(self, call, name, parameters, context)
    if bound is None:
        return UNKNOWN
    arrays = [bound[p.name].value for p in parameters]
    types = [self.infer(array, context) for array in arrays]
    if any(isinstance(type_, Unknown) for type_ in types):
        return UNKNOWN
    over_maps = any(not isinstance(type_, Array) for type_ in types)
    if over_maps and len(context.stack) >= _MOST_NESTED:
        operands = tuple(self.operand(e, t, context) for e, t in zip(arrays, types, strict=True))
        reason = f"functions over maps call each other at most {_MOST_NESTED} deep"
        self.reporter.report(
            errors.CallDoesNotType(call.span, name, operands, reason, definition.name.span)
        )
        return UNKNOWN
    key = (definition, tuple(types))
    if key not in self.instances:
        instance, problem = _instantiate(self, definition, tuple(types), context)
        if problem is not None:
            operands = tuple(
                self.operand(e, t, context) for e, t in zip(arrays, types, strict=True)
            )
            self.reporter.report(
                errors.CallDoesNotType(call.span, name, operands, problem, definition.name.span)
            )
            return UNKNOWN
        self.instances[key] = instance
    instance = self.instances[key]
    context.calls[call] = InstanceCall(instance, tuple(arrays))
    return instance.result


def _instantiate(
    self: Inference, definition: Definition, types: tuple[Type, ...], context: Context
) -> tuple[Instance, str | None]:
    """The body of a definition typed for these arguments, and what is wrong with it, if anything.

    In the file's own definitions mistakes that no argument could mend (an unknown name, a call of
    itself) are reported where they stand.
    """
    outer, self.reporter = self.reporter, Reporter()
    inner = Context(
        Place.DEFINITION,
        {},
        {},
        {p.name.text: t for p, t in zip(definition.parameters, types, strict=True)},
        {p.name.text: p.span for p in definition.parameters},
        stack=(*context.stack, definition),
    )
    try:
        for local in definition.locals:
            inner.local[local.name.text] = self.infer(local.value, inner)
            inner.local_spans[local.name.text] = local.name.span
        result = self.infer(definition.value, inner)
        found = self.reporter.diagnostics
    finally:
        self.reporter = outer
    problem = None
    for diagnostic in found:
        if diagnostic.code.startswith("U02") or isinstance(diagnostic, errors.CallDoesNotType):
            self.reporter.report(diagnostic)
            result = UNKNOWN
        else:
            problem = problem or diagnostic.message()
    instance = Instance(definition, types, inner.types, inner.calls, result)
    return instance, problem
