"""How an objective falls to its least value, beside 1/k and 1/k^2 and beside what is proved."""

from __future__ import annotations

from unroll_dsl.runs.panels import Panel, PanelLine, Points
from unroll_dsl.verify.report import Fall


def panel(program: str, fall: Fall) -> Panel:
    """The gaps of a long run on logarithmic axes. 1/k and 1/k^2 begin where the run begins."""
    kept = [(k, gap) for k, gap in zip(fall.phases, fall.gaps, strict=True) if gap > fall.floor]
    if not kept:
        kept = [(fall.phases[0], fall.floor)]
    phases, gaps = tuple(float(k) for k, _ in kept), tuple(gap for _, gap in kept)
    lines = [PanelLine(phases, gaps, "F(x_k) - F*", colour=0)]
    if fall.bounds is not None:
        bounds = dict(zip(fall.phases, fall.bounds, strict=True))
        lines.append(PanelLine(phases, tuple(bounds[int(k)] for k in phases), "proved", colour=1))
    for power, label in ((1, "1/k"), (2, "1/k^2")):
        lines.append(
            PanelLine(phases, _power(phases, gaps[0], power), label, dashed=True, muted=True)
        )
    low = min(gaps)
    top = max(max(line.y) for line in lines)
    return Panel(
        f"{program}: {fall.words}",
        "phase",
        "objective above its least value",
        tuple(lines),
        log_x=True,
        log_y=True,
        y_range=(low / 3, 3 * top),
    )


def _power(phases: Points, first: float, power: int) -> Points:
    return tuple(first * (phases[0] / k) ** power for k in phases)
