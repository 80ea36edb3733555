"""The objective along the phases, and whether the iteration rests where it is smallest."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from unroll_dsl.spec import Spec
from unroll_dsl.verify.instance import Instance
from unroll_dsl.verify.report import Row, Verdict, judged

_LONG = (300, 3000, 20000)
_RESTS = 1e-9


def check_objective(
    spec: Spec, instance: Instance, phases: int, seed: int, along: list[float]
) -> list[Row]:
    """Whether the objective falls; and whether a long run comes to rest at a minimiser.

    The minimiser is recognised without trusting the iteration: no step in any of many random
    directions makes the objective smaller.
    """
    group = "objective"
    graph = spec.graph
    if graph.objective is None or not graph.states:
        return []
    names = [name for name, _ in graph.variables]
    if not set(names) <= {slot.name for slot in graph.states}:
        detail = "its variables are not states"
        return [Row(group, "along the phases", Verdict.SKIPPED, detail=detail)]
    inputs = tuple(value[:1] for value in instance.inputs)
    given: dict[str, Any] = {"bind": instance.bind, "init": instance.init, "dims": instance.sizes}
    ref = spec.reference(phases, **given)
    for states in ref.trajectory(*inputs):
        along.append(float(ref.objective({n: states[n] for n in names}, *inputs)[0]))
    slack = 1e-12 * max(abs(value) for value in along)
    rises = sum(b > a + slack for a, b in pairwise(along))
    detail = "in every phase" if not rises else f"rises in {rises} phases of {len(along) - 1}"
    rows = [Row(group, "falls", Verdict.NOTE, along[0] - along[-1], None, detail)]
    if graph.parameters:
        rows.append(
            Row(
                group,
                "minimiser",
                Verdict.SKIPPED,
                detail="it has learnables: a network of its own",
            )
        )
        return rows
    for count in _LONG:
        long = spec.reference(count, **given)
        before, last = long.trajectory(*inputs)[-2:]
        moved = max(
            float(np.abs(last[n] - before[n]).max() / max(np.abs(last[n]).max(), 1e-30))
            for n in names
        )
        if moved <= _RESTS:
            break
    else:
        detail = f"still moving by {moved:.1e} a phase after {count} phases"
        return [*rows, Row(group, "fixed point", Verdict.NOTE, moved, None, detail)]
    rows.append(judged(group, "comes to rest", moved, _RESTS, f"relative change in phase {count}"))
    rng = np.random.default_rng(seed)
    best = float(long.objective({n: last[n] for n in names}, *inputs)[0])
    gain = 0.0
    for scale in (1e-1, 1e-3, 1e-5):
        for _ in range(30):
            near = {n: last[n] + scale * rng.standard_normal(last[n].shape) for n in names}
            gain = max(gain, best - float(long.objective(near, *inputs)[0]))
    detail = "what the best of 90 steps away from it gains, relative"
    value = gain / max(abs(best), 1e-30)
    rows.append(judged(group, "rests at the minimiser", value, 1e-9, detail))
    return rows
