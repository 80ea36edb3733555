"""The untrained network against a classical program, phase by phase."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.driver import check_program
from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Stage
from unroll_dsl.ir.stages import stages
from unroll_dsl.programs.open_lets import with_open_lets
from unroll_dsl.spec import Spec
from unroll_dsl.types import SCALAR, Array
from unroll_dsl.verify.agreement import ReferenceRun
from unroll_dsl.verify.counterpart import counterpart
from unroll_dsl.verify.instance import Instance, draw
from unroll_dsl.verify.networks import (
    difference,
    exceeds,
    network,
    several,
    tensors,
    with_random_starts,
)
from unroll_dsl.verify.report import Row, Verdict, judged

_TOLERANCE = 1e-12
_NORM = 3.0
_DIFFERS = 1e-9  # relative, of two values of the same name


def check_against(
    spec: Spec, classical: Spec, instance: Instance, phases: int, drawn: bool = False
) -> list[Row]:
    """States at every phase and outputs of the untrained program against those of a classical one.

    Constants that both declare mean the same, and so does a scalar that this program declares `fixed` and the
    classical one derives (`let L`); other inputs, constants and states are matched in order, by their types.
    What both derive the classical program derives by itself: this program's value is under test.
    """
    classical = _open(classical, spec)
    group = f"against {classical.name}"
    suffix = ", other constants" if drawn else ""
    ranks = [[e.type.rank for e in s.graph.inputs] for s in (spec, classical)]
    if ranks[0] != ranks[1]:
        return [Row(group, "inputs", Verdict.FAILED, detail="the inputs do not correspond")]
    names = _states(spec.graph, classical.graph)
    if not names and (spec.graph.states or classical.graph.states):
        return [Row(group, "states", Verdict.FAILED, detail="no states correspond")]
    given, pairs = counterpart(spec, classical, instance, phases)
    pairs += [
        f"{b.name} = {a.name}"
        for a, b in zip(spec.graph.inputs, classical.graph.inputs, strict=True)
    ]
    pairs += [f"{yours} = {mine}" for mine, yours in names.items()]
    theirs = ReferenceRun.of(classical, given, phases)
    net = network(spec, instance, phases, torch.float64)
    inputs = tensors(instance.inputs, torch.float64)
    outputs = _outputs(group, suffix, several(net(*inputs)), theirs.outputs)
    if not names:  # what has no phases is its outputs
        return [outputs]
    worst, where = 0.0, ""
    for k, (found, expected) in enumerate(
        zip(net.trajectory(*inputs), theirs.trajectory, strict=True), start=1
    ):
        for mine, yours in names.items():
            gap = difference(found[mine], expected[yours]) if mine in found else 0.0
            if exceeds(gap, worst):
                worst, where = gap, f"largest for `{mine}` in phase {k}; "
    hints = "" if worst <= _TOLERANCE else _hints(spec, classical, instance, given, phases)
    detail = f"{where if worst > _TOLERANCE else ''}with {', '.join(pairs)}{hints}"
    rows = [judged(group, f"states at every phase{suffix}", worst, _TOLERANCE, detail)]
    return [*rows, outputs]


def check_other_constants(
    spec: Spec, classical: Spec, seed: int, dims: Mapping[str, int] | None, phases: int
) -> list[Row]:
    """The same with the defaults of constants drawn too, where a 1 hides no factor, and larger matrices."""
    try:
        drawn = draw(spec.graph, seed=seed + 1, dims=dims, norm=_NORM, constants=True)
        return check_against(
            spec, classical, with_random_starts(spec, drawn, phases), phases, drawn=True
        )
    except UnrollError as error:  # these values are none that both programs allow
        detail = error.diagnostics[0].message()
        row = Row(f"against {classical.name}", "other constants", Verdict.SKIPPED, detail=detail)
        return [row]


def _outputs(group: str, suffix: str, ours: tuple[Any, ...], theirs: tuple[Any, ...]) -> Row:
    name = f"outputs{suffix}"
    shapes = [[tuple(value.shape) for value in values] for values in (ours, theirs)]
    if shapes[0] != shapes[1]:
        detail = f"they do not correspond: {len(ours)} here, {len(theirs)} there, or other shapes"
        return Row(group, name, Verdict.FAILED, detail=detail)
    gaps = [difference(a, np.asarray(b)) for a, b in zip(ours, theirs, strict=True)]
    place = int(np.argmax(gaps))
    detail = f"largest for output {place + 1}" if len(gaps) > 1 else ""
    return judged(group, name, gaps[place], _TOLERANCE, detail)


def _states(graph: Graph, other: Graph) -> dict[str, str]:
    """States of one program and those of the other that they are."""
    same = {slot.name for slot in graph.states}
    found = {slot.name: slot.name for slot in other.states if slot.name in same}
    if found:
        return found
    pairs = zip(graph.states, other.states, strict=False)
    return {a.name: b.name for a, b in pairs if a.type.rank == b.type.rank}


def _open(classical: Spec, spec: Spec) -> Spec:
    """`classical` with those scalar lets that `spec` declares as constants as constants too."""
    declared = {c.name for c in spec.graph.constants if c.type == SCALAR}
    checked = check_program(with_open_lets(classical.program, declared))
    return classical if checked.has_errors else Spec(checked)


def _hints(spec: Spec, classical: Spec, instance: Instance, given: Instance, phases: int) -> str:
    """Derived scalars of the same name that have other values, with their lines."""
    theirs = _scalars(classical, given, phases)
    ours = _scalars(spec, instance, phases)
    words = [
        f"; `{name}` (line {line}) is {value:.4g} here, {theirs[name][0]:.4g} there"
        for name, (value, line) in ours.items()
        if name in theirs and abs(value - theirs[name][0]) > _DIFFERS * abs(theirs[name][0])
    ]
    return "".join(words)


def _scalars(spec: Spec, instance: Instance, phases: int) -> dict[str, tuple[float, int]]:
    """The scalar `let`s that depend on constants alone, with their lines."""
    found = stages(spec.graph)
    places = {
        node.label: (index, node.origin.line)
        for index, node in enumerate(spec.graph.nodes)
        if node.label is not None
        and node.args
        and node.origin is not None
        and found[index] is Stage.SETUP
        and isinstance(node.type, Array)
        and node.type.rank == 0
    }
    ref = spec.reference(phases, **instance.arguments())
    try:
        values = ref.before_inputs([index for index, _ in places.values()], 1)
    except KeyError:  # a size that only inputs tell
        return {}
    pairs = zip(places.items(), values, strict=True)
    return {name: (float(np.real(value)), line) for (name, (_, line)), value in pairs}
