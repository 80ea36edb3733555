"""Panels as SVG: the same bytes for the same panel, coloured by the page that they stand in."""

from __future__ import annotations

import hashlib
import io
import math
import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from unroll_dsl.runs.panels import Panel, PanelLine

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Read on white as on black, and told apart by those who see colours differently.
PALETTE = ("#2f7fc4", "#d9622b", "#1f9e77", "#9a68c9", "#c04d86", "#8a8a2c", "#3a9fb5")
_RAMP = ("#3d86d6", "#8d6fd1", "#c75c9f", "#dd6a55", "#c98a1b")  # first phase to last

# Colours that the page chooses, by names of CSS; outside of a page the second ones hold.
_INK, _GRID, _PAPER = "#010203", "#040506", "#070809"
_THEMED = {_INK: "var(--ink)", _GRID: "var(--grid)", _PAPER: "var(--paper)"}
_PLAIN = {_INK: "#222222", _GRID: "#d9d9d9", _PAPER: "#ffffff"}

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _INK,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.unicode_minus": True,
    "grid.color": _GRID,
    "grid.linewidth": 0.6,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "text.color": _INK,
    "text.parse_math": False,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "legend.labelcolor": _INK,
    "lines.linewidth": 1.5,
    "lines.markersize": 3.5,
    "path.simplify": True,
    "path.simplify_threshold": 0.3,
}
_SIZE = (4.4, 2.9)  # inches: a third of a page on a screen, all of it on a telephone
_INSIDE = 3  # names that find room among the lines; more stand below
_ROW = 0.17  # inches of a row of names


def svg(panel: Panel) -> str:
    """A panel as an `<svg>` element for a page that defines --ink, --grid and --paper."""
    return _element(_text((panel,), _SIZE), panel)


def save(panels: Sequence[Panel], stream: io.BytesIO, format: str) -> None:
    """Panels side by side as a picture of their own (svg, png or pdf)."""
    import matplotlib

    with matplotlib.rc_context(_STYLE | {"svg.hashsalt": _salt(panels), "svg.fonttype": "path"}):
        figure = _figure(panels, (4.9 * len(panels), 3.6))
        if format == "svg":
            stream.write(_coloured(_written(figure), _PLAIN).encode())
        else:
            _recolour(figure)
            metadata = {"CreationDate": None} if format == "pdf" else None
            figure.savefig(stream, format=format, dpi=160, facecolor="#ffffff", metadata=metadata)


def shade(place: float) -> str:
    """The colour of a member of an ordered family, `place` from 0 (first) to 1 (last)."""
    where = min(max(place, 0.0), 1.0) * (len(_RAMP) - 1)
    low = min(int(where), len(_RAMP) - 2)
    parts = [
        round(a + (where - low) * (b - a))
        for a, b in zip(_channels(_RAMP[low]), _channels(_RAMP[low + 1]), strict=True)
    ]
    return "#" + "".join(f"{part:02x}" for part in parts)


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def _salt(panels: Sequence[Panel]) -> str:
    return hashlib.sha256(repr(tuple(panels)).encode()).hexdigest()[:10]


def _text(panels: Sequence[Panel], size: tuple[float, float]) -> str:
    import matplotlib

    with matplotlib.rc_context(_STYLE | {"svg.hashsalt": _salt(panels)}):
        return _coloured(_written(_figure(panels, size)), _THEMED)


def _written(figure: Figure) -> str:
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()


def _coloured(text: str, colours: dict[str, str]) -> str:
    for placeholder, colour in colours.items():
        text = text.replace(placeholder, colour)
    return text


def _recolour(figure: Figure) -> None:
    """Put plain colours where placeholders stand, for formats that are no text."""
    from matplotlib.colors import to_hex

    def plain(value: Any) -> Any:
        try:
            return _PLAIN.get(to_hex(value))
        except (TypeError, ValueError):
            return None

    for part in figure.findobj():
        for word in ("color", "edgecolor", "facecolor"):
            get, put = (getattr(part, f"{verb}_{word}", None) for verb in ("get", "set"))
            chosen = plain(get()) if get is not None else None
            if chosen is not None and put is not None:
                put(chosen)


def _element(text: str, panel: Panel) -> str:
    """The `<svg>` alone, named for those who do not see it, its ids apart from those of other figures."""
    body = text[text.index("<svg") :].strip()
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, flags=re.DOTALL)
    body = re.sub(r'\s(width|height)="[0-9.]+pt"', "", body, count=2)
    prefix = f"p{_salt((panel,))}-"
    body = re.sub(r'\bid="', f'id="{prefix}', body)
    body = body.replace("url(#", f"url(#{prefix}").replace('href="#', f'href="#{prefix}')
    label = escape(f"{panel.title}: {panel.y_label} against {panel.x_label}", quote=True)
    return body.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)


