"""NMSE of held-out chest images and of the brain image over the time of training: figures, table, curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from experiments.results import drawing


@dataclass(frozen=True, slots=True)
class Point:
    """A network: mean NMSE of the held-out chest images, NMSE and PSNR in dB of the brain image."""

    step: int
    seconds: float
    nmse: float
    brain_nmse: float
    brain_psnr: float


@dataclass(frozen=True, slots=True)
class Result:
    """The first of `points` is the start, the classical iteration of as many phases.

    `classical` is the NMSE of the held-out images after so many of its iterations, 0 for what zero-filling
    gives; `published_psnr` that of the brain image with the network of the paper.
    """

    phases: int
    batch: int
    points: tuple[Point, ...]
    classical: Mapping[int, float]
    brain_zero_filled: float
    published_psnr: float | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def print_table(result: Result) -> None:
    title = f"Deep ADMM-Net, {result.phases} phases, batches of {result.batch}: 20 % of k-space"
    table = Table(title=title, title_justify="left")
    headings = ("", "minutes", "updates", "chest, NMSE", "brain, NMSE", "brain, dB")
    for heading in headings:
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for count, value in result.classical.items():
        words = f"{count} classical iterations" if count else "zero-filled"
        brain = "" if count else f"{result.brain_zero_filled:.4f}"
        table.add_row(words, "", "", f"{value:.4f}", brain, "")
    for point in result.points:
        table.add_row(
            "trained" if point.step else "untrained",
            f"{point.seconds / 60:.1f}",
            str(point.step),
            f"{point.nmse:.4f}",
            f"{point.brain_nmse:.4f}",
            f"{point.brain_psnr:.2f}",
        )
    if result.published_psnr is not None:
        table.add_row("authors' network", "", "", "", "", f"{result.published_psnr:.2f}")
    Console().print(table)


def draw(result: Result, out: Path) -> None:
    """plot.png and plot.svg: NMSE of the held-out images against minutes."""
    with drawing(out) as (axes,):
        minutes = [point.seconds / 60 for point in result.points]
        axes.plot(minutes, [point.nmse for point in result.points], "o-", label="trained here")
        last = max(result.classical)
        axes.axhline(
            result.classical[last],
            color="grey",
            linestyle=":",
            label=f"{last} classical iterations",
        )
        axes.set_xlabel("minutes of training")
        axes.set_ylabel("NMSE of held-out chest images, 20 % of k-space")
        axes.grid(alpha=0.3)
        axes.legend()
