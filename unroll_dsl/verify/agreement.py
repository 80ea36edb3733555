"""The torch network against the NumPy reference."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from unroll_dsl.ir.graph import Graph
from unroll_dsl.passes.routes import routes
from unroll_dsl.spec import Spec
from unroll_dsl.verify.instance import Instance
from unroll_dsl.verify.networks import difference, exceeds, network, several, tensors
from unroll_dsl.verify.report import Row, Verdict, judged

_PRECISIONS = ((torch.float64, 1e-12), (torch.float32, 1e-5))
# An ill-conditioned program may lose more than a tolerance, in any arithmetic. Allowed is so much times
# what rounding every value to that precision changes, and what a system of its condition may lose.
_AMPLIFIED = 20.0
# Conjugate gradients stop at a residual of 10 rounding units.
_ITERATED = 20.0
_GROUP = "torch against NumPy"
_NO_DIGITS = 0.03  # where rounding changes as much, agreement says nothing
_ROUNDINGS = 2


def _iterates(graph: Graph) -> bool:
    return any(route.name == "conjugate gradients" for route in routes(graph))


def check_agreement(spec: Spec, instance: Instance, phases: int) -> list[Row]:
    """States at every phase, outputs and loss, in both precisions."""
    exact = ReferenceRun.of(spec, instance, phases)
    broken = exact.not_finite()
    if broken:
        return [Row(_GROUP, "finite", Verdict.FAILED, detail=broken)]
    rows = []
    for dtype, tolerance in _PRECISIONS:
        name = str(dtype).removeprefix("torch.")
        gaps = _gaps(spec, instance, phases, exact, dtype)
        allowed = tolerance
        if not all(gap <= tolerance for _, gap, _ in gaps):
            allowed = max(tolerance, _enough(spec, instance, phases, exact, dtype, gaps))
        for what, gap, where in gaps:
            row = judged(_GROUP, f"{what}, {name}", gap, allowed, where)
            if allowed > _NO_DIGITS and np.isfinite(gap):
                words = "rounding alone changes it as much on this instance; another --seed?"
                row = dataclasses.replace(row, verdict=Verdict.UNDECIDED, detail=words)
            rows.append(row)
    return rows


def _gaps(
    spec: Spec, instance: Instance, phases: int, exact: ReferenceRun, dtype: torch.dtype
) -> list[tuple[str, float, str]]:
    """What is compared, the largest relative difference, and where it is."""
    net = network(spec, instance, phases, dtype)
    inputs = tensors(instance.inputs, dtype)
    found: list[tuple[str, float, str]] = []
    if spec.graph.states:
        worst, where = 0.0, ""
        scales = _scales(exact.trajectory)
        along = zip(net.trajectory(*inputs), exact.trajectory, strict=True)
        for k, (ours, theirs) in enumerate(along, start=1):
            for state, value in ours.items():
                gap = difference(value, theirs[state], scales[state])
                if exceeds(gap, worst):
                    worst, where = gap, f"largest for `{state}` in phase {k}"
        found.append(("states", worst, where))
    pairs = zip(several(net(*inputs)), exact.outputs, strict=True)
    gaps = [difference(a, np.asarray(b)) for a, b in pairs]
    found.append(("outputs", float(np.max(gaps)), ""))  # NaN if any is
    if exact.loss is not None:
        targets = tensors(instance.targets, dtype)
        gap = difference(net.loss(*inputs, *targets), np.asarray(exact.loss))
        found.append(("loss", gap, ""))
    return found


def _enough(
    spec: Spec,
    instance: Instance,
    phases: int,
    exact: ReferenceRun,
    dtype: torch.dtype,
    gaps: list[tuple[str, float, str]],
) -> float:
    """What rounding may lose on the first sample, if the gaps are within it, else on all of them."""
    first = instance.first()
    found = _allowed(spec, first, phases, ReferenceRun.of(spec, first, phases), dtype)
    if all(gap <= found for _, gap, _ in gaps):
        return found
    return max(found, _allowed(spec, instance, phases, exact, dtype))


def _allowed(
    spec: Spec, instance: Instance, phases: int, exact: ReferenceRun, dtype: torch.dtype
) -> float:
    """What arithmetic of a precision may lose on an instance."""
    roundoff = torch.finfo(dtype).eps
    changed = [
        _changed(exact, ReferenceRun.of(spec, instance, phases, roundoff / 2, seed))
        for seed in range(_ROUNDINGS)
    ]
    solved = exact.condition * roundoff * (_ITERATED if _iterates(spec.graph) else 1)
    return max(_AMPLIFIED * max(changed), solved)


@dataclass(frozen=True, slots=True)
class ReferenceRun:
    """What the reference makes of an instance."""

    trajectory: list[dict[str, Any]]
    outputs: tuple[Any, ...]
    loss: float | None
    condition: float

    @classmethod
    def of(
        cls, spec: Spec, instance: Instance, phases: int, roundoff: float = 0.0, seed: int = 0
    ) -> ReferenceRun:
        """With `roundoff` every value that is computed is moved by as much, relative, at random: what
        this changes is what any arithmetic of that precision may lose."""
        ref = spec.reference(phases, **instance.arguments())
        if roundoff:
            ref.disturb(_moved(roundoff, seed))
        targets = instance.targets if spec.graph.loss is not None else ()
        with np.errstate(all="ignore"):
            trajectory, outputs, loss = ref.results(instance.inputs, targets)
        return cls(trajectory, outputs, loss, ref.condition)

    def not_finite(self) -> str:
        """The first value that is no number, in words; none if all are."""
        for k, states in enumerate(self.trajectory, start=1):
            for name, value in states.items():
                if not np.isfinite(value).all():
                    return f"`{name}` is not finite in phase {k}"
        if not all(np.isfinite(value).all() for value in self.outputs):
            return "an output is not finite"
        if self.loss is not None and not np.isfinite(self.loss):
            return "the loss is not finite"
        return ""


def _scales(trajectory: list[dict[str, Any]]) -> dict[str, float]:
    """What the error of a state is relative to: its largest entry in any phase; of one that stays near
    0, a thousandth of the largest of all."""
    sizes = {
        state: max(float(np.abs(values[state]).max(initial=0.0)) for values in trajectory)
        for state in (trajectory[0] if trajectory else {})
    }
    largest = max(sizes.values(), default=0.0)
    return {state: max(size, 1e-3 * largest) for state, size in sizes.items()}


def _moved(roundoff: float, seed: int) -> Callable[[Any], Any]:
    """Rounding as noise. Whole numbers, as counts and masks, are exact in any precision."""
    rng = np.random.default_rng(seed)

    def moved(value: Any) -> Any:
        if not isinstance(value, np.ndarray) or value.dtype == bool:
            return value
        with np.errstate(all="ignore"):
            if (value == np.rint(value.real)).all():
                return value
        return value * (1 + roundoff * rng.uniform(-1, 1, value.shape))

    return moved


def _changed(exact: ReferenceRun, other: ReferenceRun) -> float:
    scales = _scales(exact.trajectory)
    gaps = [
        difference(np.asarray(b[state]), np.asarray(a[state]), scales[state])
        for a, b in zip(exact.trajectory, other.trajectory, strict=True)
        for state in a
    ]
    gaps += [
        difference(np.asarray(b), np.asarray(a))
        for a, b in zip(exact.outputs, other.outputs, strict=True)
    ]
    if exact.loss is not None and other.loss is not None:
        gaps.append(difference(np.asarray(other.loss), np.asarray(exact.loss)))
    finite = [gap for gap in gaps if np.isfinite(gap)]
    return max(finite, default=0.0) if len(finite) == len(gaps) else float("inf")
