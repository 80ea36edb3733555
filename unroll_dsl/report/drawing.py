"""Pictures of a program: which line reads which. DOT for Graphviz, SVG drawn with matplotlib."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from unroll_dsl.ir.draw import statement_graph
from unroll_dsl.ir.graph import Graph
from unroll_dsl.report.layout import BoxLayout, Point, layout
from unroll_dsl.typeset.letters import math_name

if TYPE_CHECKING:
    import networkx
    from matplotlib.axes import Axes

# fill and edge colours by kind: colour-blind safe (Okabe, Ito), legible in grey
_COLOURS = {
    "input": ("#d7e9f7", "#0072b2"),
    "target": ("#d7e9f7", "#0072b2"),
    "fixed": ("#eeeeee", "#777777"),
    "learnable": ("#fde7c8", "#d55e00"),
    "state": ("#d9f0e6", "#009e73"),
    "update": ("#d9f0e6", "#009e73"),
    "output": ("#ffffff", "#000000"),
    "loss": ("#f5dfeb", "#cc79a7"),
    "objective": ("#f5dfeb", "#cc79a7"),
}
_PLAIN = ("#ffffff", "#777777")
_HALF_WIDTH, _HALF_HEIGHT = 0.32, 0.3  # of a box
_LANE = 0.13  # between arrows back to the next phase
_HIDDEN = ("objective", "variable")  # what is minimised is not part of the network


def dot(graph: Graph) -> str:
    """The program in Graphviz's DOT language; the phase is a cluster."""
    picture = _visible(graph)
    lines = [
        f'digraph "{graph.name}" {{',
        "  rankdir=LR;",
        '  node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=11];',
    ]
    inside = [v for v in picture if picture.nodes[v]["stage"] == "phase"]
    for vertex in picture:
        if vertex not in inside:
            lines.append(f"  {_dot_vertex(picture, vertex)}")
    if inside:
        lines += ["  subgraph cluster_phase {", '    label="phase"; style=dashed;']
        lines += [f"    {_dot_vertex(picture, vertex)}" for vertex in inside]
        lines.append("  }")
    for a, b, back in picture.edges(data="feedback"):
        style = " [style=dashed, constraint=false]" if back else ""
        lines.append(f'  "{a}" -> "{b}"{style};')
    return "\n".join([*lines, "}", ""])


def _visible(graph: Graph) -> networkx.DiGraph[str]:
    picture = statement_graph(graph)
    picture.remove_nodes_from([v for v in picture if picture.nodes[v]["kind"] in _HIDDEN])
    ends = [v for v in picture if picture.nodes[v]["kind"] == "final" and not picture.out_degree(v)]
    picture.remove_nodes_from(ends)  # last values that nothing reads
    picture.remove_nodes_from([v for v in picture if picture.degree(v) == 0])
    return picture


def _dot_vertex(picture: networkx.DiGraph[str], vertex: str) -> str:
    data = picture.nodes[vertex]
    fill, edge = _COLOURS.get(data["kind"], _PLAIN)
    label = data["label"].replace('"', r"\"")
    return (
        f'"{vertex}" [label="{label}", tooltip="{data["type"]}", fillcolor="{fill}", '
        f'color="{edge}"];'
    )


