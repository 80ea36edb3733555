"""Networks beside each other and beside classical iterations: by phases, by time, by parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from unroll_dsl.data.metrics import Metric
from unroll_dsl.runs.against import affordable, metric_label, quality_panel
from unroll_dsl.runs.crossing import Curve, Worth, worth
from unroll_dsl.runs.panels import Panel, PanelLine, finite
from unroll_dsl.runs.solver import Samples, Solver, quality, steps_up_to
from unroll_dsl.shown import table


@dataclass(frozen=True, slots=True)
class Comparison:
    """Curves of one metric, and what each network is worth in iterations of each classical algorithm."""

    metric: Metric
    networks: tuple[Curve, ...]
    classical: tuple[Curve, ...]
    count: int  # samples

    def worths(self) -> tuple[tuple[Worth, ...], ...]:
        """For each network one for each classical algorithm."""
        return tuple(
            tuple(worth(network, curve, self.metric.better) for curve in self.classical)
            for network in self.networks
        )

    def panels(self) -> tuple[Panel, ...]:
        """Quality against phases, against time, and against learned parameters."""
        curves = (*self.networks, *self.classical)
        by_phase = quality_panel(curves, self.metric, "By phases")
        by_time = replace(
            by_phase,
            title="By time",
            x_label="milliseconds a sample, one thread",
            lines=tuple(
                replace(line, x=finite([1000 * s for s in c.seconds], c.quality)[0])
                for line, c in zip(by_phase.lines, curves, strict=True)
            ),
            log_x=True,
            whole_x=False,
        )
        return by_phase, by_time, self._by_parameters()

    def _by_parameters(self) -> Panel:
        lines = [
            PanelLine((float(c.parameters),), (c.last,), c.name, colour=i, points=True)
            for i, c in enumerate(self.networks)
        ]
        counts = [c.parameters for c in self.networks]
        is_log = min(counts) > 0 and max(counts) > 10 * min(counts)
        label = metric_label(self.metric)
        return Panel("By parameters", "learned numbers", label, tuple(lines), log_x=is_log)

    def _repr_html_(self) -> str:
        from unroll_dsl.runs.examples import figure

        head = ("", "phases", "parameters", "ms a sample", self.metric.name)
        rows = [
            (
                curve.name,
                f"{curve.phases[-1]:.0f}",
                f"{curve.parameters:,}" if curve.parameters else "",
                f"{1000 * curve.seconds[-1]:.3g}",
                figure(curve.last, self.metric),
            )
            for curve in (*self.networks, *self.classical)
        ]
        shown = table(rows, head, f"{metric_label(self.metric)}, {self.count} samples")
        if not self.classical:
            return shown
        worths = [
            (network.name, *(worth.words() for worth in row))
            for network, row in zip(self.networks, self.worths(), strict=True)
        ]
        names = ("", *(curve.name for curve in self.classical))
        return shown + table(worths, names, "How many classical iterations it is worth")

    def to_json(self) -> dict[str, Any]:
        return {
            "metric": self.metric.name,
            "better": self.metric.better,
            "samples": self.count,
            "curves": [
                {
                    "name": c.name,
                    "classical": c.classical,
                    "parameters": c.parameters,
                    "phases": [int(p) for p in c.phases],
                    "quality": [q if math.isfinite(q) else None for q in c.quality],
                    "seconds": list(c.seconds),
                }
                for c in (*self.networks, *self.classical)
            ],
            "worth": [
                {
                    "network": w.network,
                    "phases": w.phases,
                    "classical": w.classical,
                    "iterations": w.iterations,
                    "most": w.most,
                }
                for row in self.worths()
                for w in row
            ],
        }


def compare(
    networks: Sequence[tuple[Solver, Sequence[Samples]]],
    classical: Sequence[tuple[Solver, Sequence[Samples]]],
    metric: Metric,
    most: int | None = None,
) -> Comparison:
    """Measure each solver on its samples after each number of phases, and how long they take.

    Parameters
    ----------
    most
        How many classical iterations to run; by default ten for each phase of the deepest network,
        and 100 at least, as far as time allows.

    Raises
    ------
    DataError
        If the metric does not take samples of that shape.
    """
    depth = max(solver.phases for solver, _ in networks)
    trained = [measured(s, range(1, s.phases + 1), samples, metric) for s, samples in networks]
    curves = [
        measured(s, steps_up_to(most or affordable(s, depth, samples)), samples, metric)
        for s, samples in classical
    ]
    return compared(trained, curves, metric, sum(map(len, networks[0][1])))


def compared(
    networks: Sequence[Curve], classical: Sequence[Curve], metric: Metric, count: int
) -> Comparison:
    """A comparison of curves that have been measured on `count` samples."""
    return Comparison(metric, _apart(networks), _apart(classical), count)


def measured(
    solver: Solver, counts: Sequence[int], samples: Sequence[Samples], metric: Metric
) -> Curve:
    """Quality after each count, with the time of each: measured at both ends, a line between."""
    return timed(solver, quality(solver, counts, samples, metric), samples)


def timed(solver: Solver, curve: Curve, samples: Sequence[Samples]) -> Curve:
    """The curve of a solver with the time of each count: measured at both ends, a line between."""
    ends = sorted({int(curve.phases[0]), int(curve.phases[-1])})
    taken = [solver.seconds(samples[0], k) for k in ends]
    return replace(curve, seconds=tuple(float(s) for s in np.interp(curve.phases, ends, taken)))


def _apart(curves: Sequence[Curve]) -> tuple[Curve, ...]:
    """The same curves, with a number after names that several have."""
    names = [curve.name for curve in curves]
    seen: dict[str, int] = {}
    found = []
    for curve in curves:
        seen[curve.name] = seen.get(curve.name, 0) + 1
        several = names.count(curve.name) > 1
        found.append(
            replace(curve, name=f"{curve.name} ({seen[curve.name]})") if several else curve
        )
    return tuple(found)
