"""Trained networks beside each other and beside the algorithms that they come from."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from unroll_dsl.data.metrics import Metric
from unroll_dsl.explore.measuring import MeasuredNetwork, data_of, few, measured, rank, samples_of
from unroll_dsl.explore.run import Exploration
from unroll_dsl.explore.sharing import CLOSING
from unroll_dsl.family import Member
from unroll_dsl.runs.against import CURVE_SECONDS, affordable
from unroll_dsl.runs.classical import DoesNotFit, fitted
from unroll_dsl.runs.compare import Comparison, compared
from unroll_dsl.runs.compare import measured as measured_curve
from unroll_dsl.runs.crossing import Curve
from unroll_dsl.runs.solver import Samples, Solver, steps_up_to
from unroll_dsl.train.errors import TrainingError
from unroll_dsl.train.files import write_whole
from unroll_dsl.train.run import Run

_NO_TIME = (
    "it was trained, and no time was left to judge it: `unroll explore --resume DIR` with more"
)


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
    unjudged
        Names of networks for which no time was left.
    samples
        How many there are; the comparison says on how many they were judged.
    """

    found: Exploration
    comparison: Comparison
    members: tuple[Member, ...]
    files: tuple[str, ...]
    updates: tuple[int, ...]
    left_out: tuple[str, ...]
    unjudged: tuple[str, ...]
    samples: int

    @property
    def failed(self) -> dict[str, str]:
        """Why networks are not among them, by name."""
        return {**self.found.failed, **dict.fromkeys(self.unjudged, _NO_TIME)}

    def _repr_html_(self) -> str:
        return self.comparison._repr_html_()

    def to_json(self) -> dict[str, Any]:
        best = self.members[0].name
        return {
            "best": best,
            "page": str(self.found.path / "best.unroll"),
            "updates": {m.name: n for m, n in zip(self.members, self.updates, strict=True)},
            "failed": self.failed,
            "of_samples": self.samples,
            **self.comparison.to_json(),
        }


def judge(found: Exploration, until: float = math.inf) -> Judged:
    """Hold the networks of an exploration against each other; the page of the best is written beside them.

    Of each network the better of its best and its last weights counts: a run that the time has ended has not been
    validated since.

    Parameters
    ----------
    until
        When to end, as `time.monotonic()` has it: networks for which no time is left are named, and algorithms are run
        for fewer iterations, or not at all.
    """
    members = [member for member in found.networks if member.name in found.runs]
    like = Run.open(found.runs[members[0].name])
    everything, metric = samples_of(like.path)
    samples = few(everything, found.judging.samples)
    for member in members[1:]:
        if data_of(Run.open(found.runs[member.name])) != data_of(like):
            raise TrainingError(f"{member.name} was trained on other data than {members[0].name}")
    opened: list[MeasuredNetwork] = []
    kept = (
        CLOSING * found.settings.budget
    )  # what networks took too much is not the algorithms' time
    for member in members:
        if opened and time.monotonic() + found.judging.seconds > until - kept:
            break
        opened.append(measured(found.runs[member.name], member, samples, metric))
    unjudged = tuple(member.name for member in members[len(opened) :])
    opened.sort(key=lambda each: rank(each.curve.last, metric))
    first = opened[0]
    write_whole(found.path / "best.unroll", first.member.text.encode("utf-8"))
    depth = max(each.solver.phases for each in opened)
    curves, left_out = _algorithms(found, first.solver, samples, metric, depth, until)
    networks = [each.curve for each in opened]
    return Judged(
        found,
        compared(networks, curves, metric, sum(map(len, samples))),
        tuple(each.member for each in opened),
        tuple(each.file for each in opened),
        tuple(each.updates for each in opened),
        left_out,
        unjudged,
        sum(map(len, everything)),
    )


def _algorithms(
    found: Exploration,
    like: Solver,
    samples: Sequence[Samples],
    metric: Metric,
    depth: int,
    until: float,
) -> tuple[list[Curve], tuple[str, ...]]:
    """The algorithms of the family as classical iterations on the same data, and why some are not among them."""
    folder = found.path / "algorithms"
    folder.mkdir(exist_ok=True)
    curves: list[Curve] = []
    late, left_out = list[str](), list[str]()
    for i, member in enumerate(found.algorithms):
        path = folder / f"{member.name}.unroll"
        write_whole(path, member.text.encode("utf-8"))
        title = member.choice.title
        # of what is left as much as the others have, without what it takes to make it ready
        seconds = (until - time.monotonic()) / (len(found.algorithms) - i) - found.judging.seconds
        if seconds < 0:
            late.append(title)
            continue
        try:
            solver = fitted(str(path), like, samples[0], like.phases)
        except DoesNotFit as error:
            left_out.append(f"{title} is not run beside them: {error}")
            continue
        steps = steps_up_to(affordable(solver, depth, samples, min(seconds, CURVE_SECONDS)))
        curves.append(measured_curve(replace(solver, name=title), steps, samples, metric))
    if late:
        verb, it = ("is", "it") if len(late) == 1 else ("are", "them")
        words = f"{verb} not run beside them: no time was left for {it}"
        left_out.append(f"{', '.join(late)} {words}")
    return curves, tuple(left_out)
