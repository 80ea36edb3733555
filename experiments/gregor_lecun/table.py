"""The figures of both sizes as a table beside the paper's, and as a plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from experiments.results import drawing

# Gregor, LeCun, 2010, table 1: squared error of the codes; and section 4: how many iterations of FISTA
# reach the error of one of LISTA.
PUBLISHED = {
    "LISTA 1": {100: 1.50, 400: 2.45},
    "LISTA 3": {100: 0.98, 400: 2.12},
    "LISTA 7": {100: 0.52, 400: 1.62},
}
FACTORS = {100: 18, 400: 35}


@dataclass(frozen=True, slots=True)
class Encoder:
    """An encoder: its mean ||Z - Z*||^2 on held-out patches, and the iterations of FISTA that reach it."""

    name: str
    error: float
    fista_iterations: int | None  # None: more than were run
    seconds: float  # of training


@dataclass(frozen=True, slots=True)
class Size:
    """All encoders of a dictionary with so many units; curves after 1, 2, ... iterations."""

    units: int
    encoders: tuple[Encoder, ...]
    fista: tuple[float, ...]
    ista: tuple[float, ...]
    data_seconds: float  # for the dictionary and the codes


def print_table(sizes: Sequence[Size]) -> None:
    """Errors, and iterations of FISTA, of each size beside the paper's errors."""
    table = Table(title="Approximate sparse codes of held-out patches", title_justify="left")
    table.add_column("encoder")
    for size in sizes:
        table.add_column(f"{size.units} units\n||Z - Z*||²", justify="right")
        table.add_column("iterations\nof FISTA", justify="right")
        table.add_column("paper\n||Z - Z*||²", justify="right")
    for row in zip(*(size.encoders for size in sizes), strict=True):
        cells = []
        for size, encoder in zip(sizes, row, strict=True):
            paper = PUBLISHED.get(encoder.name, {}).get(size.units)
            cells += [
                f"{encoder.error:.3f}",
                str(encoder.fista_iterations or f"> {len(size.fista)}"),
                "" if paper is None else f"{paper:.2f}",
            ]
        table.add_row(row[0].name, *cells)
    for count in (1, 10, 100):
        cells = [c for size in sizes for c in (f"{size.fista[count - 1]:.3f}", str(count), "")]
        table.add_row(f"FISTA {count}", *cells)
    console = Console()
    console.width = max(console.width, 110)  # not wrapped where output is no terminal
    console.print(table)
    for size in sizes:
        console.print(
            f"{size.units} units: the paper found that {FACTORS[size.units]} iterations of FISTA reach one of LISTA."
        )


def plot(sizes: Sequence[Size], out: Path) -> None:
    """Error against iterations, a panel for each size."""
    with drawing(out, len(sizes)) as panels:
        for axes, size in zip(panels, sizes, strict=True):
            for name, errors, colour in (
                ("ISTA", size.ista, "#999999"),
                ("FISTA", size.fista, "#0072b2"),
            ):
                axes.loglog(range(1, len(errors) + 1), errors, color=colour, label=name)
            lista = [e for e in size.encoders if e.name.startswith("LISTA")]
            places = [int(e.name.split()[1]) + 1 for e in lista]
            axes.loglog(places, [e.error for e in lista], "o-", color="#d55e00", label="LISTA")
            for place, encoder in zip(places, lista, strict=True):
                if encoder.fista_iterations is not None:
                    ends = (place, encoder.fista_iterations)
                    axes.hlines(encoder.error, *ends, color="#d55e00", linestyle=":", lw=1)
            for encoder, style in zip(size.encoders[:2], ("--", "-."), strict=True):
                axes.axhline(
                    encoder.error, color="#009e73", linestyle=style, lw=1, label=encoder.name
                )
            axes.set_title(f"{size.units} units", fontsize=10)
            axes.set_xlabel("iterations from Z = 0")
            axes.set_ylabel("mean squared error of the codes")
            axes.grid(alpha=0.3, which="both", lw=0.4)
            axes.legend(fontsize=8)
