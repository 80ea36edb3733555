"""Trained networks beside each other and beside the algorithms that they come from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from unroll_dsl.data.metrics import Metric
from unroll_dsl.explore.run import Found
from unroll_dsl.family import Member
from unroll_dsl.runs.classical import DoesNotFit, fitted
from unroll_dsl.runs.compare import Comparison, compare
from unroll_dsl.runs.reading import NOTHING, open_solver
from unroll_dsl.runs.solver import Samples, Solver, quality, same
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

    found: Found
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


def judge(found: Found) -> Judged:
    """Hold the networks of an exploration against each other; the page of the best is written beside them.

    Of each network the better of its best and its last weights counts: a run that the time has ended has not been
    validated since.
    """
    opened = []
    metric: Metric | None = None
    for member in found.networks:
        if member.name not in found.runs:
            continue
        run = Run.open(found.runs[member.name])
        choices = {run.weights("best"), run.weights("last")}
        tried = []
        for path in sorted(choices):
            solver, samples, metric = open_solver(path, NOTHING)
            tried.append((_last(solver, samples, metric), path.name, solver, samples))
        value, name, solver, samples = min(tried, key=lambda t: _rank(t[0], metric))
        saved = checkpoint.newest(run.path)
        updates = saved.step if saved is not None else 0
        named = replace(solver, name=member.choice.title)
        opened.append((value, member, name, named, samples, updates))
    assert metric is not None  # there is a run
    opened.sort(key=lambda each: _rank(each[0], metric))
    first, samples = opened[0][3], opened[0][4]
    for _, member, _, _, other, _ in opened[1:]:
        if not same(other, samples):
            raise TrainingError(f"{member.name} was trained on other data than {first.name}")
    classical, left_out = _algorithms(found, first, samples)
    networks = [(each[3], each[4]) for each in opened]
    best = opened[0][1]
    write_whole(found.path / "best.unroll", best.text.encode("utf-8"))
    return Judged(
        found,
        compare(networks, classical, metric),
        tuple(each[1] for each in opened),
        tuple(each[2] for each in opened),
        tuple(each[5] for each in opened),
        left_out,
    )


def _last(solver: Solver, samples: Sequence[Samples], metric: Metric) -> float:
    return quality(solver, [solver.phases], samples, metric).last


def _rank(value: float, metric: Metric | None) -> float:
    """The smaller the better; what is no number comes last."""
    assert metric is not None
    if not math.isfinite(value):
        return math.inf
    return -value if metric.better == "higher" else value


def _algorithms(
    found: Found, like: Solver, samples: Sequence[Samples]
) -> tuple[list[tuple[Solver, Sequence[Samples]]], tuple[str, ...]]:
    """The algorithms of the family as classical iterations on the same data."""
    folder = found.path / "algorithms"
    folder.mkdir(exist_ok=True)
    solvers: list[tuple[Solver, Sequence[Samples]]] = []
    left_out = []
    for member in found.algorithms:
        path = folder / f"{member.name}.unroll"
        write_whole(path, member.text.encode("utf-8"))
        try:
            solver = fitted(str(path), like, samples[0], like.phases)
        except DoesNotFit as error:
            left_out.append(f"{member.choice.title} is not run beside them: {error}")
            continue
        solvers.append((replace(solver, name=member.choice.title), samples))
    return solvers, tuple(left_out)
