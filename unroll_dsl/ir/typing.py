"""The type of a node, from its operation and the types of its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from unroll_dsl.ir.graph import FunctionBody
from unroll_dsl.ir.nodes import (
    AddMap,
    AdjointMap,
    Apply,
    ApplyLayer,
    Argument,
    BlockLayer,
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
    IdentityMap,
    Invoke,
    LayerSteps,
    Named,
    Op,
    Operator,
    PairKernel,
    PhaseNumber,
    PhaseSum,
    ScaleMap,
    Size,
    Solve,
    SplitLayer,
    Transpose,
)
from unroll_dsl.operators.model import Function, LinearOperator, Static
from unroll_dsl.operators.registry import lookup
from unroll_dsl.types import (
    IDENTITY,
    SCALAR,
    Array,
    Block,
    Conv,
    Dim,
    Layer,
    LinearMap,
    Mismatch,
    Type,
    adjoint,
    algebra,
)
from unroll_dsl.types.layering import layered

Found = Type | str | None
_Combining = (
    Expand
    | Transpose
    | Contract
    | Apply
    | Solve
    | ApplyLayer
    | ConvolveFew
    | DiagonalMap
    | AdjointMap
    | ComposeMap
    | AddMap
    | ScaleMap
)


_TAKES: dict[type[_Combining], str] = {
    Expand: "spreads an array",
    Transpose: "takes a matrix",
    Contract: "takes two arrays",
    Apply: "takes a map and an array",
    Solve: "takes a matrix or a map, and an array",
    ApplyLayer: "takes a layer and arrays",
    ConvolveFew: "takes a layer and an array",
    DiagonalMap: "takes an array",
    AdjointMap: "takes one map",
    ComposeMap: "takes two maps",
    AddMap: "takes two maps",
    ScaleMap: "takes a scalar and a map",
}


_Declared = Named | Argument | BlockLayer


def result_type(
    op: Op, args: tuple[Type, ...], claimed: Type | None, functions: Mapping[str, FunctionBody]
) -> Found:
    """The type that `op` gives to `args`.

    A string says why the arguments do not fit. None: this follows from the declaration (leaves) or
    from `claimed` alone (`Expand`, `Eye`).
    """
    if isinstance(op, _Declared):
        return None if not args else "takes no argument"
    match op:
        case Constant() | Size() | PhaseNumber():
            return SCALAR if not args else "takes no argument"
        case Elementwise(name):
            return _record_type(name, {}, args, elementwise=True)
        case Builtin(name, statics):
            return _record_type(name, dict(statics), args, elementwise=False)
        case Invoke(name):
            return _invoke(name, args, functions)
        case Expand() if len(args) == 1 and claimed is not None:
            filled = algebra.spread(args[0], claimed)
            return str(filled) if isinstance(filled, Mismatch) else None
        case Eye():
            square = isinstance(claimed, Array) and claimed.rank == 2 and not args
            return None if square else "is a matrix"
        case PhaseSum():
            return SCALAR if args == (SCALAR,) else "takes a real scalar"
        case Operator(name, statics):
            return _operator(name, dict(statics), args)
        case IdentityMap():
            return IDENTITY if not args else "takes no argument"
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
            return _combined(op, args, functions)


def _combined(
    op: _Combining, args: tuple[Type, ...], functions: Mapping[str, FunctionBody]
) -> Found:
    """What the algebra of types says."""
    found: Type | Mismatch
    match op, args:
        case Transpose(), (Array(rank=2) as matrix,):
            found = algebra.transposed(matrix)
        case Contract(), (Array() as first, Array() as second):
            found = algebra.contracted(first, second)
        case Apply(), (LinearMap(structure), Array() as argument):
            found = algebra.applied(structure, argument)
        case Solve(), (matrix, rhs, *_):
            found = algebra.solved(matrix, rhs)
        case ((ApplyLayer() | ConvolveFew()), (layer, argument, *more)):
            found = layered(layer, argument, *more, behind=partial(behind, functions))
        case DiagonalMap(), (entries,):
            found = algebra.diagonal(entries)
        case AdjointMap(), (of,):
            structure_ = algebra.as_structure(of)
            if structure_ is None:
                return f"{of} is no map"
            return LinearMap(adjoint(structure_))
        case ComposeMap(), (outer, inner):
            found = algebra.composed_map(outer, inner)
        case AddMap(), (left, right):
            found = algebra.added_map(left, right)
        case ScaleMap(), (factor, map_):
            found = algebra.scaled(factor, map_)
        case _:
            return _TAKES[type(op)]
    return str(found) if isinstance(found, Mismatch) else found


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


def behind(
    functions: Mapping[str, FunctionBody], block: Block, arguments: tuple[Array, ...]
) -> Array | Mismatch:
    """What a block makes of arrays: the type of its body, which is typed anew for others than its own."""
    body = functions.get(block.key)
    if body is None:
        return Mismatch(None, "a block of the graph", str(block))
    result: Type | str = body.nodes[body.result].type
    if tuple(type_ for _, type_ in body.parameters) != arguments:
        result = _retyped(body, arguments, functions)
    if not isinstance(result, Array):
        return Mismatch(None, f"what block `{block}` takes", str(result))
    return result


def _retyped(
    body: FunctionBody, arguments: tuple[Array, ...], functions: Mapping[str, FunctionBody]
) -> Type | str:
    own = [array for _, array in body.parameters]
    sizes = {
        next(iter(mine.symbols)): dim
        for array, given in zip(own, arguments, strict=True)
        for mine, dim in zip(array.shape, given.shape, strict=False)
        if len(mine.symbols) == 1 and mine == Dim.of(next(iter(mine.symbols)))
    }
    types: list[Type] = []
    for node in body.nodes:
        args = tuple(types[a] for a in node.args)
        match node.op:
            case Argument(index):
                types.append(arguments[index])
                continue
            case BlockLayer():
                types.append(node.type)
                continue
        claimed = node.type
        if isinstance(claimed, Array):
            claimed = replace(claimed, shape=tuple(d.substitute(sizes) for d in claimed.shape))
        type_ = result_type(node.op, args, claimed, functions)
        if isinstance(type_, str):
            return type_
        types.append(claimed if type_ is None else type_)
    return types[body.result]


def _pair(args: tuple[Type, ...]) -> Found:
    match args:
        case (Layer() as first, Layer() as second, Array() as x, *rest) if len(rest) <= 1:
            found = layered(Layer((*first.steps, *second.steps)), x)
            return str(found) if isinstance(found, Mismatch) else found
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


def _operator(name: str, statics: dict[str, Static], args: tuple[Type, ...]) -> Found:
    record = lookup(name)
    if not isinstance(record, LinearOperator):
        return f"no linear operator is named `{name}`"
    return LinearMap(record.map_of(args, statics))
