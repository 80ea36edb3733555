"""The figures of the demo, their table and their plot."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

# Gregor, LeCun, 2010, table 1 (100 units), and section 4: iterations of FISTA for one of LISTA.
PUBLISHED_FACTOR = 18


@dataclass(frozen=True, slots=True)
class EncoderRow:
    """One encoder: its error on held-out patches, and the FISTA iterations that reach it."""

    name: str
    error: float
    fista_iterations: int | None  # None: more than were run


@dataclass(frozen=True, slots=True)
class DemoResult:
    """Everything that the demo found. Errors are mean ||Z - Z*||^2 on held-out patches."""

    seed: int
    untrained_gap: float  # largest relative difference of untrained LISTA from ISTA
    rows: tuple[EncoderRow, ...]
    fista: tuple[float, ...]  # error after 1, 2, ... iterations
    ista: tuple[float, ...]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def figures(self) -> dict[str, Any]:
        """All but the time it took: the same for the same seed."""
        found = asdict(self)
        del found["seconds"]
        return found


def print_table(result: DemoResult) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Approximate sparse codes of held-out patches", title_justify="left")
    table.add_column("encoder")
    table.add_column("error, mean\n||Z - Z*||²", justify="right")
    table.add_column("iterations of FISTA\nthat reach it", justify="right")
    for row in result.rows:
        reached = "" if row.name.startswith("FISTA") else str(row.fista_iterations or "-")
        table.add_row(row.name, f"{row.error:.3f}", reached)
    console = Console()
    console.print(table)
    console.print(
        f"Gregor and LeCun (2010) found that {PUBLISHED_FACTOR} iterations of FISTA reach the error "
        "of one of LISTA (100 units)."
    )
    console.print(
        f"Untrained, LISTA is ISTA: largest relative difference {result.untrained_gap:.1e}."
    )


def plot(result: DemoResult, out: Path) -> None:
    """Error against iterations, as plot.png and plot.svg in `out`."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.5))
    for name, curve, colour in (
        ("ISTA", result.ista, "#999999"),
        ("FISTA", result.fista, "#0072b2"),
    ):
        axes.loglog(range(1, len(curve) + 1), curve, color=colour, label=name)
    lista = [row for row in result.rows if row.name.startswith("LISTA")]
    places = [int(row.name.split()[1]) for row in lista]
    axes.loglog(places, [row.error for row in lista], "o-", color="#d55e00", label="LISTA, trained")
    for row in lista:
        if row.fista_iterations is not None:
            start = int(row.name.split()[1])
            axes.hlines(
                row.error, start, row.fista_iterations, color="#d55e00", linestyle=":", lw=1
            )
    for row in result.rows:
        if row.name.startswith("baseline"):
            style = "-." if "shrinkage" in row.name else "--"
            axes.axhline(row.error, color="#009e73", linestyle=style, lw=1, label=row.name)
    axes.set_xlabel("iterations")
    axes.set_ylabel("mean squared error of the codes")
    axes.set_title("Approximate sparse codes of 10 x 10 patches, 100 atoms")
    axes.grid(alpha=0.3, which="both", lw=0.4)
    axes.legend(fontsize=9)
    figure.tight_layout()
    figure.savefig(out / "plot.png", dpi=150)
    figure.savefig(out / "plot.svg", metadata={"Date": None})
    pyplot.close(figure)
