"""Trained networks beside each other and beside the algorithms that they come from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from unroll_dsl.data.metrics import Metric
from unroll_dsl.explore.run import Exploration
from unroll_dsl.family import Member
from unroll_dsl.runs.against import affordable
from unroll_dsl.runs.classical import DoesNotFit, fitted
from unroll_dsl.runs.compare import Comparison, compared, measured, timed
from unroll_dsl.runs.crossing import Curve
from unroll_dsl.runs.reading import NOTHING, open_network, open_solver
from unroll_dsl.runs.solver import Samples, Solver, quality, steps_up_to
from unroll_dsl.train import checkpoint
from unroll_dsl.train.errors import TrainingError
from unroll_dsl.train.files import write_whole
from unroll_dsl.train.run import Run


@dataclass(frozen=True)
class Judged:
    """An exploration and what its networks are worth.

    Attributes
    ----------
    comparison
        Networks from the best to the worst.
    members, files
        In the same order: of the family, and the file of weights that was judged.
    updates
        How many each had.
    left_out
        Sentences on algorithms that could not be run beside them.
    """

    found: Exploration
    comparison: Comparison
    members: tuple[Member, ...]
    files: tuple[str, ...]
    updates: tuple[int, ...]
    left_out: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        best = self.members[0].name
        return {
            "best": best,
            "page": str(self.found.path / "best.unroll"),
            "updates": {m.name: n for m, n in zip(self.members, self.updates, strict=True)},
            "failed": dict(self.found.failed),
            **self.comparison.to_json(),
        }


def judge(found: Exploration) -> Judged:
    """Hold the networks of an exploration against each other; the page of the best is written beside them.

    Of each network the better of its best and its last weights counts: a run that the time has ended has not been
    validated since.
    """
    members = [member for member in found.networks if member.name in found.runs]
    like = Run.open(found.runs[members[0].name])
    _, samples, metric = open_solver(like.weights("last"), NOTHING)
    for member in members[1:]:
        if _data(Run.open(found.runs[member.name])) != _data(like):
            raise TrainingError(f"{member.name} was trained on other data than {members[0].name}")
    opened = [_measured(found, member, samples, metric) for member in members]
    opened.sort(key=lambda each: _rank(each.curve.last, metric))
    first = opened[0]
    classical, left_out = _algorithms(found, first.solver, samples)
    write_whole(found.path / "best.unroll", first.member.text.encode("utf-8"))
    depth = max(each.solver.phases for each in opened)
    curves = [
        measured(s, steps_up_to(affordable(s, depth, samples)), samples, metric) for s in classical
    ]
    networks = [each.curve for each in opened]
    return Judged(
        found,
        compared(networks, curves, metric, sum(map(len, samples))),
        tuple(each.member for each in opened),
        tuple(each.file for each in opened),
        tuple(each.updates for each in opened),
        left_out,
    )


@dataclass(frozen=True)
class _Opened:
    """A network with its curve, the file of its weights, and how many updates it had."""

    member: Member
    solver: Solver
    curve: Curve
    file: str
    updates: int


def _data(run: Run) -> tuple[Any, ...]:
    """What says which samples a run is judged on."""
    config = run.config
    return config.data, config.seed, config.dims, config.validate.samples


def _measured(
    found: Exploration, member: Member, samples: Sequence[Samples], metric: Metric
) -> _Opened:
    """The curve of a network: of its last weights, or of its best where their validation was better."""
    run = Run.open(found.runs[member.name])
    saved = checkpoint.newest(run.path)
    last, best = run.weights("last"), run.weights("best")
    file, solver = last, open_network(last)
    curve = quality(solver, range(1, solver.phases + 1), samples, metric)
    kept = saved.counters.get("best") if saved is not None else None
    if best != last and (kept is None or _rank(kept, metric) < _rank(curve.last, metric)):
        other = open_network(best)
        again = quality(other, range(1, other.phases + 1), samples, metric)
        if _rank(again.last, metric) < _rank(curve.last, metric):
            file, solver, curve = best, other, again
    named = replace(timed(solver, curve, samples), name=member.choice.title)
    updates = saved.step if saved is not None else 0
    return _Opened(member, solver, named, file.name, updates)


def _rank(value: float, metric: Metric) -> float:
    """The smaller the better; what is no number comes last."""
    if not math.isfinite(value):
        return math.inf
    return -value if metric.better == "higher" else value


def _algorithms(
    found: Exploration, like: Solver, samples: Sequence[Samples]
) -> tuple[list[Solver], tuple[str, ...]]:
    """The algorithms of the family as classical iterations on the same data."""
    folder = found.path / "algorithms"
    folder.mkdir(exist_ok=True)
    solvers: list[Solver] = []
    left_out = []
    for member in found.algorithms:
        path = folder / f"{member.name}.unroll"
        write_whole(path, member.text.encode("utf-8"))
        try:
            solver = fitted(str(path), like, samples[0], like.phases)
        except DoesNotFit as error:
            left_out.append(f"{member.choice.title} is not run beside them: {error}")
            continue
        solvers.append(replace(solver, name=member.choice.title))
    return solvers, tuple(left_out)
