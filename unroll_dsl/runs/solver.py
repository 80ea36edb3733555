"""A program with all its values, run for any number of phases: a trained network or its classical start."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from unroll_dsl.backends.resting import FIXED_POINT, Rest
from unroll_dsl.data.metrics import Metric
from unroll_dsl.ir import nodes as ops
from unroll_dsl.ir.graph import Graph
from unroll_dsl.passes.extract import restricted
from unroll_dsl.runs.crossing import Curve
from unroll_dsl.spec import Spec

_PART = 64  # samples that are run at a time, at most,
_ENTRIES = 2**20  # and about so many of their entries
_TIMINGS = 6  # the first warms up, where there are others
_WARM = 4  # samples that are run once before, to learn how long they take
_LONG = 0.5  # seconds that all timings of a network should take


@dataclass(frozen=True, slots=True)
class Samples:
    """Inputs in the order of the program, and what they were made of; each [count, ...]."""

    inputs: tuple[Tensor, ...]
    truth: Tensor

    def __len__(self) -> int:
        return len(self.truth)

    def first(self, count: int) -> Samples:
        return Samples(tuple(x[:count] for x in self.inputs), self.truth[:count])

    def rows(self, index: Tensor) -> Samples:
        return Samples(tuple(x[index] for x in self.inputs), self.truth[index])

    def parts(self) -> Iterator[Samples]:
        """In parts whose states over many phases fit in memory."""
        size = max(1, min(_PART, _ENTRIES // max(self.truth[:1].numel(), 1)))
        for start in range(0, len(self), size):
            stop = start + size
            yield Samples(tuple(x[start:stop] for x in self.inputs), self.truth[start:stop])


@dataclass(frozen=True)
class Solver:
    """A program and the values of its names.

    Attributes
    ----------
    values
        Learnables by name, as `Spec.values` gives them; none: the classical ones.
    start
        Values that learnables started from in place of their classical ones.
    order
        Which of the samples' inputs the program takes, in its own order.
    output
        The place of the output that is held against the truth.
    rest
        Of a network at rest: its outputs are those of the fixed point, its `phases` are at most so many.
    """

    name: str
    spec: Spec
    phases: int
    bind: Mapping[str, Any]
    dims: Mapping[str, int]
    values: Mapping[str, Any] = field(default_factory=dict)
    start: Mapping[str, Any] = field(default_factory=dict)
    order: tuple[int, ...] = ()
    output: int = 0
    parameters: int = 0
    classical: bool = False
    rest: Rest | None = None

    def network(self, phases: int | None = None) -> nn.Module:
        """A network of so many of the first phases, or, of a classical iteration, of any number."""
        count = self.phases if phases is None else phases
        init = {name: self._first(name, value, count) for name, value in self.values.items()}
        if self.rest is None or count != self.phases:
            how: dict[str, Any] = {"phases": count}
        else:
            how = {"phases": FIXED_POINT, "tol": self.rest.tolerance, "max_phases": count}
        made = self.spec.compile(
            **how, bind=self.bind, init=init, dims=self.dims, dtype=torch.float32, seed=0
        )
        return made.eval().requires_grad_(False)

    def _kept(self, count: int) -> nn.Module:
        """The network of so many phases, made once: samples come in many parts."""
        if count not in self._networks:
            self._networks[count] = self.network(count)
        return self._networks[count]

    @cached_property
    def _networks(self) -> dict[int, nn.Module]:
        return {}

    def _first(self, name: str, value: Any, count: int) -> Any:
        if not self._per_phase[name]:
            return value
        if isinstance(value, Mapping):
            return {key: tensor[:count] for key, tensor in value.items()}
        return value[:count]

    @cached_property
    def _per_phase(self) -> dict[str, bool]:
        return {p.name: p.per_phase for p in self.spec.graph.parameters}

    @cached_property
    def has_phases(self) -> bool:
        return self.spec.graph.phases is not None

    def inputs(self, samples: Samples) -> tuple[Tensor, ...]:
        return tuple(samples.inputs[i] for i in self.order) if self.order else samples.inputs

    def after(self, counts: Sequence[int], samples: Samples) -> list[Tensor]:
        """The output after each of so many phases, in the shape of the truth."""
        state = final_state(self.spec.graph, self.output)
        inputs = self.inputs(samples)
        with torch.inference_mode():
            if state is not None and self.has_phases:
                states = self._kept(max(counts)).trajectory(*inputs)  # type: ignore[operator]
                found = [states[k - 1][state] for k in counts]
            else:
                found = [self.compared(self._kept(k)(*inputs)) for k in counts]
        return [x.reshape(samples.truth.shape) for x in found]

    def beginning(self, samples: Samples) -> Tensor | None:
        """The state that the output begins as; None where it has none or that is no image of it."""
        graph = self.spec.graph
        state = final_state(graph, self.output)
        slot = next((s for s in graph.states if s.name == state), None)
        if slot is None:
            return None
        spec = self.spec.over(restricted(graph, [slot.initial]))
        bind = {k: v for k, v in self.bind.items() if k in {c.name for c in spec.graph.constants}}
        reference = spec.reference(1, bind=bind, dims=self.dims)
        wanted = [e.name for e in spec.graph.inputs]
        given = dict(zip((e.name for e in graph.inputs), self.inputs(samples), strict=True))
        found = torch.as_tensor(np.asarray(reference(*(given[name].numpy() for name in wanted))))
        found = found.to(samples.truth.dtype)
        return found.expand(samples.truth.shape) if found.ndim <= samples.truth.ndim else None

    def compared(self, outputs: Any) -> Tensor:
        """Of all outputs of the network the one that is held against the truth."""
        found = outputs[self.output] if isinstance(outputs, tuple) else outputs
        assert isinstance(found, Tensor)
        return found

    def seconds(self, samples: Samples, phases: int | None = None) -> float:
        """The time of one inference for a sample: the median of several runs of a batch.

        On one thread, so that figures can be compared whatever else the machine does. Where a batch takes long it is
        a smaller one, and runs are fewer.
        """
        network = self.network(phases).freeze()  # type: ignore[operator]
        with torch.inference_mode(), _one_thread():
            few = samples.first(_WARM)
            first = _taken(network, self.inputs(few)) / len(few)
            some = samples.first(max(_WARM, min(_PART, int(_LONG / max(first, 1e-9)))))
            inputs = self.inputs(some)
            taken = [_taken(network, inputs)]
            while len(taken) < _TIMINGS and sum(taken) < _LONG:
                taken.append(_taken(network, inputs))
        return median(taken[len(taken) > 1 :]) / len(some)


def _taken(network: nn.Module, inputs: Sequence[Tensor]) -> float:
    begin = time.perf_counter()
    network(*inputs)
    return time.perf_counter() - begin


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def quality(
    solver: Solver, counts: Sequence[int], samples: Sequence[Samples], metric: Metric
) -> Curve:
    """The metric over all samples after each of so many phases."""
    pairs: list[list[tuple[Tensor, Tensor]]] = [[] for _ in counts]
    for group in samples:
        for part in group.parts():
            for place, found in enumerate(solver.after(counts, part)):
                pairs[place].append((found, part.truth))
    values = tuple(metric.over(each) for each in pairs)
    return Curve(
        solver.name,
        tuple(float(k) for k in counts),
        values,
        parameters=solver.parameters,
        classical=solver.classical,
    )


def same(one: Sequence[Samples], other: Sequence[Samples]) -> bool:
    """Whether two sets have the same truths, so that qualities on them can be compared."""
    return len(one) == len(other) and all(
        torch.equal(a.truth, b.truth) for a, b in zip(one, other, strict=True)
    )


def final_state(graph: Graph, output: int) -> str | None:
    """The state that an output is; None where it is a formula."""
    op = graph.nodes[graph.outputs[output]].op
    return op.name if isinstance(op, ops.Final) else None


def steps_up_to(most: int) -> tuple[int, ...]:
    """Numbers of iterations: all of few, then ever fewer of many."""
    found = [*range(1, min(most, 20) + 1)]
    while found[-1] < most:
        found.append(min(most, max(found[-1] + 1, round(found[-1] * 1.1))))
    return tuple(found)
