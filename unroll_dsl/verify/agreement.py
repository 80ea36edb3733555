"""The torch network against the NumPy reference, and against a classical program."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from unroll_dsl.driver import check_program
from unroll_dsl.ir.graph import Graph
from unroll_dsl.ir.nodes import Fixed, Stage
from unroll_dsl.ir.stages import stages
from unroll_dsl.passes.dead import dead
from unroll_dsl.passes.solving import routes
from unroll_dsl.spec import Spec
from unroll_dsl.syntax.nodes import Declaration, Let, Name, Role, Sharing, SpaceType
from unroll_dsl.types import Array
from unroll_dsl.verify.instance import Instance
from unroll_dsl.verify.report import Row, Verdict, judged
from unroll_dsl.verify.run import as_spec
from unroll_dsl.verify.using import difference, network, reference, several, tensors

_PRECISIONS = ((torch.float64, 1e-12), (torch.float32, 1e-5))
# An ill-conditioned program may lose more than a tolerance, in any arithmetic. Allowed is so much times
# what rounding its data to that precision changes, and what a system of its condition may lose.
_AMPLIFIED = 20.0
# Conjugate gradients stop at a residual of 10 rounding units.
_ITERATED = 20.0


def _iterates(graph: Graph) -> bool:
    return any(route.name == "conjugate gradients" for route in routes(graph))


def check_agreement(spec: Spec, instance: Instance, phases: int) -> list[Row]:
    """States at every phase, outputs and loss, in both precisions."""
    rows = []
    graph = spec.graph
    for dtype, tolerance in _PRECISIONS:
        name = str(dtype).removeprefix("torch.")
        net = network(spec, instance, phases, dtype)
        ref = reference(spec, instance, phases, network(spec, instance, phases, torch.float64))
        inputs = tensors(instance.inputs, dtype)
        amplified = _AMPLIFIED * _sensitivity(spec, instance, phases, ref, dtype)
        solved = ref.condition * torch.finfo(dtype).eps * (_ITERATED if _iterates(graph) else 1)
        allowed = max(tolerance, amplified, solved)
        worst, where = 0.0, ""
        if graph.states:
            ours, theirs = net.trajectory(*inputs), ref.trajectory(*instance.inputs)
            scales = _scales(theirs)
            for k, (found, expected) in enumerate(zip(ours, theirs, strict=True), start=1):
                for state, value in found.items():
                    gap = difference(value, expected[state], scales[state])
                    if not gap <= worst:
                        worst, where = gap, f"largest for `{state}` in phase {k}"
            rows.append(judged("torch against NumPy", f"states, {name}", worst, allowed, where))
        outputs = several(net(*inputs))
        expected_outputs = several(ref(*instance.inputs))
        gap = max(
            difference(a, np.asarray(b)) for a, b in zip(outputs, expected_outputs, strict=True)
        )
        rows.append(judged("torch against NumPy", f"outputs, {name}", gap, allowed))
        if graph.loss is not None:
            targets = tensors(instance.targets, dtype)
            expected_loss = np.asarray(ref.loss(*instance.inputs, *instance.targets))
            gap = difference(net.loss(*inputs, *targets), expected_loss)
            rows.append(judged("torch against NumPy", f"loss, {name}", gap, allowed))
    return rows


def _scales(trajectory: list[dict[str, Any]]) -> dict[str, float]:
    """What the error of a state is relative to: its largest entry in any phase; of one that stays near
    0, a thousandth of the largest of all."""
    sizes = {
        state: max(float(np.abs(values[state]).max(initial=0.0)) for values in trajectory)
        for state in (trajectory[0] if trajectory else {})
    }
    largest = max(sizes.values(), default=0.0)
    return {state: max(size, 1e-3 * largest) for state, size in sizes.items()}


def _sensitivity(
    spec: Spec, instance: Instance, phases: int, exact: Any, dtype: torch.dtype
) -> float:
    """What the reference changes by when its data is perturbed by the unit roundoff of `dtype`."""
    rng = np.random.default_rng(0)
    roundoff = torch.finfo(dtype).eps / 2

    def moved(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: moved(piece) for key, piece in value.items()}
        if not isinstance(value, np.ndarray) or value.dtype == bool or _is_binary(value):
            return value
        return value * (1 + roundoff * rng.uniform(-1, 1, value.shape))

    perturbed = dataclasses.replace(
        instance,
        bind={name: moved(value) for name, value in instance.bind.items()},
        init={name: moved(value) for name, value in instance.init.items()},
        inputs=tuple(moved(array) for array in instance.inputs),
    )
    other = spec.reference(phases, bind=perturbed.bind, init=perturbed.init, dims=perturbed.sizes)
    first, second = exact.trajectory(*instance.inputs), other.trajectory(*perturbed.inputs)
    scales = _scales(first)
    gaps = [
        difference(np.asarray(b[state]), np.asarray(a[state]), scales[state])
        for a, b in zip(first, second, strict=True)
        for state in a
    ]
    gaps += [
        difference(np.asarray(b), np.asarray(a))
        for a, b in zip(
            several(exact(*instance.inputs)), several(other(*perturbed.inputs)), strict=True
        )
    ]
    return max(gaps, default=0.0)


def _is_binary(value: Any) -> bool:
    """Masks stay masks."""
    return bool(np.isin(value, (0, 1)).all())


def check_against(spec: Spec, classical: Spec, instance: Instance, phases: int) -> list[Row]:
    """The untrained program against a classical one, phase by phase.

    Names that both have mean the same (a `let` of the classical program takes this program's
    value); other inputs, constants and states are matched in order, by their types.
    """
    group = f"against {classical.name}"
    same = {slot.name for slot in spec.graph.states}
    other = _open_lets(classical, spec)
    pairs: list[str] = []
    bind: dict[str, Any] = {}
    ref = spec.reference(phases, bind=instance.bind, init=instance.init, dims=instance.sizes)
    constants = [c for c in spec.graph.constants if isinstance(c.type, Array)]
    taken: set[str] = set()
    for wanted in other.graph.constants:
        value = _named_value(spec, instance, wanted.name)
        if value is not None:
            bind[wanted.name] = value
            taken.add(wanted.name)
            pairs.append(f"{wanted.name} = {wanted.name}")
    for wanted in other.graph.constants:
        if wanted.name in bind or not isinstance(wanted.type, Array):
            continue
        match = next(
            (
                c
                for c in constants
                if c.name not in taken
                and isinstance(c.type, Array)
                and c.type.rank == wanted.type.rank
            ),
            None,
        )
        if match is not None:
            taken.add(match.name)
            bind[wanted.name] = ref.constant(match.name)
            pairs.append(f"{wanted.name} = {match.name}")
    ranks = [e.type.rank for e in spec.graph.inputs], [e.type.rank for e in other.graph.inputs]
    if ranks[0] != ranks[1]:
        return [Row(group, "inputs", Verdict.FAILED, detail="the inputs do not correspond")]
    pairs += [
        f"{b.name} = {a.name}" for a, b in zip(spec.graph.inputs, other.graph.inputs, strict=True)
    ]
    classical_ref = other.reference(phases, bind=bind)
    net = network(spec, instance, phases, torch.float64)
    ours = net.trajectory(*tensors(instance.inputs, torch.float64))
    theirs = classical_ref.trajectory(*instance.inputs)
    names = _states(spec.graph, other.graph, same)
    if not names:
        return [Row(group, "states", Verdict.FAILED, detail="no states correspond")]
    worst = 0.0
    for found, expected in zip(ours, theirs, strict=True):
        for mine, yours in names.items():
            if mine in found:
                worst = max(worst, difference(found[mine], expected[yours]))
    pairs += [f"{yours} = {mine}" for mine, yours in names.items()]
    detail = "with " + ", ".join(pairs)
    return [judged(group, "states at every phase", worst, 1e-12, detail)]


def _states(graph: Graph, other: Graph, same: set[str]) -> dict[str, str]:
    """States of one program and those of the other that they are."""
    found = {slot.name: slot.name for slot in other.states if slot.name in same}
    if found:
        return found
    pairs = zip(graph.states, other.states, strict=False)
    return {a.name: b.name for a, b in pairs if a.type.rank == b.type.rank}


def _open_lets(classical: Spec, spec: Spec) -> Spec:
    """`classical` with those scalar lets that `spec` names too as fixed values, to be bound."""
    known = {node.label for node in spec.graph.nodes if node.label is not None}
    statements = []
    for statement in classical.program.statements:
        if isinstance(statement, Let) and statement.name.text in known:
            span = statement.span
            scalar = SpaceType(Name("scalar", span), (), False, span)
            statements.append(
                Declaration(
                    Role.FIXED,
                    (statement.name,),
                    scalar,
                    None,
                    Sharing.SHARED,
                    statement.value,
                    statement.comment,
                    span,
                )
            )
        else:
            statements.append(statement)  # type: ignore[arg-type]
    program = dataclasses.replace(classical.program, statements=tuple(statements))
    checked = check_program(program)
    return classical if checked.has_errors else Spec(checked)


def _named_value(spec: Spec, instance: Instance, name: str) -> Any:
    """The value of a fixed name or of a set-up `let` of a program, or None."""
    found = stages(spec.graph)
    for index, node in enumerate(spec.graph.nodes):
        is_let = node.label == name and bool(node.args) and found[index] is Stage.SETUP
        if is_let or node.op == Fixed(name):
            whole = dataclasses.replace(
                spec.graph,
                inputs=(),
                states=(),
                traces=(),
                outputs=(index,),
                targets=(),
                loss=None,
                objective=None,
                variables=(),
                phases=None,
            )
            given: dict[str, Any] = {
                "bind": instance.bind,
                "init": instance.init,
                "dims": instance.sizes,
            }
            return as_spec(spec, dead(whole)).reference(1, **given)()
    return None
