"""An exploration as one HTML page."""

from __future__ import annotations

import math
from dataclasses import replace

from unroll_dsl.explore.judge import Judged
from unroll_dsl.runs.against import metric_label
from unroll_dsl.runs.compare import Comparison
from unroll_dsl.runs.crossing import Curve, worth
from unroll_dsl.runs.examples import figure
from unroll_dsl.runs.page import Listing, Note, Page, Plots, Section, Table
from unroll_dsl.runs.panels import Panel, PanelLine, spans_decades

_DRAWN = 4  # networks whose curves are drawn: more are not told apart


def page(judged: Judged) -> Page:
    """The page: the best, all in a table, curves, what could not be trained."""
    found, comparison = judged.found, judged.comparison
    metric, best = comparison.metric, comparison.networks[0]
    member = judged.members[0]
    settings = found.settings
    iterations = [worth(best, c, metric.better) for c in strongest(comparison)]
    cards = [
        (figure(best.last, metric), metric_label(metric), f"the best, {best.name}"),
        (f"{best.parameters:,}", "learned numbers", f"in {best.phases[-1]:.0f} phases"),
        *((w.words(), f"iterations of {w.classical}", "that reach it") for w in iterations[:2]),
    ]
    facts = (
        ("networks", f"{len(judged.members)} of {len(found.networks)} trained and judged"),
        ("time", f"{settings.budget:.0f} seconds in all, {_share(judged)}"),
        ("judged on", _judged_on(judged)),
        ("go on", f"unroll train --resume {found.runs[member.name]}"),
    )
    return Page(
        f"The family of {found.typed.program.name.text}",
        "each network trained for the same time on the same data",
        (found.typed.program.comment.split("\n")[0],),
        tuple(cards),
        facts,
        (
            Section("networks", "The networks, from the best", (_table(judged),)),
            Section("curves", "Quality against phases, time and learned numbers", (_plots(comparison),)),
            Section("best", "The page of the best", (Listing(member.text, program=True),),
                    "As a file: `best.unroll`."),
            Section("untrained", "What is not among them", _missing(judged)),
        ),
        judged.left_out,
    )  # fmt: skip


def _judged_on(judged: Judged) -> str:
    """How many samples there were time for."""
    count = judged.comparison.count
    words = f"{count} samples that none was trained on"
    if count == judged.samples:
        return words
    return f"{words}, spread over all {judged.samples}: so many fit into the time"


def _share(judged: Judged) -> str:
    """What of the time each network had."""
    shares = judged.found.shares.values()
    least, most = min(shares), max(shares)
    if least > 0.9 * most:
        return f"{most:.3g} for each network, set-up included"
    return f"{most:.3g} for each network, set-up included, down to {least:.3g} for the last: others took longer"


def _table(judged: Judged) -> Table:
    comparison = judged.comparison
    metric = comparison.metric
    classical = strongest(comparison)
    alike = len({curve.phases[-1] for curve in comparison.networks}) == 1  # the cards have it
    rows = []
    for member, curve, updates in zip(
        judged.members, comparison.networks, judged.updates, strict=True
    ):
        worths = (worth(curve, c, metric.better).words() for c in classical)
        rows.append(
            (
                curve.name,
                figure(curve.last, metric),
                f"{curve.parameters:,}",
                *(() if alike else (f"{curve.phases[-1]:.0f}",)),
                f"{1000 * curve.seconds[-1]:.3g}",
                f"{updates:,}",
                member.start.value,
                *worths,
            )
        )
    headings = (
        "network",
        metric_label(metric).split(",")[0],
        "numbers",
        *(() if alike else ("phases",)),
        "ms a sample",
        "updates",
        "starts",
    )
    words = "The last columns: how many iterations of an algorithm reach the network; of the strongest three."
    words = words if classical else ""
    return Table((*headings, *(c.name for c in classical)), tuple(rows), words)


def _plots(comparison: Comparison) -> Plots:
    """Curves of the best and of the algorithms; all networks as points."""
    few = replace(
        comparison,
        networks=comparison.networks[:_DRAWN],
        classical=strongest(comparison),
    )
    by_phase, by_time, _ = few.panels()
    label = metric_label(comparison.metric)
    points = [(float(max(c.parameters, 1)), c.last, c.name) for c in comparison.networks]
    by_numbers = Panel(
        "All networks by learned numbers",
        "learned numbers",
        label,
        tuple(
            PanelLine(
                (x,), (y,), name if i < _DRAWN else "", colour=i, muted=i >= _DRAWN, points=True
            )
            for i, (x, y, name) in enumerate(points)
        ),
        log_x=spans_decades(x for x, _, _ in points),
        y_range=_shown(comparison),
        caption=_beyond(comparison),
    )
    return Plots((by_phase, by_time, by_numbers))


def _shown(comparison: Comparison) -> tuple[float, float] | None:
    """The values to show where some networks are far worse than most: from the best to three times the way to the middle."""
    values = [c.last for c in comparison.networks if math.isfinite(c.last)]
    best, middle = values[0], values[len(values) // 2]
    away = 3 * (middle - best)
    worst = values[-1]
    if not away or (worst - best) / away <= 1:
        return None
    low, high = sorted((best, best + away))
    return low - 0.1 * abs(away), high + 0.1 * abs(away)


def _beyond(comparison: Comparison) -> str:
    """Which networks the range leaves out."""
    limits = _shown(comparison)
    if limits is None:
        return ""
    low, high = limits
    names = [c.name for c in comparison.networks if not low <= c.last <= high]
    return f"Far off, and not shown: {', '.join(names)}." if names else ""


def strongest(comparison: Comparison) -> tuple[Curve, ...]:
    """The three algorithms that are best after as many iterations as the best network has phases."""
    depth = comparison.networks[0].phases[-1]
    sign = -1 if comparison.metric.better == "higher" else 1

    def rank(curve: Curve) -> float:
        pairs = zip(curve.phases, curve.quality, strict=True)
        value = next((q for k, q in pairs if k >= depth), curve.last)
        return sign * value if math.isfinite(value) else math.inf

    return tuple(sorted(comparison.classical, key=rank)[:3])


def _missing(judged: Judged) -> tuple[Table | Note, ...]:
    failed = judged.failed
    note = Note("Methods and relaxations that the problem does not have: `unroll family`.")
    if not failed:
        return (Note("Every network of the family could be trained."), note)
    rows = tuple((name, " ".join(why.split())) for name, why in failed.items())
    words = "Networks that could not be trained."
    words = f"{words[:-1]}, or not be judged." if judged.unjudged else words
    return (
        Table(("network", "why"), rows, words, words=True),
        note,
    )
