"""Where a long run of an untrained network goes: to rest, out of bounds, or neither."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.overrides import TorchFunctionMode

from unroll_dsl.backends.values import as_array
from unroll_dsl.ir.graph import Graph, Random
from unroll_dsl.passes.analysis.liveness import liveness
from unroll_dsl.spec import Spec
from unroll_dsl.verify.instance import Instance
from unroll_dsl.verify.networks import network, tensors

Numbers = NDArray[Any]
States = dict[str, Numbers]

_SHORT, _LONG = 300, 3000
_LEAST = 60
_LONG_PER_PHASE = 1200  # where every phase is a module of its own
_WORK_SHORT, WORK_LONG = 60_000, 100_000  # calls of torch: a run is as long as they allow
WORK_LONGER = 400_000  # where nothing else has been decided
_LOOKS = 8  # at the objective, in each part of a run
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
    last
        The states at the end.
    late, early
        Those at some phases of the last half, and of the quarter before it: what changes there bounds what is
        still to come.
    positive
        Variables that no phase made negative in any sample.
    along
        The variables of the first sample after each phase: [phases, entries].
    """

    end: End
    phases: int
    moved: float
    name: str
    last: States
    late: tuple[States, ...]
    early: tuple[States, ...]
    positive: frozenset[str]
    detail: str
    along: States = field(default_factory=dict)


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


def longest(graph: Graph) -> int:
    """Of how many phases a run is at most, whatever work is allowed."""
    return _LONG_PER_PHASE if any(p.per_phase for p in graph.parameters) else _LONG


def settle(
    spec: Spec,
    instance: Instance,
    names: Sequence[str],
    enough: Callable[[Settled], bool],
    work: int = WORK_LONG,
) -> Settled:
    """Run the network in float64 until the states `names` rest, or it is `enough`, or for as many phases as
    `work` allows. That is counted in calls of torch, never in time."""
    net = network(spec, instance, _SHORT, torch.float64)
    cost = _cost(net, instance)
    short = max(min(_SHORT, _WORK_SHORT // cost), _LEAST) if _alike(net) else _SHORT
    found = _run(spec, instance, names, net, short)
    if found.end in (End.RESTS, End.DIVERGES) or enough(found):
        return found
    phases = min(longest(spec.graph), work // cost)
    if phases < 2 * short:
        return found
    if not _alike(net):
        net = network(spec, instance, phases, torch.float64)
    return _run(spec, instance, names, net, phases)


def _alike(net: Any) -> bool:
    """Whether all phases are one piece of code, with their number beside it."""
    return isinstance(getattr(net, "phases", None), int)


def _cost(net: Any, instance: Instance) -> int:
    """How many calls of torch a phase takes."""
    few = 3 if _alike(net) else _SHORT
    counted = _Counted()
    inputs = tensors(instance.inputs, torch.float64)
    with torch.no_grad(), suppress(ArithmeticError), _phases(net, few), counted:
        net.trajectory(*inputs)
    return max(counted.count // few, 1)


@contextmanager
def _phases(net: Any, count: int) -> Iterator[None]:
    """The network with another number of phases, where they are all alike."""
    if not _alike(net):
        yield
        return
    before, net.phases = net.phases, count
    try:
        yield
    finally:
        net.phases = before


class _Counted(TorchFunctionMode):
    """Counts what is asked of torch."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += 1
        return func(*args, **(kwargs or {}))


def _run(spec: Spec, instance: Instance, names: Sequence[str], net: Any, phases: int) -> Settled:
    """The end of a run of so many phases."""
    with torch.no_grad(), np.errstate(all="ignore"), _phases(net, phases):
        try:
            along = net.trajectory(*tensors(instance.inputs, torch.float64))
        except ArithmeticError:  # of a counter, which is a number of Python
            words = f"depends on a number that is out of range within {phases} phases"
            return Settled(End.DIVERGES, phases, np.inf, names[0], {}, (), (), frozenset(), words)
    paths = {name: _path(along, name, _entries(spec.graph, instance, name)) for name in names}
    return _settled(paths, phases)


def _settled(paths: dict[str, Numbers], phases: int) -> Settled:
    positive = frozenset(
        name for name, path in paths.items() if not np.iscomplexobj(path) and (path >= 0).all()
    )

    def at(phase: int) -> States:
        return {name: path[phase] for name, path in paths.items()}

    half, quarter = phases // 2, phases // 4
    late = tuple(at(k) for k in np.linspace(half, phases - 1, _LOOKS).round().astype(int))
    early = tuple(at(k) for k in np.linspace(quarter, half, _LOOKS).round().astype(int))
    ends = {name: _end(path) for name, path in paths.items()}
    # the worst state tells
    name = max(ends, key=lambda n: (_ORDER.index(ends[n][0]), ends[n][1]))
    end, moved, detail = ends[name]
    first = {name: path[:, 0] for name, path in paths.items()}
    return Settled(end, phases, moved, name, at(-1), late, early, positive, detail, first)


_ORDER = (End.RESTS, End.MOVES, End.WANDERS, End.DIVERGES)


def _path(along: list[dict[str, torch.Tensor]], name: str, entries: int) -> Numbers:
    """A state along the phases: [phases, batch, entries]; a batch of one where it depends on no input."""
    values = [as_array(s[name]).reshape(-1, entries) for s in along if name in s]
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
