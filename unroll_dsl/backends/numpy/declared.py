"""The values of a program's constants and learnables, before any input is known."""

from __future__ import annotations

from collections.abc import Collection, Mapping, MutableMapping
from typing import Any

import numpy as np

from unroll_dsl.backends.errors import EmptyBounds, MissingStart, OutsideBounds
from unroll_dsl.backends.numpy import maps
from unroll_dsl.backends.numpy.evaluate import Evaluator, Value
from unroll_dsl.backends.numpy.faults import first, is_finite
from unroll_dsl.backends.numpy.maps import Array
from unroll_dsl.backends.numpy.random import draw
from unroll_dsl.backends.values import outside, words
from unroll_dsl.diagnostics.model import Diagnostic
from unroll_dsl.diagnostics.raised import InternalError, UnrollError
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.graph import Constant, Graph, Limits, Parameter, Random
from unroll_dsl.ir.intervals import interval_scalars, is_empty
from unroll_dsl.ir.nodes import Node
from unroll_dsl.passes.analysis.liveness import unused
from unroll_dsl.types import Array as ArrayType
from unroll_dsl.types import Declared as MapSpaces
from unroll_dsl.types import Field, Layer, LinearMap
from unroll_dsl.types.pieces import CELLS, TensorStart, pieces


class DeclaredValues:
    """Values given from outside, else classical ones; each is computed once, when it is asked for.

    `setup` holds the values of nodes that depend on constants alone; runs of the program share it.
    """

    def __init__(
        self,
        graph: Graph,
        phases: int,
        evaluator: Evaluator,
        constants: Mapping[str, Any],
        parameters: Mapping[str, Any],
        seed: int,
    ) -> None:
        self.graph = graph
        self.phases = phases
        self.evaluator = evaluator
        self.setup: dict[int, Value] = {}
        self._given_constants = dict(constants)
        self._given_parameters = dict(parameters)
        self._seed = seed
        self._constants: dict[str, Value] = {}
        self._parameters: dict[str, Any] = {}

    def forget(self) -> None:
        """Values may depend on sizes, which have changed."""
        for values in (self.setup, self._constants, self._parameters):
            values.clear()

    def begin(self) -> None:
        """Another call begins: maps that are bound may have been changed."""
        for value in self._given_constants.values():
            if isinstance(value, maps.MapValue) and value.begin is not None:
                value.begin()

    def constant(self, name: str) -> Value:
        """The value of a `fixed` name."""
        if name not in self._constants:
            declared = next(c for c in self.graph.constants if c.name == name)
            if name in self._given_constants:
                value = self._given_constants[name]
                match declared.type:
                    case ArrayType():
                        value = double(value, declared.type)
                        value = np.broadcast_to(value, self.evaluator.shape(declared.type))
                    case LinearMap(MapSpaces(domain, codomain)):
                        spaces = self.evaluator.shape(domain), self.evaluator.shape(codomain)
                        value = maps.bound(value, *spaces)
                    case LinearMap():
                        raise InternalError(f"{declared.type} is no map from outside")
                    case Layer():
                        pass  # a bound network, as a function of arrays
                self._constants[name] = value
            elif declared.default is None:
                raise UnrollError([MissingStart(name, "fixed value", declared.origin)])
            else:
                self._constants[name] = self.initial(declared.default, 1)
        return self._constants[name]

    def parameter(self, name: str) -> Any:
        """The value of a learnable; with a leading axis of length `phases` if it is per phase. That of
        a layer is the mapping of its tensors by name (see types/pieces.py)."""
        if name not in self._parameters:
            declared = next(p for p in self.graph.parameters if p.name == name)
            self._parameters[name] = self._parameter(declared)
        return self._parameters[name]

    def learnable(self, name: str, k: int) -> Any:
        """The value of a learnable in phase `k`, from 1."""
        declared = next(p for p in self.graph.parameters if p.name == name)
        value = self.parameter(name)
        if isinstance(value, list):
            return value[k - 1] if declared.per_phase else value[0]
        if isinstance(value, Mapping):
            if not declared.per_phase:
                return value
            return {key: np.asarray(piece[k - 1]) for key, piece in value.items()}
        return np.asarray(value[k - 1]) if declared.per_phase else value

    def _parameter(self, declared: Parameter) -> Any:
        if not isinstance(declared.type, ArrayType):
            return self._layer(declared, declared.type)
        shape = self.evaluator.shape(declared.type)
        if declared.name in self._given_parameters:
            value = double(self._given_parameters[declared.name], declared.type)
            return np.broadcast_to(value, (self.phases, *shape) if declared.per_phase else shape)
        count = self.phases if declared.per_phase else 1
        match declared.initial:
            case None:
                raise UnrollError([MissingStart(declared.name, "learnable", declared.origin)])
            case Random() as random:
                # a generator of its own: a draw does not depend on what was drawn before it
                place = [p.name for p in self.graph.parameters].index(declared.name)
                rng = np.random.default_rng([self._seed, place])
                values = [draw(random, shape, declared.type.field, rng) for _ in range(count)]
            case int() as index:
                values = [np.asarray(self.initial(index, k)) for k in range(1, count + 1)]
        return np.stack(values) if declared.per_phase else values[0]

    def _layer(self, declared: Parameter, layer: Layer) -> Any:
        """Tensors by name: those that were given, else drawn; biases start at 0. Of a network from outside
        functions, one a phase or a single one."""
        given = self._given_parameters.get(declared.name, {})
        if layer.from_outside is not None and isinstance(given, list):
            return given
        random = declared.initial
        if not given and not isinstance(random, Random):
            raise UnrollError([MissingStart(declared.name, "learnable", declared.origin)])
        place = [p.name for p in self.graph.parameters].index(declared.name)
        rng = np.random.default_rng([self._seed, place])
        found: dict[str, Array] = {}
        for piece in pieces(layer):
            shape = tuple(self.evaluator.number(dim) for dim in piece.shape)
            count = (self.phases,) if declared.per_phase else ()
            if piece.name in given:
                value = np.asarray(given[piece.name], np.float64)
                found[piece.name] = np.broadcast_to(value, (*count, *shape))
            elif piece.start is TensorStart.DRAWN and isinstance(random, Random):
                drawn = [draw(random, shape, Field.REAL, rng) for _ in range(*(count or (1,)))]
                found[piece.name] = np.stack(drawn) if count else drawn[0]
            elif piece.start is TensorStart.RELU:
                slopes = np.arange(CELLS + 2) > CELLS // 2
                found[piece.name] = np.broadcast_to(slopes.astype(float), (*count, *shape))
            else:
                values = {TensorStart.ONE: 1.0, TensorStart.QUARTER: 0.25}
                found[piece.name] = np.full((*count, *shape), values.get(piece.start, 0.0))
        return found

    def initial(self, index: int, k: int) -> Array:
        """A classical value: learnables stand for their own classical values."""

        def leaf(node: Node) -> Value:
            match node.op:
                case ops.Learnable(name):
                    return self.learnable(name, k)
                case ops.PhaseNumber():
                    return np.asarray(float(k))
                case ops.Fixed(name):
                    return self.constant(name)
                case _:
                    raise InternalError(f"{node.op} has no value before a call")

        known: MutableMapping[int, Value] = dict(self.setup)
        with np.errstate(all="ignore"):  # said below, with the place
            self.evaluator.run(self.graph.nodes, (index,), leaf, known)
        if not is_finite(known[index]):
            found = first(self.graph.nodes, known, k)
            if found is not None:
                raise UnrollError([found])
        return np.asarray(known[index])

    def bounds(self, limits: Limits) -> tuple[float | None, float | None]:
        """The numbers that a constraint names."""
        lower, upper = (
            None if index is None else float(self.initial(index, 1))
            for index in (limits.lower, limits.upper)
        )
        return lower, upper

    def violations(self, only: Collection[str] | None) -> list[Diagnostic]:
        """A diagnostic for each constrained value, of the names in `only`, that is outside."""
        problems: list[Diagnostic] = []
        declarations: list[Constant | Parameter] = [*self.graph.constants, *self.graph.parameters]
        given = self._given_constants
        missing = any(c.default is None and c.name not in given for c in self.graph.constants)
        idle = {*unused(self.graph)} - {*given} if missing else set()  # these may have no value
        for declared in declarations:
            limits = declared.limits
            if limits is None or declared.name in idle:
                continue
            asked = only is None or declared.name in only
            if not asked and not interval_scalars(self.graph, limits) & {*(only or ())}:
                continue
            lower, upper = self.bounds(limits)
            ends = (lower, limits.lower_strict, upper, limits.upper_strict)
            if is_empty(lower, upper, limits):
                problems.append(EmptyBounds(declared.name, words(*ends), declared.origin))
                continue
            if not asked:
                continue
            is_parameter = isinstance(declared, Parameter)
            value = self.parameter(declared.name) if is_parameter else self.constant(declared.name)
            found = outside(value, *ends)
            if found is not None:
                problems.append(OutsideBounds(declared.name, found, words(*ends), declared.origin))
        return problems


def double(value: Any, type_: ArrayType) -> Array:
    """A value in the double precision of its declared field."""
    return np.asarray(value, np.complex128 if type_.field is Field.COMPLEX else np.float64)
