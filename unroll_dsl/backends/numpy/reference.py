"""A program run as it is written, one sample at a time, in double precision."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from unroll_dsl.backends.numpy import samples
from unroll_dsl.backends.numpy.declared import DeclaredValues
from unroll_dsl.backends.numpy.evaluate import Evaluator, Value
from unroll_dsl.backends.numpy.faults import fault, first, frontier, is_finite, quiet
from unroll_dsl.backends.numpy.maps import Array
from unroll_dsl.backends.numpy.resting import come_to_rest
from unroll_dsl.backends.resting import Rest
from unroll_dsl.diagnostics.raised import InternalError, UnrollError
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.graph import Entry, Graph, Parameter
from unroll_dsl.ir.nodes import Node, Stage
from unroll_dsl.ir.stages import stages
from unroll_dsl.source import Span
from unroll_dsl.types import Array as ArrayType


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
        The values of dimension symbols; those that the inputs tell may be left out.
    seed
        For random starts without a value in `parameters`.
    setup
        Values of nodes that are known already, by id.
    rest
        Outputs and loss are those of the point where the phases rest; `trajectory` runs them as they are.

    Inputs carry leading batch axes, or none: the rank tells.
    """

    def __init__(
        self,
        graph: Graph,
        phases: int,
        constants: Mapping[str, Any],
        parameters: Mapping[str, Any],
        sizes: Mapping[str, int],
        seed: int = 0,
        setup: Mapping[int, Value] | None = None,
        *,
        rest: Rest | None = None,
    ) -> None:
        self.graph = graph
        self.phases = phases
        self.rest = rest
        self.sizes = dict(sizes)
        self._evaluator = Evaluator({body.name: body for body in graph.functions}, self.sizes)
        self._declared = DeclaredValues(graph, phases, self._evaluator, constants, parameters, seed)
        self._declared.setup.update(setup or {})
        self._stages = stages(graph)
        self._known_sizes = dict(sizes)
        self._frontier = frontier(graph)

    # ---- values of declarations -----------------------------------------------------------------

    def constant(self, name: str) -> Value:
        """The value of a `fixed` name."""
        return self._declared.constant(name)

    def parameter(self, name: str) -> Any:
        """The value of a learnable; with a leading axis of length `phases` if it is per phase. That of
        a layer is the mapping of its tensors, under the names of its `state_dict`."""
        return self._declared.parameter(name)

    def values(self) -> dict[str, Any]:
        """The values of all learnables."""
        return {p.name: self.parameter(p.name) for p in self.graph.parameters}

    @property
    def condition(self) -> float:
        """The largest condition number, in the 1-norm, of the systems solved so far; 1 without any."""
        return self._evaluator.condition

    def bounds(self, parameter: Parameter) -> tuple[float | None, float | None]:
        """The numbers between which a learnable is held, None where it is free."""
        limits = parameter.limits
        return (None, None) if limits is None else self._declared.bounds(limits)

    def check_limits(self, only: Collection[str] | None = None) -> None:
        """Raise `UnrollError` (U0506) for every constrained value that violates its constraint.

        With `only`, of those names alone.
        """
        problems = self._declared.violations(only)
        if problems:
            raise UnrollError(problems)

    def check_arithmetic(self, only: Sequence[int] | None = None) -> None:
        """Raise `UnrollError` (U0530) for the first operation on what no input changes, among those
        nodes or all, that has no finite value, with its phase."""
        if only is None:
            nodes = self.graph.nodes
            still = enumerate(quiet(nodes))
            only = [i for i, known in still if known and isinstance(nodes[i].type, ArrayType)]
        with np.errstate(all="ignore"):
            found = fault(self.graph.nodes, only, self.phases, self.before_inputs)
        if found is not None:
            raise UnrollError([found])

    def before_inputs(self, wanted: Sequence[int], k: int) -> list[Array]:
        """The values in phase `k` of nodes that no input or state changes."""
        return self._evaluate(tuple(wanted), (), k=k)

    # ---- runs -----------------------------------------------------------------------------------

    def __call__(self, *inputs: Any) -> Any:
        """The outputs: an array, or a tuple of arrays if the program names several.

        Raises `UnrollError` (U0503, U0504, U0508) where inputs are not what is declared.
        """
        results = self._map(inputs, self._outputs)
        return results[0] if len(results) == 1 else results

    def trajectory(self, *inputs: Any) -> list[dict[str, Array]]:
        """The states after every phase; none for a program without phases."""
        if self.graph.phases is None:
            return []
        names = [slot.name for slot in self.graph.states]
        flat = self._map(inputs, self._states)
        return [
            {name: flat[k * len(names) + i] for i, name in enumerate(names)}
            for k in range(self.phases)
        ]

    def objective(self, variables: Mapping[str, Any], *inputs: Any) -> Array:
        """The objective at `variables` for each sample; variables carry the batch as inputs do.

        A learnable per phase stands for its value in the last phase.
        """
        objective = self.graph.objective
        if objective is None:
            raise InternalError("this program has no objective")
        names = [name for name, _ in self.graph.variables]
        place = Span(self.graph.file, 0, 0)  # variables are not declared on a line of their own

        def one(sample: Sequence[Array]) -> list[Array]:
            count = len(self.graph.inputs)
            given = dict(zip(names, sample[count:], strict=True))
            return self._evaluate((objective,), sample[:count], variables=given, k=self.phases)

        entries = [Entry(name, type_, "", place) for name, type_ in self.graph.variables]
        values = [variables[name] for name in names]
        return self._map((*inputs, *values), one, entries)[0]

    def results(
        self, inputs: Sequence[Any], targets: Sequence[Any] = ()
    ) -> tuple[list[dict[str, Array]], tuple[Array, ...], float | None]:
        """`trajectory`, the outputs and, where targets or a loss without any are given, the loss, of one
        run."""
        graph = self.graph
        count, names = len(graph.inputs), [slot.name for slot in graph.states]
        entries = graph.targets if targets else ()
        with_loss = graph.loss is not None and len(targets) == len(graph.targets)

        def one(sample: Sequence[Array]) -> list[Array]:
            traces: list[dict[str, Array]] = []
            along = self._phases(sample[:count], traces if with_loss else None)
            found = [value for states in along[1:] for value in states.values()]
            final = along[-1] if self.rest is None else self._final(sample[:count])
            found += self._evaluate(graph.outputs, sample[:count], final=final)
            return found + (self._loss_at(sample, final, traces) if with_loss else [])

        flat = self._map((*inputs, *targets), one, entries)
        phases = 0 if graph.phases is None else self.phases
        ran = len(names) * self.phases
        trajectory = [
            {name: flat[k * len(names) + i] for i, name in enumerate(names)} for k in range(phases)
        ]
        outputs = flat[ran : ran + len(graph.outputs)]
        return trajectory, outputs, float(np.mean(flat[-1])) if with_loss else None

    def disturb(self, change: Callable[[Value], Value] | None) -> None:
        """Apply `change` to every value from here on as it is computed; None: compute as written."""
        self._evaluator.disturbed = change
        self._declared.forget()

    def loss(self, *arguments: Any) -> float:
        """The loss of inputs and targets, averaged over the batch."""
        return float(np.mean(self._map(arguments, self._loss, self.graph.targets)[0]))

    def _map(
        self,
        given: Sequence[Any],
        one: Callable[[Sequence[Array]], list[Array]],
        more: Sequence[Entry] = (),
    ) -> tuple[Array, ...]:
        """Apply `one` to each sample and stack its results."""
        entries = (*self.graph.inputs, *more)
        values = samples.arrays(self.graph, entries, given)
        found = samples.sizes(self.graph, entries, values, self._known_sizes)
        if found != self.sizes:  # what only inputs tell may differ from call to call
            self.sizes.clear()
            self.sizes.update(found)
            self._declared.forget()
        self._evaluator.begin()
        self._declared.begin()
        return samples.each(entries, values, one)

    def _outputs(self, sample: Sequence[Array]) -> list[Array]:
        return self._evaluate(self.graph.outputs, sample, final=self._final(sample))

    def _final(self, sample: Sequence[Array]) -> dict[str, Array]:
        """The states after the last phase, or at rest."""
        if self.rest is None:
            return self._phases(sample)[-1]
        call: dict[int, Value] = {}
        wanted = tuple(slot.update for slot in self.graph.states)

        def step(states: dict[str, Array]) -> dict[str, Array]:
            return self._named(self._evaluate(wanted, sample, state=states, k=1, call=call))

        return come_to_rest(step, self._starts(sample), self.rest)

    def _starts(self, sample: Sequence[Array]) -> dict[str, Array]:
        slots = self.graph.states
        return self._named(self._evaluate(tuple(slot.initial for slot in slots), sample))

    def _named(self, values: Sequence[Array]) -> dict[str, Array]:
        """The values of the states, by name."""
        return {
            slot.name: np.broadcast_to(value, self._evaluator.shape(slot.type))
            for slot, value in zip(self.graph.states, values, strict=False)
        }

    def _states(self, sample: Sequence[Array]) -> list[Array]:
        return [value for states in self._phases(sample)[1:] for value in states.values()]

    def _phases(
        self, sample: Sequence[Array], traces: list[dict[str, Array]] | None = None
    ) -> list[dict[str, Array]]:
        """The states at the start and after each phase."""
        graph = self.graph
        states = self._starts(sample)
        found = [states]
        call: dict[int, Value] = {}  # nodes that no phase changes
        wanted = tuple(slot.update for slot in graph.states)
        if traces is not None:
            wanted += tuple(trace.node for trace in graph.traces)
        for k in range(1, self.phases + 1):
            roots = wanted
            if k == 1:
                firsts = (s.update if s.first is None else s.first for s in graph.states)
                roots = (*firsts, *wanted[len(graph.states) :])
            values = self._evaluate(roots, sample, state=states, k=k, call=call)
            states = self._named(values)
            found.append(states)
            if traces is not None:
                rest = values[len(graph.states) :]
                names = [trace.name for trace in graph.traces]
                traces.append(dict(zip(names, rest, strict=True)))
        return found

    def _loss(self, sample: Sequence[Array]) -> list[Array]:
        traces: list[dict[str, Array]] = []
        inputs = sample[: len(self.graph.inputs)]
        final = self._phases(inputs, traces)[-1] if self.rest is None else self._final(inputs)
        return self._loss_at(sample, final, traces)

    def _loss_at(
        self,
        sample: Sequence[Array],
        final: Mapping[str, Array],
        traces: Sequence[Mapping[str, Array]],
    ) -> list[Array]:
        graph = self.graph
        if graph.loss is None:
            raise InternalError("this program has no loss")
        count = len(graph.inputs)
        inputs = sample[:count]
        targets = dict(zip((t.name for t in graph.targets), sample[count:], strict=True))
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
        return self._evaluate((graph.loss,), inputs, final=final, targets=targets, known=known)

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
        inputs = dict(zip((e.name for e in self.graph.inputs), sample, strict=bool(sample)))

        def leaf(node: Node) -> Value:
            match node.op:
                case ops.Input(name):
                    return inputs[name]
                case ops.Learnable(name):
                    return self._declared.learnable(name, k or 1)
                case ops.Fixed(name):
                    return self.constant(name)
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
                    raise InternalError(f"{node.op} has no value here")

        values: dict[int, Value] = {**self._declared.setup, **(call or {}), **(known or {})}
        before = {*values}
        if not self._frontier:
            self._evaluator.run(self.graph.nodes, wanted, leaf, values)
        else:
            with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
                self._evaluator.run(self.graph.nodes, wanted, leaf, values)
            new = self._frontier.intersection(values) - before
            if sample and not all(is_finite(values[index]) for index in new):
                self._refuse_infinite(values, k)
        for index, value in values.items():
            if self._stages[index] is Stage.SETUP:
                self._declared.setup[index] = value
            elif call is not None and self._stages[index] is Stage.CALL:
                call[index] = value
        return [np.asarray(values[index]) for index in wanted]

    def _refuse_infinite(self, values: Mapping[int, Value], k: int | None) -> None:
        """A value that no input changes is not finite: say which operation made it so."""
        still = quiet(self.graph.nodes)
        known = {index: value for index, value in values.items() if still[index]}
        found = first(self.graph.nodes, known, k or 1)
        if found is not None:
            raise UnrollError([found])
