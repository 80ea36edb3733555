"""What a network costs: operator applications, operations and bytes, for one sample.

Operations count as in textbooks: a product of an m-by-n matrix with a vector is 2 m n, an
elementwise function one an entry, factorisations their leading terms (Golub, Van Loan, Matrix
Computations, 4th ed., chapters 4, 5 and 8). Complex arithmetic counts four times for products,
twice elsewhere. Bytes are those that each operation reads and writes, as if none were fused. Maps
and networks bound from outside, and operators of the library, count as applications alone: what
they cost is theirs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from unroll_dsl.ir.graph import FunctionBody, Graph
from unroll_dsl.ir.nodes import (
    AdjointMap,
    Apply,
    ApplyLayer,
    Builtin,
    Contract,
    ConvolveFew,
    ConvolvePair,
    Elementwise,
    Eye,
    Fixed,
    Input,
    Invoke,
    LayerSteps,
    Learnable,
    Node,
    Operator,
    Solve,
    Stage,
    State,
    Transpose,
)
from unroll_dsl.ir.stages import reachable, roots, stages
from unroll_dsl.ir.typing import behind
from unroll_dsl.passes.analysis.counts import Count
from unroll_dsl.passes.analysis.layer_cost import layer_flops
from unroll_dsl.passes.analysis.liveness import liveness
from unroll_dsl.types import Array, Block, Conv, Field, Layer, Type
from unroll_dsl.types.pieces import pieces


@dataclass(frozen=True, slots=True)
class Cost:
    """`numbers` are real numbers read and written: times the bytes of one they are bytes."""

    flops: Count = Count()  # noqa: RUF009 (frozen)
    numbers: Count = Count()  # noqa: RUF009
    applications: tuple[tuple[str, int], ...] = ()  # of matrices, maps and layers, by name

    def __add__(self, other: Cost) -> Cost:
        total = Counter(dict(self.applications))
        total.update(dict(other.applications))
        return Cost(self.flops + other.flops, self.numbers + other.numbers, tuple(total.items()))

    def substitute(self, sizes: Mapping[str, int]) -> Cost:
        return Cost(self.flops.substitute(sizes), self.numbers.substitute(sizes), self.applications)


@dataclass(frozen=True, slots=True)
class Costs:
    """`setup` is paid when the network is made, `call` and `output` once a call, `phase` in each
    phase (but the last ones may have less to do); `shared` and `per_phase` count the entries of
    learnables."""

    setup: Cost
    call: Cost
    phase: Cost
    output: Cost
    shared: Count
    per_phase: Count


def cost(graph: Graph, sizes: Mapping[str, int] | None = None) -> Costs:
    """The cost of a network without training, as the graph stands (optimised or not)."""
    found = stages(graph)
    live = liveness(graph)
    updates = {slot.name: slot for slot in graph.states}
    phase = reachable(graph.nodes, (updates[name].update for name in live.steady.updates))
    running = phase | reachable(graph.nodes, graph.outputs)
    running |= reachable(graph.nodes, (updates[name].initial for name in live.steady.reads))
    making = _making(graph, live.constants, live.parameters)
    by_stage: dict[Stage, list[int]] = {stage: [] for stage in Stage}
    for index in sorted(running):
        if found[index] is not Stage.PHASE or index in phase:
            by_stage[found[index]].append(index)
    setup = sorted({*by_stage[Stage.SETUP], *making})
    bodies = {body.name: body for body in graph.functions}
    groups = (
        setup, by_stage[Stage.CALL], by_stage[Stage.PHASE], by_stage[Stage.OUTPUT],
    )  # fmt: skip
    costs = [_total(graph.nodes, ids, bodies).substitute(sizes or {}) for ids in groups]
    learnables = [p for p in graph.parameters if p.name in live.parameters and p.trainable]
    shared, per_phase = Count(), Count()
    for parameter in learnables:
        size = parameter_count(parameter.type).substitute(sizes or {})
        if parameter.per_phase:
            per_phase = per_phase + size
        else:
            shared = shared + size
    return Costs(costs[0], costs[1], costs[2], costs[3], shared, per_phase)


def parameter_count(type_: Array | Layer) -> Count:
    """The number of entries of a learnable."""
    match type_:
        case Array(shape):
            return Count.entries(shape)
        case Layer():
            total = Count()
            for piece in pieces(type_):
                total = total + Count.entries(piece.shape)
            return total


def _making(graph: Graph, constants: Sequence[str], parameters: Sequence[str]) -> frozenset[int]:
    """What is evaluated for initial values, defaults and limits."""
    kept: list[int | None] = []
    for declaration in graph.constants:
        if declaration.name in constants:
            kept.append(declaration.default)
    for parameter in graph.parameters:
        if parameter.name in parameters and isinstance(parameter.initial, int):
            kept.append(parameter.initial)
    assert set(roots(graph)) >= {index for index in kept if index is not None}
    return reachable(graph.nodes, (index for index in kept if index is not None))


# ---- nodes --------------------------------------------------------------------------------------


def _total(nodes: Sequence[Node], ids: Iterable[int], bodies: Mapping[str, FunctionBody]) -> Cost:
    flops, numbers = Count(), Count()
    names: Counter[str] = Counter()
    for index in ids:
        node = nodes[index]
        args = [nodes[a].type for a in node.args]
        if isinstance(node.op, Invoke):
            own = _invoked(bodies[node.op.function], args, node.type, bodies)
            flops, numbers = flops + own.flops, numbers + own.numbers
            continue
        work = _flops(node, args, bodies)
        if work is not None:
            flops = flops + work
            for type_ in (*args, node.type):
                numbers = numbers + _numbers(type_)
        match node.op:
            case Apply() | ApplyLayer() | Contract() | ConvolveFew():
                names[applied_name(nodes, node.args[0])] += 1
            case ConvolvePair():
                names[" with ".join(applied_name(nodes, a) for a in node.args[:2])] += 1
            case Builtin("filtered"):
                names["fft2 and its inverse"] += 1
            case Builtin(
                "cholesky_solve" | "definite_solve" | "triangular_solve" | "solve_dense" as name
            ):
                names[name] += 1
            case Solve():
                names["solve"] += 1
            case _:
                pass
    return Cost(flops, numbers, tuple(names.items()))


def _invoked(
    body: FunctionBody, args: Sequence[Type], result: Type, bodies: Mapping[str, FunctionBody]
) -> Cost:
    own = _total(body.nodes, reachable(body.nodes, (body.result,)), bodies)
    typed = body.nodes[body.result].type
    if tuple(args) == tuple(type_ for _, type_ in body.parameters):
        return Cost(own.flops, own.numbers)
    # a body that serves other dimensions: as many operations an entry of the result
    symbols = _dims_of(typed, result)
    return Cost(_renamed(own.flops, symbols), _renamed(own.numbers, symbols))


def _dims_of(typed: Type, result: Type) -> Mapping[str, Count]:
    if not isinstance(typed, Array) or not isinstance(result, Array):
        return {}
    pairs = zip(typed.shape, result.shape, strict=False)
    return {
        a.terms[0][0][0]: Count.of(b)
        for a, b in pairs
        if len(a.terms) == 1 and len(a.terms[0][0]) == 1
    }


def _renamed(count: Count, symbols: Mapping[str, Count]) -> Count:
    total = Count()
    for monomial, coefficient in count.terms:
        product = Count.of(coefficient)
        for symbol in monomial:
            product = product * symbols.get(symbol, Count((((symbol,), Fraction(1)),)))
        total = total + product
    return total


def _flops(node: Node, args: Sequence[Type], bodies: Mapping[str, FunctionBody]) -> Count | None:
    """Operations of a node; None for what neither computes nor moves anything."""
    match node.op:
        case Elementwise():
            return _entries(node.type) * (2 if _is_complex(node.type) else 1)
        case Contract():
            first, second = args
            assert isinstance(first, Array) and isinstance(second, Array)
            work = 2 * Count.entries(first.shape) * Count.entries(second.shape[1:])
            for type_ in args:
                work = work * (2 if _is_complex(type_) else 1)
            return work
        case Builtin(name):
            work = _record(name, node, args)
            return work * (4 if any(_is_complex(t) for t in args) else 1)
        case Solve():
            return _record("solve_dense", node, args[::-1]) if isinstance(args[0], Array) else None
        case ApplyLayer():
            return _layer(args, bodies)
        case ConvolveFew():
            return _layer(args[:2], bodies)
        case ConvolvePair():
            return _pair(args[0], args[1], node.type)
        case Eye():
            return Count()
        case _:
            return None


_AN_ENTRY = {"sumsq": 2, "norm2": 2, "dot": 2, "axpy": 2, "axmy": 2, "extrapolate": 3}


def _record(name: str, node: Node, args: Sequence[Type]) -> Count:
    """Leading terms; (m, n) are the sides of the matrix, k the number of right-hand sides."""
    size = _entries(args[0]) if args else _entries(node.type)
    matrix = args[-1] if args else node.type
    if not isinstance(matrix, Array) or matrix.rank != 2:
        return size * _AN_ENTRY.get(name, 1)
    m, n = (Count.of(dim) for dim in matrix.shape)
    first = args[0]
    k = Count.entries(first.shape[1:]) if isinstance(first, Array) else Count.of(1)
    cube = n * n * n
    match name:
        case "cholesky" | "regular_factor":
            return cube * Fraction(1, 3)
        case "cholesky_solve" | "definite_solve":
            return 2 * n * n * k
        case "triangular_solve":
            return n * n * k
        case "solve_dense":
            return cube * Fraction(2, 3) + 2 * n * n * k
        case "orthogonal_factor":
            return cube * Fraction(8, 3)
        case "symmetric_eigenvectors":
            return 9 * cube
        case "psd_part" | "sqrtm":
            return 11 * cube
        case "right_singular_vectors":
            return 6 * n * m * m + 11 * m * m * m
        case "spectral_norm":
            return 2 * m * n * n + 2 * cube
        case "inv":
            return 2 * cube
        case "pinv" | "singular_soft" | "low_rank" | "orthogonal_part" | "nuclear_norm":
            return 6 * m * n * n + 20 * cube
        case "sumsq" | "norm2" | "dot":
            return 2 * size
        case _:
            return size


def _pair(first: Type, second: Type, result: Type) -> Count | None:
    """Two convolutions of 3 x 3 as one of 5 x 5; borders and the product of the kernels are left out."""
    assert isinstance(first, Layer) and isinstance(second, Layer) and isinstance(result, Array)
    a, b = first.steps[0], second.steps[0]
    assert isinstance(a, Conv) and isinstance(b, Conv)
    return 2 * 25 * Count.of(a.channels_in) * b.channels_out * Count.entries(result.shape[1:])


def _layer(args: Sequence[Type], bodies: Mapping[str, FunctionBody]) -> Count | None:
    """Operations of a layer on arrays, those of its blocks by their bodies."""
    layer, *given = args
    arrays = tuple(array for array in given if isinstance(array, Array))
    if not isinstance(layer, Layer) or len(arrays) < len(given):
        return None

    def of_block(block: Block, arguments: tuple[Array, ...]) -> tuple[Count, Array] | None:
        body, result = bodies.get(block.key), behind(bodies, block, arguments)
        if body is None or not isinstance(result, Array):
            return None
        return _invoked(body, arguments, result, bodies).flops, result

    return layer_flops(layer, arrays, of_block)


def _entries(type_: Type) -> Count:
    return Count.entries(type_.shape) if isinstance(type_, Array) else Count()


def _numbers(type_: Type) -> Count:
    match type_:
        case Array(shape, field):
            return Count.entries(shape) * (2 if field is Field.COMPLEX else 1)
        case Layer():
            return parameter_count(type_)
        case _:
            return Count()


def _is_complex(type_: Type) -> bool:
    return isinstance(type_, Array) and type_.field is Field.COMPLEX


def applied_name(nodes: Sequence[Node], index: int) -> str:
    """The author's name of what is applied, with a prime for an adjoint."""
    node = nodes[index]
    match node.op:
        case Fixed(name) | Learnable(name) | Input(name) | State(name) | Operator(name):
            return name
        case LayerSteps(start, stop):
            inner = applied_name(nodes, node.args[0])
            return f"{inner}[{start}]" if stop == start + 1 else f"{inner}[{start}:{stop}]"
        case Transpose() | AdjointMap():
            inner = applied_name(nodes, node.args[0])
            return f"{inner}'" if inner.isidentifier() else f"({inner})'"
        case _:
            pass
    if node.label is not None:
        return node.label
    text = node.origin.text.strip() if node.origin is not None else ""
    return text or "a matrix"
