"""Where a long run of an untrained network goes: to rest, out of bounds, or neither."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from unroll_dsl.ir.graph import Graph, Random
from unroll_dsl.passes.analysis.liveness import liveness
from unroll_dsl.spec import Spec
from unroll_dsl.verify.instance import Instance
from unroll_dsl.verify.networks import network, tensors

Numbers = NDArray[Any]
States = dict[str, Numbers]

_LONG = (300, 3000)
_LONG_PER_PHASE = (300, 1200)  # where every phase is a module of its own
_PATIENCE = 0.4  # seconds of computing for the shorter run, above which there is no longer one
_RESTS = 1e-10  # relative change of a phase below which a run rests
_GROWN = 1e3  # so many times its early size, and still at its largest: out of bounds
_LESSER = (
    0.9  # a run that comes to rest moves less than this in its last half, of what it did before
)


class End(Enum):
    """What a run comes to."""

    RESTS = "rests"
    DIVERGES = "diverges"
    WANDERS = "wanders"  # it moves on, and no less than before
    MOVES = "moves"  # ever less, but not yet at rest


@dataclass(frozen=True, slots=True)
class Settled:
    """The end of a run of all samples: the states before and after its last phase.

    Attributes
    ----------
    moved
        The largest relative change in the last phases, of the state `name`.
    last, half
        The states at the end, and half-way there: what changes between them bounds what is still to come,
        where a run converges as 1/k or faster.
    positive
        Variables that no phase made negative in any sample.
    """

    end: End
    phases: int
    moved: float
    name: str
    last: States
    half: States
    positive: frozenset[str]
    detail: str


def repeatable(graph: Graph) -> bool:
    """Whether the program can run for more phases than an instance was drawn for: a value that each
    phase draws for itself has no continuation."""
    return not any(
        p.per_phase and (p.initial is None or isinstance(p.initial, Random))
        for p in graph.parameters
    )


def idle(spec: Spec, names: Sequence[str]) -> list[str]:
    """Those of the states that no phase of the network computes, since no output needs them."""
    found = liveness(spec.graph, training=True)
    made = {name for variant in (found.steady, *found.tail) for name in variant.updates}
    return [name for name in names if name not in made]


def settle(
    spec: Spec, instance: Instance, names: Sequence[str], enough: Callable[[Settled], bool]
) -> Settled:
    """Run the network in float64 until the states `names` rest, or are near `enough` to rest, or for as
    many phases as it may take."""
    short, long = _LONG_PER_PHASE if any(p.per_phase for p in spec.graph.parameters) else _LONG
    began = time.process_time()
    found = _run(spec, instance, names, short)
    if found.end in (End.RESTS, End.DIVERGES) or (found.end is End.MOVES and enough(found)):
        return found
    if time.process_time() - began > _PATIENCE:
        return found
    return _run(spec, instance, names, long)


def _run(spec: Spec, instance: Instance, names: Sequence[str], phases: int) -> Settled:
    net = network(spec, instance, phases, torch.float64)
    with torch.no_grad(), np.errstate(all="ignore"):
        try:
            along = net.trajectory(*tensors(instance.inputs, torch.float64))
        except ArithmeticError:  # of a counter, which is a number of Python
            words = f"depends on a number that is out of range within {phases} phases"
            return Settled(End.DIVERGES, phases, np.inf, names[0], {}, {}, frozenset(), words)
        paths = {name: _path(along, name, _entries(spec.graph, instance, name)) for name in names}
    positive = frozenset(
        name for name, path in paths.items() if not np.iscomplexobj(path) and (path >= 0).all()
    )
    last = {name: path[-1] for name, path in paths.items()}
    half = {name: path[phases // 2] for name, path in paths.items()}
    ends = {name: _end(path) for name, path in paths.items()}
    # the worst state tells
    name = max(ends, key=lambda n: (_ORDER.index(ends[n][0]), ends[n][1]))
    end, moved, detail = ends[name]
    return Settled(end, phases, moved, name, last, half, positive, detail)


_ORDER = (End.RESTS, End.MOVES, End.WANDERS, End.DIVERGES)


def _path(along: list[dict[str, torch.Tensor]], name: str, entries: int) -> Numbers:
    """A state along the phases: [phases, batch, entries]; a batch of one where it depends on no input."""
    values = [s[name].numpy().reshape(-1, entries) for s in along if name in s]
    batch = max(len(value) for value in values)
    return np.stack([np.broadcast_to(value, (batch, entries)) for value in values])


def _entries(graph: Graph, instance: Instance, name: str) -> int:
    (shape,) = (slot.type.shape for slot in graph.states if slot.name == name)
    return math.prod(dim.substitute(instance.sizes).value or 0 for dim in shape)


def _end(path: Numbers) -> tuple[End, float, str]:
    """How one state ends, how much it moves at last, and words."""
    sizes = np.abs(path).max(axis=(1, 2))
    if not np.isfinite(sizes).all():
        first = int(np.argmin(np.isfinite(sizes))) + 1
        return End.DIVERGES, float("inf"), f"not finite from phase {first} on"
    phases = len(path)
    early = max(float(sizes[: max(phases // 30, 3)].max()), 1e-30)
    if sizes[-1] > _GROWN * early and sizes[-1] > 0.9 * sizes.max():
        grown = sizes[-1] / early
        return End.DIVERGES, float("inf"), f"grows {grown:.0e}-fold in {phases} phases"
    steps = np.abs(np.diff(path, axis=0)).max(axis=(1, 2)) / max(float(sizes[-1]), 1e-30)
    moved = float(steps[-5:].max())
    if moved <= _RESTS:
        return End.RESTS, moved, f"relative change in phase {phases}"
    half, quarter = phases // 2, phases // 4
    before, after = float(steps[quarter:half].max()), float(steps[half:].max())
    # along a kink an entry moves by the same in every phase, but on: it does not come back
    gone = np.abs(path[-1] - path[half]).max() / max(float(steps[half:].sum()), 1e-30)
    back = gone / max(float(sizes[-1]), 1e-30) < 0.1
    if after > _LESSER * before and moved > 1e-6 and back:
        words = f"moves by {moved:.1e} a phase after {phases} phases, no less than before"
        return End.WANDERS, moved, words
    return End.MOVES, moved, f"still moving by {moved:.1e} a phase after {phases} phases, ever less"
