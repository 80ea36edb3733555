"""Panels as SVG."""

import io
import re

from unroll_dsl.runs.drawing import power, save, svg
from unroll_dsl.runs.panels import Panel, PanelLine

PANEL = Panel(
    "a < b", "step", "loss", (PanelLine((1.0, 2.0, 3.0), (1.0, 10.0, 100.0), "c & d"),), log_y=True
)


def test_the_same_panel_gives_the_same_bytes() -> None:
    assert svg(PANEL) == svg(PANEL)


def test_two_panels_share_no_id() -> None:
    other = Panel("other", "step", "loss", PANEL.lines)
    first, second = (set(re.findall(r'\bid="([^"]+)"', svg(panel))) for panel in (PANEL, other))
    assert first and not first & second


def test_the_page_chooses_the_colours_of_text() -> None:
    assert "var(--ink)" in svg(PANEL) and "#010203" not in svg(PANEL)


def test_a_picture_of_its_own_has_colours_of_its_own() -> None:
    stream = io.BytesIO()
    save((PANEL,), stream, "svg")
    assert b"var(--" not in stream.getvalue() and b"#010203" not in stream.getvalue()


def test_ticks_of_logarithmic_axes_are_plain_text() -> None:
    assert [power(v) for v in (1e-5, 2e-4, 0.1, 100, 1e6)] == [
        "10⁻⁵",
        "2·10⁻⁴",
        "0.1",
        "100",
        "10⁶",
    ]


def test_many_names_stand_below_the_lines() -> None:
    """Three find room among the lines; of seven none is written over one."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from unroll_dsl.runs.drawing import _figure

    x = tuple(float(i) for i in range(1, 101))
    for count, below in ((3, False), (4, True), (7, True)):
        lines = tuple(
            PanelLine(x, tuple((i + 1) / v for v in x), f"a_rather_long_name_{i}", colour=i)
            for i in range(count)
        )
        figure = _figure((Panel("p", "phases", "error", lines),), (4.4, 2.9))
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        (axes,) = figure.axes
        legend = axes.get_legend()
        assert legend is not None and len(legend.get_texts()) == count
        box, area = legend.get_window_extent(), axes.get_window_extent()
        assert (box.y1 <= area.y0) == below
        assert box.y0 >= 0 and box.x0 >= 0 and box.x1 <= figure.bbox.x1
        label = axes.xaxis.label.get_window_extent()
        assert not below or box.y1 <= label.y0 + 1
        assert area.height > 100  # the lines keep their room
