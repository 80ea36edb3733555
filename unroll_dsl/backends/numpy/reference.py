"""A program run as it is written, one sample at a time, in double precision."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from unroll_dsl.backends.errors import MissingStart, OutsideBounds
from unroll_dsl.backends.numpy.evaluate import Evaluator, Value
from unroll_dsl.backends.numpy.maps import Array
from unroll_dsl.backends.sizes import Equation, solve
from unroll_dsl.backends.values import outside, words
from unroll_dsl.diagnostics.model import Diagnostic, InternalError, UnrollError
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.graph import Graph, Parameter, Random
from unroll_dsl.ir.nodes import Node, Stage
from unroll_dsl.ir.stages import stages
from unroll_dsl.types import Array as ArrayType
from unroll_dsl.types import Field


class Reference:
    """The classical iteration that a program spells, in float64 or complex128.

    Parameters
    ----------
    graph
        The graph as built, before any pass.
    phases
        How many phases to run.
    constants
        Values of `fixed` names without a classical value, and of others to override it.
    parameters
        Values of learnables that override their classical values, in the declared shape; those per
        phase with a leading axis of length `phases`.
    sizes
        The value of every dimension symbol that is needed.
    seed
        For random starts without a value in `parameters`.

    Inputs carry a leading batch axis, or none: the rank tells.
    """

    def __init__(
        self,
        graph: Graph,
        phases: int,
        constants: Mapping[str, Any],
        parameters: Mapping[str, Any],
        sizes: Mapping[str, int],
        seed: int = 0,
    ) -> None:
        self.graph = graph
        self.phases = phases
        self.sizes = dict(sizes)
        self._evaluator = Evaluator({body.name: body for body in graph.functions}, sizes)
        self._stages = stages(graph)
        self._given = dict(constants)
        self._given_parameters = dict(parameters)
        self._rng = np.random.default_rng(seed)
        self._constants: dict[str, Value] = {}
        self._parameters: dict[str, Array] = {}
        self._setup: dict[int, Value] = {}  # nodes that depend on fixed values alone

    # ---- values of declarations -----------------------------------------------------------------

    def constant(self, name: str) -> Value:
        """The value of a `fixed` name."""
        if name not in self._constants:
            declared = next(c for c in self.graph.constants if c.name == name)
            if name in self._given:
                value = self._given[name]
                if isinstance(declared.type, ArrayType):
                    value = _double(value, declared.type)
                    value = np.broadcast_to(value, self._evaluator.shape(declared.type))
                self._constants[name] = value
            elif declared.default is None:
                raise UnrollError([MissingStart(name, "fixed value", declared.origin)])
            else:
                self._constants[name] = self._initial(declared.default, 1)
        return self._constants[name]

    def parameter(self, name: str) -> Array:
        """The value of a learnable; with a leading axis of length `phases` if it is per phase."""
        if name not in self._parameters:
            declared = next(p for p in self.graph.parameters if p.name == name)
            self._parameters[name] = self._parameter(declared)
        return self._parameters[name]

    def values(self) -> dict[str, Array]:
        """The values of all learnables."""
        return {p.name: self.parameter(p.name) for p in self.graph.parameters}

    def _parameter(self, declared: Parameter) -> Array:
        if not isinstance(declared.type, ArrayType):
            raise InternalError("layers have no NumPy backend")
        shape = self._evaluator.shape(declared.type)
        full = (self.phases, *shape) if declared.per_phase else shape
        if declared.name in self._given_parameters:
            value = _double(self._given_parameters[declared.name], declared.type)
            return np.broadcast_to(value, full)
        initial = declared.initial
        if initial is None:
            raise UnrollError([MissingStart(declared.name, "learnable", declared.origin)])
        if isinstance(initial, Random):
            return self._draw(initial, full)
        if declared.per_phase:
            return np.stack([self._initial(initial, k) for k in range(1, self.phases + 1)])
        return np.asarray(self._initial(initial, 1))

    def _draw(self, random: Random, shape: tuple[int, ...]) -> Array:
        if random.name == "uniform":
            low, high = (*random.arguments, *(0.0, 1.0)[len(random.arguments) :])
            return self._rng.uniform(low, high, shape)
        mean, std = (*random.arguments, *(0.0, 1.0)[len(random.arguments) :])
        if random.name != "normal":
            mean, std = 0.0, float(np.sqrt(2 / max(sum(shape[-2:]), 1)))
        return self._rng.normal(mean, std, shape)

    def _initial(self, index: int, k: int) -> Array:
        """A classical value: learnables stand for their own classical values."""

        def leaf(node: Node) -> Value:
            match node.op:
                case ops.Learnable(name):
                    declared = next(p for p in self.graph.parameters if p.name == name)
                    value = self.parameter(name)
                    return value[k - 1] if declared.per_phase else value
                case ops.PhaseNumber():
                    return np.asarray(float(k))
                case _:
                    return self._leaf(node)

        known: dict[int, Value] = dict(self._setup)
        self._evaluator.run(self.graph.nodes, (index,), leaf, known)
        return np.asarray(known[index])

    def _leaf(self, node: Node) -> Value:
        match node.op:
            case ops.Fixed(name):
                return self.constant(name)
            case _:
                raise InternalError(f"{node.op} has no value here")

    def check_limits(self, only: Collection[str] | None = None) -> None:
        """Raise `UnrollError` (U0506) for every constrained value that violates its constraint.

        With `only`, of those names alone.
        """
        problems: list[Diagnostic] = []
        for declared in (*self.graph.constants, *self.graph.parameters):
            limits = declared.limits
            if limits is None or (only is not None and declared.name not in only):
                continue
            bounds = [
                None if index is None else float(self._initial(index, 1))
                for index in (limits.lower, limits.upper)
            ]
            is_parameter = isinstance(declared, Parameter)
            value = self.parameter(declared.name) if is_parameter else self.constant(declared.name)
            ends = (bounds[0], limits.lower_strict, bounds[1], limits.upper_strict)
            found = outside(value, *ends)
            if found is not None:
                problems.append(
                    OutsideBounds(declared.name, found, words(*ends), declared.origin)
                )
        if problems:
            raise UnrollError(problems)

    def _complete_sizes(self, values: Sequence[Array], types: Sequence[ArrayType]) -> None:
        """Sizes that only the inputs of a call tell."""
        known = {name for name, _ in self.graph.dims} <= set(self.sizes)
        equations = [
            Equation(dim, size, f"`{entry.name}`", entry.origin)
            for entry, value in zip(self.graph.inputs, values, strict=False)
            for dim, size in zip(
                entry.type.shape, value.shape[value.ndim - entry.type.rank :], strict=False
            )
        ]
        sizes, problems = solve(equations, self.sizes, dict(self.graph.dims))
        if problems:
            raise UnrollError(problems)
        if not known:
            self.sizes.update(sizes)
            self._evaluator.sizes = self.sizes

    # ---- runs -----------------------------------------------------------------------------------

    def __call__(self, *inputs: Any) -> Any:
        """The outputs: an array, or a tuple of arrays if the program names several."""
        results = self._map(inputs, self._outputs)
        return results[0] if len(results) == 1 else results

    def trajectory(self, *inputs: Any) -> list[dict[str, Array]]:
        """The states after every phase."""
        names = [slot.name for slot in self.graph.states]
        flat = self._map(inputs, self._states)
        return [
            {name: flat[k * len(names) + i] for i, name in enumerate(names)}
            for k in range(self.phases)
        ]

    def objective(self, variables: Mapping[str, Any], *inputs: Any) -> Array:
        """The objective at `variables` for each sample; variables carry the batch as inputs do."""
        if self.graph.objective is None:
            raise InternalError("this program has no objective")
        objective = self.graph.objective
        names = [name for name, _ in self.graph.variables]
        types = [type_ for _, type_ in self.graph.variables]

        def one(sample: Sequence[Array]) -> list[Array]:
            count = len(self.graph.inputs)
            given = dict(zip(names, sample[count:], strict=True))
            return self._evaluate((objective,), sample[:count], variables=given)

        values = [_double(variables[n], t) for n, t in zip(names, types, strict=True)]
        return np.asarray(self._map((*inputs, *values), one, types)[0])

    def loss(self, *arguments: Any) -> float:
        """The loss of inputs and targets, averaged over the batch."""
        types = [entry.type for entry in self.graph.targets]
        return float(np.mean(self._map(arguments, self._loss, types)[0]))

    def _map(
        self,
        arrays: Sequence[Any],
        one: Callable[[Sequence[Array]], list[Array]],
        more: Sequence[ArrayType] = (),
    ) -> tuple[Array, ...]:
        """Apply `one` to each sample and stack its results."""
        types = [*(entry.type for entry in self.graph.inputs), *more]
        if len(arrays) != len(types):
            raise TypeError(f"{self.graph.name} takes {len(types)} arrays, {len(arrays)} given")
        values = [_double(a, t) for a, t in zip(arrays, types, strict=True)]
        self._complete_sizes(values, types)
        batches = {v.shape[: v.ndim - t.rank] for v, t in zip(values, types, strict=True)}
        if len(batches) > 1:
            raise ValueError(f"inputs have different batch shapes: {sorted(batches)}")
        batch = batches.pop() if batches else ()
        if not batch:
            return tuple(one(values))
        flat = [
            v.reshape(-1, *v.shape[v.ndim - t.rank :]) for v, t in zip(values, types, strict=True)
        ]
        results = [one([v[i] for v in flat]) for i in range(flat[0].shape[0])]
        columns = zip(*results, strict=True)
        return tuple(np.stack(c).reshape(*batch, *c[0].shape) for c in columns)

    def _outputs(self, sample: Sequence[Array]) -> list[Array]:
        *_, final = self._phases(sample)
        return self._evaluate(self.graph.outputs, sample, final=final)

    def _states(self, sample: Sequence[Array]) -> list[Array]:
        return [value for states in self._phases(sample)[1:] for value in states.values()]

    def _phases(
        self, sample: Sequence[Array], traces: list[dict[str, Array]] | None = None
    ) -> list[dict[str, Array]]:
        """The states at the start and after each phase."""
        graph = self.graph
        starts = self._evaluate(tuple(slot.initial for slot in graph.states), sample)
        states = {
            slot.name: np.broadcast_to(value, self._evaluator.shape(slot.type))
            for slot, value in zip(graph.states, starts, strict=True)
        }
        found = [states]
        call: dict[int, Value] = {}  # nodes that no phase changes
        wanted = tuple(slot.update for slot in graph.states)
        if traces is not None:
            wanted += tuple(trace.node for trace in graph.traces)
        for k in range(1, self.phases + 1):
            values = self._evaluate(wanted, sample, state=states, k=k, call=call)
            states = {
                slot.name: np.broadcast_to(value, self._evaluator.shape(slot.type))
                for slot, value in zip(graph.states, values, strict=False)
            }
            found.append(states)
            if traces is not None:
                rest = values[len(graph.states) :]
                names = [trace.name for trace in graph.traces]
                traces.append(dict(zip(names, rest, strict=True)))
        return found

    def _loss(self, sample: Sequence[Array]) -> list[Array]:
        graph = self.graph
        if graph.loss is None:
            raise InternalError("this program has no loss")
        count = len(graph.inputs)
        inputs = sample[:count]
        targets = dict(zip((t.name for t in graph.targets), sample[count:], strict=True))
        traces: list[dict[str, Array]] = []
        final = self._phases(inputs, traces)[-1]
        known: dict[int, Value] = {}
        for index, node in enumerate(graph.nodes):
            if isinstance(node.op, ops.PhaseSum):
                terms = [
                    self._evaluate(
                        node.args, inputs, final=final, targets=targets, traces=values, k=k
                    )[0]
                    for k, values in enumerate(traces, start=1)
                ]
                known[index] = np.asarray(sum(terms))
        return self._evaluate(
            (graph.loss,), inputs, final=final, targets=targets, known=known
        )

    def _evaluate(
        self,
        wanted: tuple[int, ...],
        sample: Sequence[Array],
        *,
        state: Mapping[str, Array] | None = None,
        final: Mapping[str, Array] | None = None,
        targets: Mapping[str, Array] | None = None,
        traces: Mapping[str, Array] | None = None,
        variables: Mapping[str, Array] | None = None,
        k: int | None = None,
        known: dict[int, Value] | None = None,
        call: dict[int, Value] | None = None,
    ) -> list[Array]:
        inputs = dict(zip((e.name for e in self.graph.inputs), sample, strict=True))
        per_phase = {p.name for p in self.graph.parameters if p.per_phase}

        def leaf(node: Node) -> Value:
            match node.op:
                case ops.Input(name):
                    return inputs[name]
                case ops.Learnable(name):
                    value = self.parameter(name)
                    return value[(k or 1) - 1] if name in per_phase else value
                case ops.State(name) if state is not None:
                    return state[name]
                case ops.Final(name) if final is not None:
                    return final[name]
                case ops.Target(name) if targets is not None:
                    return targets[name]
                case ops.Traced(name) if traces is not None:
                    return traces[name]
                case ops.Variable(name) if variables is not None:
                    return variables[name]
                case ops.PhaseNumber() if k is not None:
                    return np.asarray(float(k))
                case _:
                    return self._leaf(node)

        values: dict[int, Value] = {**self._setup, **(call or {}), **(known or {})}
        self._evaluator.run(self.graph.nodes, wanted, leaf, values)
        for index, value in values.items():
            if self._stages[index] is Stage.SETUP:
                self._setup[index] = value
            elif call is not None and self._stages[index] is Stage.CALL:
                call[index] = value
        return [np.asarray(values[index]) for index in wanted]


def _double(value: Any, type_: ArrayType) -> Array:
    complex_ = type_.field is Field.COMPLEX
    return np.asarray(value, dtype=np.complex128 if complex_ else np.float64)
