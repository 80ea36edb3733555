"""PSNR on Set11 over the time of training: figures, table, curve."""

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
    """A network on Set11: mean PSNR in dB and SSIM, and the PSNR of each image."""

    step: int
    seconds: float
    psnr: float
    ssim: float
    images: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Result:
    """The first of `points` is the untrained network, `start_*` is what it begins from, Q @ y.

    `published` is the paper's PSNR, `released` that of the weights that its authors have released.
    """

    phases: int
    batch: int
    start_psnr: float
    start_ssim: float
    points: tuple[Point, ...]
    published: float | None
    released: float | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def print_table(result: Result) -> None:
    title = f"ISTA-Net+, {result.phases} phases, batches of {result.batch}: Set11 at 25 %"
    table = Table(title=title, title_justify="left")
    for heading in ("", "minutes", "updates", "PSNR, dB", "SSIM"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    start = f"{result.start_psnr:.2f}", f"{result.start_ssim:.4f}"
    table.add_row("least squares, Q y", "", "", *start)
    for point in result.points:
        table.add_row(
            "trained" if point.step else "untrained",
            f"{point.seconds / 60:.1f}",
            str(point.step),
            f"{point.psnr:.2f}",
            f"{point.ssim:.4f}",
        )
    for name, value in (
        ("authors' weights", result.released),
        ("published", result.published),
    ):
        if value is not None:
            table.add_row(name, "", "", f"{value:.2f}", "")
    Console().print(table)


def draw(result: Result, out: Path) -> None:
    """plot.png and plot.svg: PSNR against minutes."""
    with drawing(out) as (axes,):
        minutes = [point.seconds / 60 for point in result.points]
        axes.plot(minutes, [point.psnr for point in result.points], "o-", label="trained here")
        axes.axhline(result.start_psnr, color="grey", linestyle=":", label="least squares, Q y")
        if result.published is not None:
            axes.axhline(result.published, color="C1", linestyle="--", label="published")
        axes.set_xlabel("minutes of training")
        axes.set_ylabel("PSNR on Set11 at 25 %, dB")
        axes.grid(alpha=0.3)
        axes.legend(loc="lower right")
