"""NMSE against layers as a table and as a plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from experiments.results import drawing


@dataclass(frozen=True, slots=True)
class Network:
    """A network, or an iteration that learns nothing: the NMSE in dB after 1, 2, ... layers."""

    name: str
    nmse_db: list[float]
    learnt: int  # numbers
    seconds: float  # of training


def print_table(networks: Sequence[Network]) -> None:
    """NMSE after some of the layers, what is learnt, and how long it took."""
    layers = len(networks[0].nmse_db)
    shown = [k for k in (1, 2, 4, 8, 12, 16) if k <= layers]
    table = Table(title="NMSE in dB after so many layers", title_justify="left")
    table.add_column("network")
    for k in shown:
        table.add_column(str(k), justify="right")
    table.add_column("learnt\nnumbers", justify="right")
    table.add_column("training,\nseconds", justify="right")
    for network in sorted(networks, key=lambda network: -network.nmse_db[-1]):
        cells = [f"{network.nmse_db[k - 1]:.1f}" for k in shown]
        facts = [f"{network.learnt:,}", f"{network.seconds:.0f}"] if network.learnt else ["", ""]
        table.add_row(network.name, *cells, *facts)
    Console().print(table)


def plot(networks: Sequence[Network], out: Path) -> None:
    """NMSE against layers."""
    with drawing(out) as (axes,):
        for network in networks:
            style = "o-" if network.learnt else "--"
            places = range(1, len(network.nmse_db) + 1)
            axes.plot(places, network.nmse_db, style, ms=3.5, label=network.name)
        axes.set_xlabel("layers")
        axes.set_ylabel("NMSE, dB")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=9)