def _figure(panels: Sequence[Panel], size: tuple[float, float]) -> Figure:
    from matplotlib.figure import Figure

    width, height = size
    below = max((_rows_below(panel) for panel in panels), default=0)
    figure = Figure(figsize=(width, height + _ROW * below), layout="constrained")
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for each, panel in zip(axes, panels, strict=True):
        _draw(each, panel)
    return figure


def _draw(axes: Axes, panel: Panel) -> None:
    axes.set_title(panel.title)
    axes.set_xlabel(panel.x_label)
    axes.set_ylabel(panel.y_label)
    for line in panel.lines:
        _draw_line(axes, line)
    for mark in panel.marks:
        axes.axvline(mark, color=_INK, lw=0.6, alpha=0.35, zorder=1)
    for axis, is_log in ((axes.xaxis, panel.log_x), (axes.yaxis, panel.log_y)):
        if is_log:
            _logarithmic(axes, axis)
    if panel.whole_x and not panel.log_x:
        from matplotlib.ticker import MaxNLocator

        ticks = MaxNLocator(8, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10])
        axes.xaxis.set_major_locator(ticks)
    elif not panel.log_x:
        axes.locator_params(axis="x", nbins=6)
    if panel.y_range is not None:
        axes.set_ylim(*panel.y_range)
    elif not panel.log_y:
        _room_for_small_ranges(axes, panel)
    if _rows_below(panel):
        axes.legend(
            loc="upper center",
            bbox_to_anchor=(0.45, -0.18),
            ncols=2,
            columnspacing=1.2,
            handlelength=1.6,
        )
    elif any(line.label for line in panel.lines):
        axes.legend(loc="best")


def _rows_below(panel: Panel) -> int:
    """The rows of names that stand below a panel, two in each."""
    count = sum(bool(line.label) for line in panel.lines)
    return -(-count // 2) if count > _INSIDE else 0


def _draw_line(axes: Axes, line: PanelLine) -> None:
    colour = PALETTE[line.colour % len(PALETTE)] if line.shade is None else shade(line.shade)
    if line.muted:
        colour = _INK
    if line.stems:
        axes.vlines(line.x, 0, line.y, color=colour, linewidth=1.1, alpha=0.6, label=line.label)
        axes.axhline(0, color=_INK, linewidth=0.6)
        return
    single = len(line.x) == 1
    axes.plot(
        line.x,
        line.y,
        color=colour,
        linestyle=_stroke(line),
        marker="o" if line.points or single else None,
        linewidth=1.1 if line.muted else 1.5,
        alpha=0.75 if line.muted else 1.0,
        label=line.label or "_",
        zorder=2 if line.muted else 3,
    )
    if line.band is not None:
        axes.fill_between(line.x, *line.band, color=colour, alpha=0.18, linewidth=0, zorder=2)


def _stroke(line: PanelLine) -> Any:
    if line.bare:
        return "none"
    return (0, (4, 2.5)) if line.dashed else "-"


def _logarithmic(axes: Axes, axis: Any) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    set_scale = axes.set_xscale if axis is axes.xaxis else axes.set_yscale
    set_scale("log")
    low, high = sorted(axis.get_view_interval())
    few = low > 0 and math.log10(high / low) < 1.7
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,), numticks=7))
    axis.set_major_formatter(FuncFormatter(lambda value, _: power(value)))
    axis.set_minor_formatter(NullFormatter())


def _room_for_small_ranges(axes: Axes, panel: Panel) -> None:
    """Constant values get an axis around them, not one of rounding errors."""
    values = [v for line in panel.lines for v in line.y if math.isfinite(v)]
    if values and max(values) - min(values) < 1e-6 * max(map(abs, values)):
        middle = values[0]
        away = 0.2 * abs(middle) or 1.0
        axes.set_ylim(middle - away, middle + away)
    axes.ticklabel_format(axis="y", style="plain", useOffset=False)


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power(value: float) -> str:
    """A tick of a logarithmic axis: 0.01 to 1000 as they are, else a digit times a power of ten."""
    if value <= 0:
        return ""
    if 0.01 <= value < 10000:
        return f"{value:g}"
    exponent = math.floor(math.log10(value) + 1e-9)
    factor = round(value / 10**exponent)
    raised = f"10{str(exponent).translate(_RAISED)}"
    return raised if factor == 1 else f"{factor}·{raised}"
