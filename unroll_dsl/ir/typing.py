"""The type of a node, from its operation and the types of its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from unroll_dsl.ir.graph import FunctionBody
from unroll_dsl.ir.nodes import (
    AddMap,
    AdjointMap,
    Apply,
    ApplyLayer,
    Argument,
    Builtin,
    ComposeMap,
    Constant,
    Contract,
    ConvolveFew,
    ConvolvePair,
    DiagonalMap,
    Elementwise,
    Expand,
    Eye,
    Final,
    Fixed,
    IdentityMap,
    Input,
    Invoke,
    LayerSteps,
    Learnable,
    Op,
    Operator,
    PairKernel,
    PhaseNumber,
    PhaseSum,
    ScaleMap,
    Size,
    Solve,
    SplitLayer,
    State,
    Target,
    Traced,
    Transpose,
    Variable,
)
from unroll_dsl.operators.model import Function, LinearOperator, Mismatch, Static
from unroll_dsl.operators.registry import lookup
from unroll_dsl.types import (
    IDENTITY,
    SCALAR,
    Array,
    Composed,
    Conv,
    Declared,
    Diagonal,
    Dim,
    Field,
    Form,
    Layer,
    LinearMap,
    Structure,
    Summed,
    Type,
    adjoint,
    broadcast,
    map_forward,
    spreads,
)
from unroll_dsl.types.model import Builtin as BuiltinStructure

Found = Type | str | None


def result_type(
    op: Op, args: tuple[Type, ...], claimed: Type | None, functions: Mapping[str, FunctionBody]
) -> Found:
    """The type that `op` gives to `args`.

    A string says why the arguments do not fit. None: this follows from the declaration (leaves) or
    from `claimed` alone (`Expand`, `Eye`).
    """
    match op:
        case Constant() | Size() | PhaseNumber():
            return SCALAR if not args else "takes no argument"
        case (
            Input()
            | Fixed()
            | Learnable()
            | State()
            | Final()
            | Target()
            | Traced()
            | Variable()
            | Argument()
        ):
            return None if not args else "takes no argument"
        case Elementwise(name):
            return _record_type(name, {}, args, elementwise=True)
        case Builtin(name, statics):
            return _record_type(name, dict(statics), args, elementwise=False)
        case Invoke(name):
            return _invoke(name, args, functions)
        case Expand():
            return _expand(args, claimed)
        case Eye():
            square = isinstance(claimed, Array) and claimed.rank == 2 and not args
            return None if square else "is a matrix"
        case Transpose():
            match args:
                case (Array(shape=(m, n), field=field),):
                    return Array((n, m), field)
                case _:
                    return "takes a matrix"
        case Contract():
            return _contract(args)
        case Apply():
            match args:
                case (LinearMap(structure), Array() as argument):
                    return map_forward(structure, argument)
                case _:
                    return "takes a map and an array"
        case Solve():
            return _solve(args)
        case ApplyLayer():
            return _apply_layer(args)
        case PhaseSum():
            return SCALAR if args == (SCALAR,) else "takes a real scalar"
        case Operator(name, statics):
            return _operator(name, dict(statics), args)
        case IdentityMap():
            return IDENTITY if not args else "takes no argument"
        case DiagonalMap() | AdjointMap() | ComposeMap() | AddMap() | ScaleMap():
            return _map(op, args)
        case ConvolveFew():
            return _apply_layer(args)
        case ConvolvePair():
            return _pair(args)
        case PairKernel():
            return _pair_kernel(args)
        case LayerSteps(start, stop):
            return _steps(args, start, stop)
        case SplitLayer():
            match args:
                case (Layer(steps),):
                    return Layer(steps, split=True)
                case _:
                    return "takes a layer"
        case _:
            assert_never(op)


def as_structure(type_: Type) -> Structure | None:
    """The linear map that a value of this type is; matrices are maps."""
    match type_:
        case LinearMap(structure):
            return structure
        case Array(shape=(m, n), field=field, form=Form.PLAIN):
            return Declared(Array((n,), field), Array((m,), field))
        case _:
            return None


# ---- values -------------------------------------------------------------------------------------


def _record_type(
    name: str, statics: dict[str, Static], args: tuple[Type, ...], *, elementwise: bool
) -> Found:
    record = lookup(name)
    if not isinstance(record, Function):
        return f"no function record is named `{name}`"
    if elementwise != (record.kind.value == "elementwise"):
        return f"`{name}` is of kind {record.kind.value}"
    arrays = tuple(type_ for type_ in args if isinstance(type_, Array))
    if len(arrays) != len(args):
        return f"`{name}` takes arrays"
    found = record.rule(arrays, statics)
    if isinstance(found, Mismatch):
        return f"expected {found.expected}, found {found.found}"
    return found


def _invoke(name: str, args: tuple[Type, ...], functions: Mapping[str, FunctionBody]) -> Found:
    body = functions.get(name)
    if body is None:
        return f"no function is named `{name}`, or it comes later"
    if len(args) != len(body.parameters) or not all(isinstance(a, Array) for a in args):
        return f"`{name}` takes {len(body.parameters)} arrays"
    if tuple(type_ for _, type_ in body.parameters) == args:
        return body.nodes[body.result].type
    return None  # a body serves all dimensions of the ranks that it was written for


def _expand(args: tuple[Type, ...], claimed: Type | None) -> Found:
    match args, claimed:
        case (Array() as inner,), Array() as outer:
            common = broadcast(inner, outer)
            fills = (common is not None and common.shape == outer.shape) or spreads(inner, outer)
            if fills and inner.field.value <= outer.field.value:
                return None
            return f"{inner} cannot fill {outer}"
        case _:
            return "spreads an array"


def _contract(args: tuple[Type, ...]) -> Found:
    match args:
        case Array() as first, Array() as second:
            pass
        case _:
            return "takes two arrays"
    if first.rank == 0 or second.rank == 0 or first.shape[-1] != second.shape[0]:
        return f"{first} and {second} have no axis in common"
    shape = first.shape[:-1] + second.shape[1:]
    form = second.form if len(shape) == second.rank else Form.PLAIN
    return Array(shape, first.field.join(second.field).join(Field.REAL), form)


def _solve(args: tuple[Type, ...]) -> Found:
    match args[:2]:
        case Array(shape=(m, n), field=field), Array() as rhs:
            if m != n or rhs.rank == 0 or rhs.shape[0] != n:
                return f"a {args[0]} cannot be solved for {rhs}"
            return Array(rhs.shape, rhs.field.join(field), rhs.form)
        case LinearMap(structure), Array() as rhs:
            reached = map_forward(structure, rhs)
            if isinstance(reached, str):
                return reached
            if reached.shape != rhs.shape:
                return f"the map takes {rhs} to {reached}"
            return Array(rhs.shape, reached.field, rhs.form)
        case _:
            return "takes a matrix or a map, and an array"


def _apply_layer(args: tuple[Type, ...]) -> Found:
    from unroll_dsl.semantics.calls import layer_result

    match args:
        case (Layer() as layer, Array() as argument):
            found = layer_result(layer, argument)
            return f"expected {found}, found {argument}" if isinstance(found, str) else found
        case _:
            return "takes a layer and an array"


def _pair(args: tuple[Type, ...]) -> Found:
    match args:
        case (Layer() as first, Layer() as second, Array() as x, *rest) if len(rest) <= 1:
            return _apply_layer((Layer((*first.steps, *second.steps)), x))
        case _:
            return "takes two layers and an array"


def _pair_kernel(args: tuple[Type, ...]) -> Found:
    match args:
        case (Layer(steps=(Conv() as first,)), Layer(steps=(Conv() as second,))):
            return Array((second.channels_out, first.channels_in, Dim.of(5), Dim.of(5)))
        case _:
            return "takes two convolutions"


def _steps(args: tuple[Type, ...], start: int, stop: int) -> Found:
    match args:
        case (Layer(steps, split),) if 0 <= start < stop <= len(steps):
            return Layer(steps[start:stop], split)
        case _:
            return f"takes a layer of at least {stop} steps"


# ---- maps ---------------------------------------------------------------------------------------


def _operator(name: str, statics: dict[str, Static], args: tuple[Type, ...]) -> Found:
    record = lookup(name)
    if not isinstance(record, LinearOperator):
        return f"no linear operator is named `{name}`"
    return LinearMap(operator_structure(record, args, statics))


def operator_structure(
    record: LinearOperator, operands: tuple[Type, ...], statics: dict[str, Static]
) -> BuiltinStructure:
    from unroll_dsl.semantics.infer import operator_structure as structure

    return structure(record, operands, dict(statics))


def _map(
    op: DiagonalMap | AdjointMap | ComposeMap | AddMap | ScaleMap, args: tuple[Type, ...]
) -> Found:
    if isinstance(op, DiagonalMap):
        match args:
            case (Array() as diagonal,):
                return LinearMap(Diagonal(diagonal))
            case _:
                return "takes an array"
    if isinstance(op, ScaleMap):
        match args:
            case (Array(shape=()), LinearMap()):
                return args[1]
            case _:
                return "takes a scalar and a map"
    structures = [as_structure(type_) for type_ in args]
    match op, structures:
        case AdjointMap(), [of] if of is not None:
            return LinearMap(adjoint(of))
        case ComposeMap(), [outer, inner] if outer is not None and inner is not None:
            return LinearMap(Composed(outer, inner))
        case AddMap(), [left, right] if left is not None and right is not None:
            return LinearMap(Summed(left, right))
        case _:
            return "takes one map" if isinstance(op, AdjointMap) else "takes two maps"
