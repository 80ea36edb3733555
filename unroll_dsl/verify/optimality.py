"""Whether a point minimises the objective of a program, of which the iteration is no witness.

`decide` is the only entry: it may be given an exact condition for objectives whose terms are known, in
place of the search.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from unroll_dsl.backends.torch.names import identifier
from unroll_dsl.ir.graph import Entry, Graph
from unroll_dsl.ir.nodes import Input, Learnable, PhaseNumber, Variable
from unroll_dsl.passes.dead import dead
from unroll_dsl.source import Span
from unroll_dsl.spec import Spec
from unroll_dsl.verify.instance import Instance
from unroll_dsl.verify.networks import tensors
from unroll_dsl.verify.report import Verdict
from unroll_dsl.verify.searching import WALL, Found, Function, Point, search

TOLERANCE = 1e-9  # of a fall, relative to the objective
COARSEST = 1e-5  # where a run still gains more than that, nothing is decided
_COMES_BACK = 1e-6  # as near as a minimisation from elsewhere has to come, relative
_SLOWEST = (
    10.0  # what is still to come of a run that slows down as 1/sqrt(k), in gains of its last half
)


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on a point: by how much the objective falls from it, relative, and words."""

    verdict: Verdict
    fall: float
    tolerance: float
    words: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run of one sample has come to: its variables at the end and half-way there, and those
    variables that it never makes negative.

    A fall that leads below 0 where the iteration never goes decides nothing: the objective may be meant
    for what is positive.
    """

    last: Mapping[str, NDArray[Any]]
    half: Mapping[str, NDArray[Any]]
    positive: frozenset[str]


def remaining(spec: Spec, instance: Instance, place: Place) -> float:
    """How far the objective may still be above where the run leads, relative; 0 at rest."""
    ref = spec.reference(1, **instance.arguments())

    def at(values: Mapping[str, NDArray[Any]]) -> float:
        given = {name: value[None] for name, value in values.items()}
        with np.errstate(all="ignore"):
            return float(ref.objective(given, *instance.inputs)[0])

    here, nothing = at(place.last), at({n: 0 * v for n, v in place.last.items()})
    unit = max(abs(here), abs(nothing) if abs(nothing) < WALL else 0.0, 1e-30)
    return _SLOWEST * abs(at(place.half) - here) / unit


def decide(spec: Spec, instance: Instance, place: Place, seed: int) -> Decision:
    """Search for a fall of the objective from where a run of a single sample has come to.

    Falls are relative to the objective there, or at 0 if it is larger there. What the run itself would
    still gain is no fault of its goal.
    """
    if _varies(spec.graph):
        return Decision(
            Verdict.UNDECIDED, np.nan, TOLERANCE, "its objective reads values of a phase"
        )
    space = _Space(spec.graph, place.last)
    function = _function(spec, instance, space)
    x = space.flat(place.last)
    here, nothing = function.at(x), abs(function.at(0 * x))
    if not here < WALL:
        words = "it violates a constraint of the objective there"
        return Decision(Verdict.FAILED, np.nan, TOLERANCE, words)
    unit = max(abs(here), nothing if nothing < WALL else 0.0, 1e-30)
    tolerance = TOLERANCE + remaining(spec, instance, place)
    if not tolerance <= COARSEST:
        return Decision(Verdict.UNDECIDED, np.nan, tolerance, "it does not rest yet")
    positive = space.entries(place.positive)
    found = search(_within(function, positive), x, seed, tolerance * unit)
    fall = found.fall / unit
    if fall > tolerance:
        return Decision(Verdict.FAILED, fall, tolerance, space.words(found.step))
    if found.reached > max(_COMES_BACK, tolerance) * unit:
        how = (
            "does not end"
            if np.isinf(found.reached)
            else f"ends {found.reached / unit:.0e} above it"
        )
        words = f"no step from it falls, but a minimisation of its own {how}"
        return Decision(Verdict.UNDECIDED, fall, tolerance, words)
    if positive.any():
        free = search(function, x, seed, tolerance * unit)
        if free.fall > tolerance * unit:
            names = ", ".join(f"`{name}`" for name in sorted(place.positive))
            words = f"over {names} >= 0 it does, and falls below: does the objective say >= 0?"
            return Decision(Verdict.UNDECIDED, free.fall / unit, tolerance, words)
    return Decision(Verdict.PASSED, fall, tolerance, _words(found, unit))


def _words(found: Found, unit: float) -> str:
    back = max(found.reached, 0.0) / unit
    return f"no step from it falls; a minimisation of its own comes back to {back:.0e}"


def _varies(graph: Graph) -> bool:
    """Whether the objective reads what differs from phase to phase."""
    assert graph.objective is not None
    per_phase = graph.per_phase
    pending, seen = [graph.objective], set[int]()
    while pending:
        index = pending.pop()
        if index in seen:
            continue
        seen.add(index)
        match graph.nodes[index].op:
            case PhaseNumber():
                return True
            case Learnable(name) if name in per_phase:
                return True
        pending.extend(graph.nodes[index].args)
    return False


class _Space:
    """The variables as one real vector: complex entries by their two parts."""

    def __init__(self, graph: Graph, like: Mapping[str, NDArray[Any]]) -> None:
        self.names = [name for name, _ in graph.variables]
        self.shapes = [like[name].shape for name in self.names]
        self.complex = [type_.field.name == "COMPLEX" for _, type_ in graph.variables]
        counts = [
            int(np.prod(shape)) * (2 if is_complex else 1)
            for shape, is_complex in zip(self.shapes, self.complex, strict=True)
        ]
        self.ends = np.cumsum(counts)

    def flat(self, values: Mapping[str, NDArray[Any]]) -> Point:
        parts = []
        for name, is_complex in zip(self.names, self.complex, strict=True):
            value = np.ravel(values[name])
            parts.append(np.concatenate([value.real, value.imag]) if is_complex else value)
        return np.concatenate(parts).astype(np.float64)

    def tensors(self, points: torch.Tensor) -> list[torch.Tensor]:
        """The variables of points [count, entries], each [count, *shape]."""
        made = []
        pieces = torch.tensor_split(points, self.ends[:-1].tolist(), dim=1)
        for piece, shape, is_complex in zip(pieces, self.shapes, self.complex, strict=True):
            if is_complex:
                real, imaginary = piece.chunk(2, dim=1)
                piece = torch.complex(real, imaginary)
            made.append(piece.reshape(-1, *shape))
        return made

    def entries(self, names: frozenset[str]) -> NDArray[np.bool_]:
        """Which entries of the vector are of `names`."""
        starts = [0, *self.ends[:-1]]
        mask = np.zeros(int(self.ends[-1]), bool)
        for name, start, end in zip(self.names, starts, self.ends, strict=True):
            mask[start:end] = name in names
        return mask

    def words(self, step: Point) -> str:
        """What a step moves most."""
        place = int(np.argmax(np.abs(step)))
        which = int(np.searchsorted(self.ends, place, side="right"))
        alone = np.count_nonzero(step) == 1
        within = place - (0 if which == 0 else int(self.ends[which - 1]))
        within %= max(int(np.prod(self.shapes[which])), 1)
        entry = [int(i) + 1 for i in np.unravel_index(within, self.shapes[which])]
        index = f"[{', '.join(map(str, entry))}]" if entry else ""
        others = "" if alone else " and other entries"
        return f"it falls where `{self.names[which]}{index}`{others} moves by {step[place]:+.1e}"


def _within(function: Function, positive: NDArray[np.bool_]) -> Function:
    """The function, infinite where an entry of `positive` is negative."""
    if not positive.any():
        return function

    def value(points: Point) -> Point:
        outside = (points[:, positive] < 0).any(axis=1)
        return np.where(outside, np.inf, function.value(points))

    return Function(value, function.slope)


def _function(spec: Spec, instance: Instance, space: _Space) -> Function:
    """The objective as the torch backend computes it, many points at once, with its slope."""
    net = spec.over(_objective_program(spec.graph)).compile(
        **instance.arguments(), dtype=torch.float64
    )
    for p in net.parameters():
        p.requires_grad_(False)
    inputs = [x.squeeze(0) for x in tensors(instance.inputs, torch.float64)]

    def apply(points: torch.Tensor) -> torch.Tensor:
        count = points.shape[0]
        given = [x.expand(count, *x.shape) for x in inputs]
        found = net(*given, *space.tensors(points))
        assert isinstance(found, torch.Tensor)
        return found.broadcast_to((count,))

    def value(points: Point) -> Point:
        with torch.no_grad():
            found = apply(torch.from_numpy(points)).numpy()
        return np.where(np.isnan(found), np.inf, found)

    def slope(point: Point) -> Point:
        x = torch.from_numpy(point[None]).requires_grad_()
        (found,) = torch.autograd.grad(apply(x).sum(), x)
        kinks = np.nan_to_num(found[0].numpy(), posinf=0.0, neginf=0.0)  # of roots at 0
        return np.asarray(kinks, np.float64)

    return Function(value, slope)


def _objective_program(graph: Graph) -> Graph:
    """The objective as a program of its own: variables come in after the inputs."""
    assert graph.objective is not None
    taken = {entry.name for entry in graph.inputs}
    fresh = {name: _fresh(name, taken) for name, _ in graph.variables}
    place = Span(graph.file, 0, 0)
    entries = tuple(Entry(fresh[name], type_, "", place) for name, type_ in graph.variables)
    nodes = tuple(
        dataclasses.replace(node, op=Input(fresh[node.op.name]))
        if isinstance(node.op, Variable)
        else node
        for node in graph.nodes
    )
    whole = dataclasses.replace(
        graph,
        name=f"{graph.name}_objective",
        inputs=(*graph.inputs, *entries),
        states=(),
        traces=(),
        outputs=(graph.objective,),
        targets=(),
        loss=None,
        variables=(),
        objective=None,
        phases=None,
        nodes=nodes,
    )
    return dead(whole)


def _fresh(name: str, taken: set[str]) -> str:
    spelt = f"at_{identifier(name)}"
    while spelt in taken:
        spelt += "_"
    taken.add(spelt)
    return spelt
