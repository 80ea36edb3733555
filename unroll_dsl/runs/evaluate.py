"""Figures of merit of a network, sample by sample and over the whole set."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from unroll_dsl.data.metrics import Metric
from unroll_dsl.runs.solver import Samples, Solver
from unroll_dsl.shown import table


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric: of each sample, and of the set (`Metric.over`: the mean, but for `nmse_db`)."""

    metric: Metric
    each: tuple[float, ...]
    whole: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a network does on a set of samples."""

    name: str
    phases: int
    parameters: int
    figures: tuple[Figure, ...]

    @property
    def count(self) -> int:
        return len(self.figures[0].each) if self.figures else 0

    def to_json(self) -> dict[str, Any]:
        return {
            "network": self.name,
            "phases": self.phases,
            "parameters": self.parameters,
            "samples": self.count,
            "metrics": {
                f.metric.name: {
                    "value": f.whole,
                    "is": f.metric.of_a_set,
                    "better": f.metric.better,
                    "samples": list(f.each),
                }
                for f in self.figures
            },
        }

    def _repr_html_(self) -> str:
        rows = [(f.metric.name, f"{f.whole:.4f}", f.metric.unit or "") for f in self.figures]
        caption = f"{self.name}, {self.phases} phases, {self.parameters:,} parameters, {self.count} samples"
        return table(rows, caption=caption)

    def problems(self) -> tuple[str, ...]:
        """Figures that are no numbers, in words; an infinite one is a figure."""
        return tuple(found for f in self.figures if (found := _not_numbers(f)))


def _not_numbers(figure: Figure) -> str:
    wrong = [place for place, value in enumerate(figure.each, 1) if math.isnan(value)]
    if not wrong and not math.isnan(figure.whole):
        return ""
    which = (
        f"{len(wrong)} of {len(figure.each)} samples, first of sample {wrong[0]}"
        if wrong
        else "the set"
    )
    return f"`{figure.metric.name}` is no number for {which}"


def evaluate(solver: Solver, samples: Sequence[Samples], metrics: Sequence[Metric]) -> Evaluation:
    """Run a network on all samples and compare what it gives with the truth.

    Raises
    ------
    DataError
        If a metric does not take samples of that shape.
    """
    network = solver.network()
    pairs = []
    with torch.inference_mode():
        for group in samples:
            for part in group.parts():
                found = solver.compared(network(*solver.inputs(part)))
                pairs.append((found.reshape(part.truth.shape), part.truth))
    figures = tuple(
        Figure(
            metric,
            tuple(float(v) for found, truth in pairs for v in metric(found, truth)),
            metric.over(pairs),
        )
        for metric in metrics
    )
    return Evaluation(solver.name, solver.phases, solver.parameters, figures)
