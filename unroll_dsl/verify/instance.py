"""A random instance of a program, drawn from its declared types: sizes, constants, inputs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll_dsl.backends.errors import SizeUnknown
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.ir.graph import Constant, Domain, Graph, Limits, Parameter
from unroll_dsl.ir.nodes import Constant as Literal
from unroll_dsl.ir.nodes import Elementwise, Fixed, Operator
from unroll_dsl.types import SCALAR, Array, Declared, Dim, Field, Form, Layer, LinearMap

Values = dict[str, Any]  # arrays by name; a module for a bound network

_SIZES = (6, 9, 5, 8, 4, 7)  # small and all different, so that a swapped axis cannot go unnoticed


@dataclass(frozen=True, slots=True)
class Instance:
    """What a program needs to run: values for all that has no classical one, and a batch of inputs.

    `inputs` and `targets` have a leading batch axis.
    """

    sizes: dict[str, int]
    bind: Values
    init: Values
    inputs: tuple[NDArray[np.generic], ...]
    targets: tuple[NDArray[np.generic], ...]

    def arguments(self) -> dict[str, Any]:
        """As keyword arguments of `Spec.compile` and `Spec.reference`."""
        return {"bind": self.bind, "init": self.init, "dims": self.sizes}

    def first(self) -> Instance:
        """The first sample alone, as a batch of one."""
        inputs, targets = (tuple(x[:1] for x in each) for each in (self.inputs, self.targets))
        return replace(self, inputs=inputs, targets=targets)


def draw(
    graph: Graph,
    *,
    seed: int = 0,
    dims: Mapping[str, int] | None = None,
    batch: int = 3,
    norm: float | None = None,
    constants: bool = False,
    learned: bool = False,
) -> Instance:
    """Draw an instance.

    Matrices have independent normal entries of variance 1/rows, so that their norm is of order 1;
    masks keep their first entry and about half of the others; kernels of `blur` are positive and sum to 1; constrained values lie inside their constraint.

    Parameters
    ----------
    norm
        Make this the largest singular value of every matrix, and the smallest one half of it, and keep
        three quarters of what masks take: iterations then come to rest soon.
    constants
        Draw the constants that have a number as their default as well, near to it: see `drawn_constants`.
    learned
        Draw all learnable arrays, whatever they start at.
    """
    rng = np.random.default_rng(seed)
    sizes = _sizes(graph, dims or {})
    bind: Values = {
        c.name: _inside(_array(c.type, sizes, rng), c, graph)
        for c in graph.constants
        if c.default is None and isinstance(c.type, Array)
    }
    for c in graph.constants:
        matrix = matrix_of(c.type) if isinstance(c.type, LinearMap) and c.default is None else None
        if matrix is not None:
            bind[c.name] = _array(matrix, sizes, rng)
        if isinstance(c.type, Layer) and c.default is None:
            from unroll_dsl.verify.stand_ins import stand_in

            bind[c.name] = stand_in(c.type, sizes)
    for p in graph.parameters:
        if isinstance(p.type, Layer) and p.type.from_outside is not None:
            from unroll_dsl.verify.stand_ins import stand_in

            bind[p.name] = stand_in(p.type, sizes, learns=p.trainable)
    if norm is not None:
        for c in graph.constants:  # no page can ask for the norm of a map from outside
            if c.limits is None and c.name in bind:
                largest = min(norm, 1.0) if isinstance(c.type, LinearMap) else norm
                bind[c.name] = _conditioned(bind[c.name], largest)
        for c in graph.constants:  # half of what masks leave out is taken back
            if c.name in bind and isinstance(c.type, Array) and is_mask(c.type):
                bind[c.name] = np.maximum(bind[c.name], _array(c.type, sizes, rng))
    for name in _spreads(graph):  # how a camera blurs: nothing is taken away, and nothing gets lost
        if name in bind and not np.iscomplexobj(bind[name]):
            bind[name] = np.abs(bind[name]) / np.abs(bind[name]).sum()
    if constants:
        bind |= drawn_constants(graph, seed)
    init = {
        p.name: _inside(_array(p.type, sizes, rng), p, graph)
        for p in graph.parameters
        if (p.initial is None or learned) and isinstance(p.type, Array)
    }
    inputs = tuple(_within(_array(e.type, sizes, rng, batch), e.domain) for e in graph.inputs)
    targets = tuple(_array(e.type, sizes, rng, batch) for e in graph.targets)
    return Instance(sizes, bind, init, inputs, targets)


def is_mask(type_: object) -> bool:
    return isinstance(type_, Array) and type_.form is Form.MASK


def _spreads(graph: Graph) -> set[str]:
    """The constants that are kernels of `blur`."""
    kernels = [
        graph.nodes[index].op
        for node in graph.nodes
        if isinstance(node.op, Operator) and node.op.operator == "blur"
        for index in node.args
    ]
    return {op.name for op in kernels if isinstance(op, Fixed)}


def drawn_constants(graph: Graph, seed: int) -> Values:
    """Values for scalars whose default is a number: 0.4 to 0.8 or 1.25 to 2.5 times the default, within
    the bounds, so that a 1 hides no factor; in place of a small one, about a tenth, for which iterations
    come to rest sooner. Whole numbers above 1 count something, and stay."""
    rng = np.random.default_rng([seed, 1])
    found: Values = {}
    for c in graph.constants:
        default = _literal(graph, c.default)
        if default is None or c.type != SCALAR or (default > 1 and default == int(default)):
            continue
        if 0 < abs(default) < 1e-4:
            continue  # it keeps a denominator from 0
        factor = rng.uniform(1.25, 2.5) ** rng.choice((-1, 1))
        limits = c.limits
        lower, upper = (
            (None, None)
            if limits is None
            else (_literal(graph, limits.lower), _literal(graph, limits.upper))
        )
        value = default * factor if abs(default) >= 0.05 else 0.1 * factor
        if lower is not None and upper is not None:  # between the default and an end, not at it
            end = upper if factor > 1 else lower
            end = (lower if factor > 1 else upper) if end == default else end
            value = default + 0.5 * rng.uniform(0.5, 1) * (end - default)
        elif (lower is not None and value < lower) or (upper is not None and value > upper):
            value = default / factor if default else -0.1 * factor
            if (lower is not None and value < lower) or (upper is not None and value > upper):
                continue
        if limits is not None and {limits.lower, limits.upper} - {None} and lower is upper is None:
            continue  # its bounds are computed from other values
        found[c.name] = np.asarray(value)
    return found


def _conditioned(value: Any, norm: float) -> Any:
    """A matrix of random singular vectors with singular values between half of `norm` and `norm`."""
    if not (isinstance(value, np.ndarray) and value.ndim == 2) or np.isin(value, (0, 1)).all():
        return value
    left, found, right = np.linalg.svd(value, full_matrices=False)
    spread = found[0] - found[-1]
    share = (found - found[-1]) / spread if spread else np.ones_like(found)
    return (left * (norm * (1 + share) / 2)) @ right


def matrix_of(map_: LinearMap) -> Array | None:
    """The matrix that a map from outside may be given as."""
    if not isinstance(map_.structure, Declared):
        return None
    begin, end = map_.structure.domain, map_.structure.codomain
    sides = []
    for space in (end, begin):
        side = Dim.of(1)
        for dim in space.shape:
            side = side * dim
        sides.append(side)
    return Array((sides[0], sides[1]), begin.field.join(end.field))


def _sizes(graph: Graph, given: Mapping[str, int]) -> dict[str, int]:
    found: dict[str, int] = {}
    free = [name for name, default in graph.dims if default is None and name not in given]
    step = granularity(graph)
    for index, name in enumerate(free):
        size = _SIZES[index % len(_SIZES)] + index // len(_SIZES)
        found[name] = multiple(size, step, found.values())
    for order in itertools.islice(itertools.permutations(free), 120):
        drawn = dict(zip(order, (found[name] for name in free), strict=True))
        sizes = {
            name: given.get(name, default if default is not None else drawn.get(name, 1))
            for name, default in graph.dims
        }
        if all(_positive(dim, sizes) for dim in _dims(graph)):
            return sizes
    raise UnrollError([SizeUnknown(", ".join(free), "a size that leaves no shape empty", None)])


def multiple(size: int, step: int, taken: Collection[int]) -> int:
    """The smallest multiple of `step` that is at least `size` and not yet taken."""
    found = -(-size // step) * step
    while step > 1 and found in taken:
        found += step
    return found


def _dims(graph: Graph) -> set[Dim]:
    everything: list[Any] = [
        *graph.constants,
        *graph.parameters,
        *graph.inputs,
        *graph.states,
        *graph.targets,
    ]
    return {dim for e in everything if isinstance(e.type, Array) for dim in e.type.shape}


def _positive(dim: Dim, sizes: Mapping[str, int]) -> bool:
    return (dim.substitute(sizes).value or 0) > 0


def granularity(graph: Graph) -> int:
    """What sizes must be multiples of, for subsampling and wavelets to divide them."""
    step = 1
    for node in graph.nodes:
        if isinstance(node.op, Operator):
            statics = dict(node.op.statics)
            for factor in (statics.get("s"), statics.get("levels")):
                if isinstance(factor, int):
                    step = math.lcm(step, factor if "s" in statics else 2**factor)
    return step


def _array(
    type_: Array, sizes: Mapping[str, int], rng: np.random.Generator, batch: int | None = None
) -> NDArray[np.generic]:
    shape = tuple(dim.substitute(sizes).value or 0 for dim in type_.shape)
    full = shape if batch is None else (batch, *shape)
    if type_.form is Form.MASK:
        mask = rng.integers(0, 2, full).astype(np.float64)
        mask[..., 0, 0] = 1  # the zero frequency, without which many systems are singular
        return mask
    scale = 1 / math.sqrt(shape[0]) if type_.rank >= 2 and batch is None else 1.0
    values = rng.standard_normal(full) * scale
    if type_.field is Field.COMPLEX:
        return (values + 1j * rng.standard_normal(full) * scale) / math.sqrt(2)
    return values


def _inside(
    values: NDArray[np.generic], declared: Constant | Parameter, graph: Graph
) -> NDArray[np.generic]:
    """Values moved into a constraint with literal bounds."""
    limits: Limits | None = declared.limits
    if limits is None:
        return values
    return _between(values, _literal(graph, limits.lower), _literal(graph, limits.upper))


def _within(values: NDArray[np.generic], domain: Domain | None) -> NDArray[np.generic]:
    """Values moved to where data of an input may lie."""
    return values if domain is None else _between(values, domain.lower, domain.upper)


def _between(
    values: NDArray[np.generic], lower: float | None, upper: float | None
) -> NDArray[np.generic]:
    spread = np.abs(values)
    if lower is not None and upper is not None:
        return np.asarray(lower + (upper - lower) * (0.25 + 0.5 * spread / (1 + spread)))
    if lower is not None:
        return np.asarray(lower + 0.1 + spread)
    if upper is not None:
        return np.asarray(upper - 0.1 - spread)
    return values


def _literal(graph: Graph, index: int | None) -> float | None:
    """The number that a node is, as it is written; -1 is the negative of one."""
    if index is None:
        return None
    node = graph.nodes[index]
    match node.op:
        case Literal(value):
            return float(value)
        case Elementwise("neg"):
            inner = _literal(graph, node.args[0])
            return None if inner is None else -inner
        case _:
            return None
