"""A network beside classical iterations: quality after each phase, and what a phase is worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from unroll_dsl.data.metrics import Metric
from unroll_dsl.runs.crossing import Curve, crossing
from unroll_dsl.runs.examples import figure
from unroll_dsl.runs.page import Table
from unroll_dsl.runs.panels import Panel, PanelLine, finite, spans_decades
from unroll_dsl.runs.solver import Samples, Solver, quality, steps_up_to

CURVE_SECONDS = 15.0  # that a classical curve may take
_LEAST, _MOST = 100, 1000  # iterations
_ROWS = 10


@dataclass(frozen=True, slots=True)
class Beside:
    """Curves of one metric over the same samples; the first is that of the network."""

    network: Curve
    classical: tuple[Curve, ...]
    metric: Metric
    count: int


def beside(
    network: Solver, classical: Sequence[Solver], samples: Sequence[Samples], metric: Metric
) -> Beside:
    """Measure a network after each of its phases, and classical iterations after ever more."""
    own = quality(network, range(1, network.phases + 1), samples, metric)
    curves = tuple(
        quality(solver, steps_up_to(affordable(solver, network.phases, samples)), samples, metric)
        for solver in classical
    )
    return Beside(own, curves, metric, sum(map(len, samples)))


def affordable(
    solver: Solver, phases: int, samples: Sequence[Samples], seconds: float = CURVE_SECONDS
) -> int:
    """How many iterations to run: ten for each phase of the network and 100 at least, as `seconds` allow; no fewer
    than the network has phases."""
    count = min(max(10 * phases, _LEAST), _MOST)
    one = solver.seconds(samples[0], phases) / phases * sum(map(len, samples))
    return max(phases, min(count, int(seconds / max(one, 1e-9))))


def quality_panel(curves: Sequence[Curve], metric: Metric, title: str) -> Panel:
    """Quality against phases, on a logarithmic axis where some curve is much longer than another."""
    lines = []
    for place, curve in enumerate(curves):
        x, y = finite(curve.phases, curve.quality)
        short = len(x) <= 24 and not curve.classical
        lines.append(
            PanelLine(
                x,
                y,
                curve.name,
                colour=place,
                dashed=curve.classical,
                points=short,
                muted=curve.classical and sum(c.classical for c in curves) == 1,
            )
        )
    lengths = [curve.phases[-1] for curve in curves]
    is_long = max(lengths) > 3 * min(lengths)
    log_y = metric.unit != "dB" and spans_decades(v for line in lines for v in line.y)
    label = metric_label(metric)
    return Panel(
        title,
        "phases, iterations",
        label,
        tuple(lines),
        log_x=is_long,
        log_y=log_y,
        whole_x=True,
        y_range=_range(curves, metric),
    )


def diverges(curve: Curve, metric: Metric) -> bool:
    """Whether an iteration ends worse than it began."""
    sign = 1 if metric.better == "higher" else -1
    return not sign * curve.last >= sign * curve.quality[0]


def _range(curves: Sequence[Curve], metric: Metric) -> tuple[float, float] | None:
    """The values to show where an iteration diverges: none that are much worse than all beginnings."""
    if not any(diverges(curve, metric) for curve in curves):
        return None
    values = [v for curve in curves for v in finite(curve.phases, curve.quality)[1]]
    begin = [curve.quality[0] for curve in curves]
    worst = min(begin) if metric.better == "higher" else max(begin)
    best = max(values) if metric.better == "higher" else min(values)
    away = 0.15 * abs(best - worst)
    if away == 0 or not math.isfinite(away):
        return None
    low, high = sorted((worst, best))
    return low - away, high + away


def metric_label(metric: Metric) -> str:
    """The name of a metric with its unit, for an axis."""
    word = metric.name.removesuffix("_db").replace("_", " ")
    word = word.upper() if len(word) <= 4 else word
    return f"{word}, {metric.unit}" if metric.unit else word


def phase_table(found: Beside, total: int) -> Table:
    """For phases of the network: its quality, that of as many classical iterations, and how many of
    those reach it. `total` is the size of the set that samples were taken from."""
    own = found.network
    places = sorted({round(i * (len(own.phases) - 1) / (_ROWS - 1)) for i in range(_ROWS)})
    headings = ["phases", own.name]
    for curve in found.classical:
        headings += [f"{curve.name}, as many", f"{curve.name}, to reach it"]
    rows = []
    for i in places:
        phases, value = own.phases[i], own.quality[i]
        row = [f"{phases:.0f}", figure(value, found.metric)]
        for curve in found.classical:
            same = curve.quality[curve.phases.index(phases)] if phases in curve.phases else None
            row.append("" if same is None else figure(same, found.metric))
            row.append(
                iterations(crossing(curve.phases, curve.quality, value, found.metric.better), curve)
            )
        rows.append(tuple(row))
    caption = f"{metric_label(found.metric)} over {found.count} validation samples"
    caption += f", spread over all {total:,}." if found.count < total else "."
    if found.classical:
        caption += (
            " On the right: how many iterations reach what the network does, between whole ones by "
            "linear interpolation."
        )
    return Table(tuple(headings), tuple(rows), caption)


def iterations(found: float | None, curve: Curve) -> str:
    """A number of classical iterations in words."""
    if found is None:
        return f"more than {curve.phases[-1]:.0f}"
    return f"{found:.1f}" if found < 100 else f"{found:.0f}"
