"""A trained network, measured: its curve, and how long that takes."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from unroll_dsl.data.metrics import Metric
from unroll_dsl.explore.sharing import Judging, judging
from unroll_dsl.family import Member
from unroll_dsl.runs.compare import timed
from unroll_dsl.runs.crossing import Curve
from unroll_dsl.runs.reading import NOTHING, open_network, open_solver
from unroll_dsl.runs.solver import Samples, Solver, quality
from unroll_dsl.train import checkpoint
from unroll_dsl.train.run import Run

_TRIED = 4  # samples from which it is learnt how long one takes


@dataclass(frozen=True)
class MeasuredNetwork:
    """A network with its curve, the file of its weights, and how many updates it had."""

    member: Member
    solver: Solver
    curve: Curve
    file: str
    updates: int


def samples_of(path: Path) -> tuple[tuple[Samples, ...], Metric]:
    """What the network of a run is judged on, and by what."""
    _, samples, metric = open_solver(Run.open(path).weights("last"), NOTHING)
    return samples, metric


def few(samples: Sequence[Samples], count: int) -> tuple[Samples, ...]:
    """So many of the samples, spread over all of them."""
    total = sum(map(len, samples))
    if count >= total:
        return tuple(samples)
    chosen = torch.linspace(0, total - 1, count).round().long()
    found, begin = [], 0
    for group in samples:
        own = chosen[(chosen >= begin) & (chosen < begin + len(group))] - begin
        found += [group.rows(own)] if len(own) else []
        begin += len(group)
    return tuple(found)


def measured(
    path: Path, member: Member, samples: Sequence[Samples], metric: Metric
) -> MeasuredNetwork:
    """The curve of a network: of its last weights, or of its best where their validation was better."""
    run = Run.open(path)
    saved = checkpoint.newest(run.path)
    last, best = run.weights("last"), run.weights("best")
    file, solver = last, open_network(last)
    curve = quality(solver, range(1, solver.phases + 1), samples, metric)
    kept = saved.counters.get("best") if saved is not None else None
    if best != last and (kept is None or rank(kept, metric) < rank(curve.last, metric)):
        other = open_network(best)
        again = quality(other, range(1, other.phases + 1), samples, metric)
        if rank(again.last, metric) < rank(curve.last, metric):
            file, solver, curve = best, other, again
    named = replace(timed(solver, curve, samples), name=member.choice.title)
    updates = saved.step if saved is not None else 0
    return MeasuredNetwork(member, solver, named, file.name, updates)


def rank(value: float, metric: Metric) -> float:
    """The smaller the better; what is no number comes last."""
    if not math.isfinite(value):
        return math.inf
    return -value if metric.better == "higher" else value


def rehearsed(path: Path, member: Member, networks: int, budget: float) -> Judging:
    """What it takes to judge each of so many networks, from what it takes of a trained one."""
    samples, metric = samples_of(path)
    begun = time.monotonic()
    opened = measured(path, member, few(samples, 1), metric)
    fixed = time.monotonic() - begun
    tried = few(samples, _TRIED)
    begun = time.monotonic()
    quality(opened.solver, range(1, opened.solver.phases + 1), tried, metric)
    sample = (time.monotonic() - begun) / sum(map(len, tried))
    return judging(fixed, sample, sum(map(len, samples)), networks, budget)


def data_of(run: Run) -> tuple[Any, ...]:
    """What says which samples a run is judged on."""
    config = run.config
    return config.data, config.seed, config.dims, config.validate.samples