def svg(graph: Graph) -> str:
    """The program as an SVG picture: set-up, call, phase and output from left to right.

    Needs matplotlib (`pip install 'unroll_dsl[draw]'`). The same program gives the same bytes.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    picture = _visible(graph)
    found = layout(picture)
    heights = [y for _, y in found.places.values()] or [0.0]
    columns = max((x for x, _ in found.places.values()), default=0) + 1
    lanes = sum(1 for *_, back in picture.edges(data="feedback") if back)
    bottom, top = min(heights) - 0.7 - _LANE * lanes, max(heights) + 0.8
    settings: Any = {"svg.hashsalt": graph.name, "svg.fonttype": "path", "mathtext.fontset": "cm"}
    with matplotlib.rc_context(settings):
        figure, axes = pyplot.subplots(figsize=(1.45 * columns, 0.62 * (top - bottom)))
        try:
            axes.set_position((0, 0, 1, 1))
            axes.set_xlim(-0.6, columns - 0.4)
            axes.set_ylim(bottom, top)
            axes.axis("off")
            _paint(axes, picture, found)
            buffer = io.StringIO()
            figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
        finally:
            pyplot.close(figure)
    return re.sub(r"<!-- Created with matplotlib.*?-->\n?", "", buffer.getvalue())


def _paint(axes: Axes, picture: networkx.DiGraph[str], found: BoxLayout) -> None:
    from matplotlib.patches import FancyBboxPatch

    places = found.places
    inside = [v for v in picture if picture.nodes[v]["stage"] == "phase"]
    inside = [v for v in inside if picture.nodes[v]["kind"] not in ("output", "final", "loss")]
    returns = sorted(
        ((a, b) for a, b, back in picture.edges(data="feedback") if back),
        key=lambda edge: -places[edge[0]][1],
    )
    bottom = 0.0
    if inside:
        xs = [places[v][0] for v in inside]
        ys = [places[v][1] for v in inside]
        bottom = min(ys) - 0.42
        low = bottom - _LANE * max(len(returns) - 1, 0) - 0.12
        axes.add_patch(
            FancyBboxPatch(
                (min(xs) - 0.48, low),
                max(xs) - min(xs) + 0.96,
                max(ys) + 0.62 - low,
                boxstyle="round,pad=0.02,rounding_size=0.12",
                facecolor="#fafafa",
                edgecolor="#999999",
                linestyle=(0, (4, 3)),
                zorder=0,
            )
        )
        axes.text(
            min(xs) - 0.44,
            max(ys) + 0.39,
            "phase $k$",
            fontsize=9,
            color="#555555",
            bbox={"facecolor": "#fafafa", "edgecolor": "none", "pad": 1.0},
            zorder=3,
        )
    for a, b, back in picture.edges(data="feedback"):
        if not back:
            _arrow(axes, found.routes[a, b])
    for lane, (a, b) in enumerate(returns[::-1]):
        _back(axes, places[a], places[b], bottom - _LANE * lane, lane / max(len(returns), 1))
    for vertex, (x, y) in places.items():
        data = picture.nodes[vertex]
        fill, edge = _COLOURS.get(data["kind"], _PLAIN)
        axes.add_patch(
            FancyBboxPatch(
                (x - _HALF_WIDTH + 0.02, y - _HALF_HEIGHT + 0.02),
                2 * _HALF_WIDTH - 0.04,
                2 * _HALF_HEIGHT - 0.04,
                boxstyle="round,pad=0.02,rounding_size=0.1",
                facecolor=fill,
                edgecolor=edge,
                linewidth=1.1,
                zorder=2,
            )
        )
        axes.text(x, y, _label(data), ha="center", va="center", fontsize=10, zorder=3)


def _arrow(axes: Axes, points: Sequence[Point]) -> None:
    """A smooth arrow from the right side of a box through `points` to the left side of another."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    stops = [(points[0][0] + _HALF_WIDTH, points[0][1]), *points[1:-1]]
    stops.append((points[-1][0] - _HALF_WIDTH, points[-1][1]))
    vertices, codes = [stops[0]], [Path.MOVETO]
    for (x0, y0), (x1, y1) in pairwise(stops):
        middle = (x0 + x1) / 2
        vertices += [(middle, y0), (middle, y1), (x1, y1)]
        codes += [Path.CURVE4] * 3
    axes.add_patch(
        FancyArrowPatch(
            path=Path(vertices, codes),
            arrowstyle="-|>",
            mutation_scale=8,
            color="#555555",
            linewidth=0.9,
            zorder=1,
        )
    )


def _back(axes: Axes, begin: Point, end: Point, low: float, shift: float) -> None:
    """A dashed arrow from an update round below all boxes to the state of the next phase. `shift`,
    from 0 to 1, keeps arrows in one gap between columns apart."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    away = _HALF_WIDTH + 0.05 + 0.07 * shift
    corners = [
        (begin[0] + _HALF_WIDTH, begin[1] - 0.14),
        (begin[0] + away, begin[1] - 0.14),
        (begin[0] + away, low),
        (end[0] - away, low),
        (end[0] - away, end[1] - 0.14),
        (end[0] - _HALF_WIDTH, end[1] - 0.14),
    ]
    axes.add_patch(
        FancyArrowPatch(
            path=Path(corners),
            arrowstyle="-|>",
            mutation_scale=7,
            color="#009e73",
            linestyle=(0, (3, 2)),
            linewidth=0.9,
            joinstyle="round",
            zorder=1,
        )
    )


def _label(data: dict[str, str]) -> str:
    kind, label = data["kind"], data["label"]
    if kind in ("output", "loss"):
        return kind
    symbol = math_name(label)
    mark = {"update": "^{(k)}", "state": "^{(k-1)}", "final": "^{(K)}"}.get(kind, "")
    return f"${symbol.replace(chr(92) + 'mathsf', chr(92) + 'mathrm')}{mark}$"
