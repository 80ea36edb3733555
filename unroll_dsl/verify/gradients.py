"""Gradients of every learnable against differences along random directions."""

from __future__ import annotations

import itertools
import math
from typing import Any

import torch

from unroll_dsl.backends.resting import Phases
from unroll_dsl.backends.torch.names import identifier
from unroll_dsl.ir.nodes import ApplyLayer
from unroll_dsl.spec import Spec
from unroll_dsl.verify.instance import Instance
from unroll_dsl.verify.networks import network, several, tensors
from unroll_dsl.verify.report import Row, Verdict, judged

_STEPS = (1e-6, 3e-7, 1e-7, 3e-6, 1e-5, 3e-8)
_TOLERANCE = 1e-5
# where layers are: any step crosses kinks of some of their many units, which a gradient does not see
_WITH_LAYERS = 1e-2
_BLURRED = 5.0  # times the least distance of two differences: no less is known of them


def check_gradients(spec: Spec, instance: Instance, phases: Phases, seed: int) -> list[Row]:
    """One row a learnable: the gap between the derivative along a random direction, in all its phases at
    once, and a central difference, relative to the larger of the two."""
    net = network(spec, instance, phases, torch.float64)
    inputs = tensors(instance.inputs, torch.float64)
    targets = tensors(instance.targets, torch.float64)
    generator = torch.Generator().manual_seed(seed)
    weights = [
        torch.randn(o.shape, generator=generator, dtype=torch.float64)
        for o in several(net(*inputs))
    ]
    # off the classical values, where shrinkage often stands exactly at a kink
    with torch.no_grad():
        for p in net.parameters():
            noise = torch.randn(p.shape, generator=generator, dtype=torch.float64)
            p.add_(0.01 * noise.to(p.dtype) * (p.abs().mean() + 0.1))

    def value() -> torch.Tensor:
        if spec.graph.loss is not None:
            return net.loss(*inputs, *targets)  # type: ignore[no-any-return]
        outputs = several(net(*inputs))
        total = sum((w * o).sum() for w, o in zip(weights, outputs, strict=True))
        assert isinstance(total, torch.Tensor)
        return total.real

    parameters = dict(net.named_parameters())
    spelt = {identifier(p.name): p.name for p in spec.graph.parameters}
    floor = max(1e-4 * abs(float(value().detach())), 1e-6)  # below it a difference is rounding
    if not parameters:
        return []
    gradients = torch.autograd.grad(value(), list(parameters.values()), allow_unused=True)
    layers = any(isinstance(node.op, ApplyLayer) for node in spec.graph.nodes)
    limit = _WITH_LAYERS if layers else _TOLERANCE
    worst: dict[str, tuple[float, float]] = {}
    reached: dict[str, bool] = {}
    groups: dict[str, list[tuple[Any, Any]]] = {}
    for (key, p), slope_of in zip(parameters.items(), gradients, strict=True):
        groups.setdefault(spelt[learnable_of(key)], []).append((p, slope_of))
    for name, pairs in groups.items():
        # all phases and pieces together: a random direction makes none vanish
        directions = [
            torch.randn(p.shape, generator=generator, dtype=torch.float64).to(p.dtype)
            for p, _ in pairs
        ]
        # many entries together go far: not so far that they cross many kinks
        length = math.sqrt(sum(float(d.norm()) ** 2 for d in directions))
        directions = [d / max(1.0, length / 10) for d in directions]
        slope = sum(
            float((g.conj() * d).sum().real)
            for (_, g), d in zip(pairs, directions, strict=True)
            if g is not None
        )
        moved = [p for p, _ in pairs]
        worst[name] = _gap(moved, directions, value, slope, floor, limit)
        reached[name] = any(g is not None and bool(g.abs().max() > 0) for _, g in pairs)
    rows = []
    for name, (gap, allowed) in worst.items():
        rows.append(judged("gradients against differences", name, gap, allowed))
        if not reached[name]:
            detail = "its gradient is zero on this instance"
            rows.append(Row("gradients against differences", name, Verdict.NOTE, detail=detail))
    return rows


def _gap(
    moved: list[Any],
    directions: list[torch.Tensor],
    value: Any,
    slope: float,
    floor: float,
    limit: float,
) -> tuple[float, float]:
    """The relative gap between a slope and the difference that is nearest to it, and what it may be: as
    much as neighbouring differences, whose steps differ, have in common, where that is more than `limit`."""
    found: list[float] = []
    for step in _STEPS:  # shorter ones where the first spans a kink of some relu or shrinkage
        found.append(_difference(moved, directions, value, step))
        if abs(slope - found[-1]) <= limit * max(abs(slope), abs(found[-1]), floor):
            break
    gaps = [abs(slope - d) / max(abs(slope), abs(d), floor) for d in found]
    place = min(range(len(gaps)), key=lambda i: (gaps[i] != gaps[i], gaps[i]))
    gap = gaps[place]
    if gap <= limit or len(found) < len(_STEPS):
        return gap, limit
    # differences are no better known than they agree with one another
    ordered = [d for _, d in sorted(zip(_STEPS, found, strict=True))]
    apart = min(abs(a - b) for a, b in itertools.pairwise(ordered))
    blur = _BLURRED * apart / max(abs(slope), abs(found[place]), floor)
    return gap, max(limit, min(blur, _WITH_LAYERS))


def learnable_of(key: str) -> str:
    """The learnable that a parameter belongs to: `phases.3.D.0.weight` to `D`."""
    parts = key.split(".")
    return parts[2] if parts[0] == "phases" and len(parts) > 2 else parts[0]


def _difference(moved: list[Any], directions: list[torch.Tensor], value: Any, step: float) -> float:
    with torch.no_grad():
        starts = [p.detach().clone() for p in moved]

        def at(signed: float) -> float:
            for p, start, direction in zip(moved, starts, directions, strict=True):
                p.copy_(start + signed * direction)
            return float(value())

        above, below = at(step), at(-step)
        at_start = zip(moved, starts, strict=True)
        for p, start in at_start:
            p.copy_(start)
    return (above - below) / (2 * step)
