"""Fragments of HTML that notebooks show: tables, text, a small curve. Everything that is given is escaped."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

_WIDTH, _HEIGHT, _MARGIN = 320, 80, 4


def table(rows: Iterable[Sequence[str]], head: Sequence[str] = (), caption: str = "") -> str:
    """A table; a row of one cell goes over all columns, as a heading."""
    body = [list(row) for row in rows]
    width = max((len(row) for row in (head, *body)), default=1)
    lines = [f"<table><caption>{escape(caption)}</caption>" if caption else "<table>"]
    if head:
        lines.append(_row(head, "th"))
    for row in body:
        if len(row) == 1 < width:
            heading = escape(row[0])
            lines.append(f'<tr><th colspan="{width}" style="text-align:left">{heading}</th></tr>')
        else:
            lines.append(_row(row, "td"))
    return "\n".join([*lines, "</table>"])


def _row(cells: Sequence[str], tag: str) -> str:
    inside = "".join(f'<{tag} style="text-align:left">{escape(cell)}</{tag}>' for cell in cells)
    return f"<tr>{inside}</tr>"


def preformatted(text: str) -> str:
    """Text as it stands, in columns."""
    return f"<pre>{escape(text)}</pre>"


def curve(values: Sequence[float | None], title: str) -> str:
    """Values in their order as a line without axes; fewer than two finite ones give nothing."""
    points = [
        (place, value)
        for place, value in enumerate(values)
        if value is not None and math.isfinite(value)
    ]
    if len(points) < 2:
        return ""
    low, high = min(v for _, v in points), max(v for _, v in points)
    across, up = (_WIDTH - 2 * _MARGIN) / max(len(values) - 1, 1), _HEIGHT - 2 * _MARGIN
    marks = " ".join(
        f"{_MARGIN + across * place:.1f},"
        f"{_HEIGHT - _MARGIN - up * (value - low) / ((high - low) or 1):.1f}"
        for place, value in points
    )
    words = escape(f"{title}: from {points[0][1]:.4g} to {points[-1][1]:.4g}")
    return (
        f'<svg role="img" aria-label="{words}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}"><title>{words}</title>'
        f'<polyline points="{marks}" fill="none" stroke="#2f7fc4" stroke-width="1.5"/></svg>'
    )


def framed(page: str, height: int = 800) -> str:
    """A whole page in a frame of its own, so that its style and the notebook's do not meet."""
    return (
        f'<iframe sandbox="allow-scripts" srcdoc="{escape(page)}" width="100%" '
        f'height="{height}" style="border:0"></iframe>'
    )
