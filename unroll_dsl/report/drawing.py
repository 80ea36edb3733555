"""Pictures of a program: which line reads which. DOT for Graphviz, SVG drawn with matplotlib."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from unroll_dsl.ir.draw import statement_graph
from unroll_dsl.ir.graph import Graph
from unroll_dsl.report.layout import positions
from unroll_dsl.report.letters import math_name

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
    lonely = [v for v in picture if picture.degree(v) == 0]
    picture.remove_nodes_from(lonely)
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
    places = positions(picture)
    columns = max((x for x, _ in places.values()), default=0) + 1
    rows = max((abs(y) for _, y in places.values()), default=0) * 2 + 1
    settings: Any = {"svg.hashsalt": graph.name, "svg.fonttype": "path", "mathtext.fontset": "cm"}
    with matplotlib.rc_context(settings):
        figure, axes = pyplot.subplots(figsize=(1.45 * columns + 0.6, 0.72 * rows + 0.9))
        try:
            _paint(axes, picture, places)
            axes.set_xlim(-0.7, columns - 0.3)
            axes.set_ylim(-(rows / 2 + 0.75), rows / 2 + 0.75)
            axes.axis("off")
            buffer = io.StringIO()
            figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
        finally:
            pyplot.close(figure)
    return re.sub(r"<!-- Created with matplotlib.*?-->\n?", "", buffer.getvalue())


def _paint(
    axes: Axes, picture: networkx.DiGraph[str], places: dict[str, tuple[float, float]]
) -> None:
    from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

    inside = [v for v in picture if picture.nodes[v]["stage"] == "phase" and v in places]
    inside = [v for v in inside if picture.nodes[v]["kind"] not in ("output", "final", "loss")]
    if inside:
        xs = [places[v][0] for v in inside]
        ys = [places[v][1] for v in inside]
        axes.add_patch(
            FancyBboxPatch(
                (min(xs) - 0.5, min(ys) - 0.62),
                max(xs) - min(xs) + 1.0,
                max(ys) - min(ys) + 1.15,
                boxstyle="round,pad=0.02,rounding_size=0.12",
                facecolor="#fafafa",
                edgecolor="#999999",
                linestyle=(0, (4, 3)),
                zorder=0,
            )
        )
        axes.text(min(xs) - 0.42, max(ys) + 0.36, "phase $k$", fontsize=9, color="#555555")
    for a, b, back in picture.edges(data="feedback"):
        (x0, y0), (x1, y1) = places[a], places[b]
        bend = -0.28 if back else (0.0 if abs(y0 - y1) < 0.01 and x1 - x0 < 1.5 else 0.12)
        axes.add_patch(
            FancyArrowPatch(
                (x0, y0),
                (x1, y1),
                arrowstyle="-|>",
                mutation_scale=9,
                shrinkA=17,
                shrinkB=17,
                connectionstyle=f"arc3,rad={bend}",
                color="#009e73" if back else "#555555",
                linestyle=(0, (3, 2)) if back else "solid",
                linewidth=0.9,
                zorder=1,
            )
        )
    for vertex, (x, y) in places.items():
        data = picture.nodes[vertex]
        fill, edge = _COLOURS.get(data["kind"], _PLAIN)
        axes.add_patch(
            FancyBboxPatch(
                (x - 0.3, y - 0.24),
                0.6,
                0.48,
                boxstyle="round,pad=0.02,rounding_size=0.1",
                facecolor=fill,
                edgecolor=edge,
                linewidth=1.1,
                zorder=2,
            )
        )
        axes.text(x, y, _label(data), ha="center", va="center", fontsize=10, zorder=3)


def _label(data: dict[str, str]) -> str:
    kind, label = data["kind"], data["label"]
    if kind in ("output", "loss"):
        return kind
    symbol = math_name(label)
    mark = {"update": "^{(k)}", "state": "^{(k-1)}", "final": "^{(K)}"}.get(kind, "")
    return f"${symbol.replace(chr(92) + 'mathsf', chr(92) + 'mathrm')}{mark}$"
