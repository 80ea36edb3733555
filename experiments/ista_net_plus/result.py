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
    phases: int
    seconds: float
    psnr: float
    ssim: float
    images: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Result:
    """`start_*` is what every network begins from, Q @ y; `untrained_*` what one of `phases` makes of it.

    `published` is the paper's PSNR, `released` that of the weights that its authors have released.
    """

    phases: int
    batch: int
    start_psnr: float
    start_ssim: float
    untrained_psnr: float
    untrained_ssim: float
    points: tuple[Point, ...]
    published: float | None
    released: float | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def print_table(result: Result) -> None:
    title = f"ISTA-Net+, {result.phases} phases, batches of {result.batch}: Set11 at 25 %"
    table = Table(title=title, title_justify="left")
    for heading in ("", "phases", "minutes", "updates", "PSNR, dB", "SSIM"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    start = f"{result.start_psnr:.2f}", f"{result.start_ssim:.4f}"
    table.add_row("least squares, Q y", "", "", "", *start)
    before = f"{result.untrained_psnr:.2f}", f"{result.untrained_ssim:.4f}"
    table.add_row("untrained", str(result.phases), "", "", *before)
    for point in result.points:
        table.add_row(
            "trained",
            str(point.phases),
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
            table.add_row(name, "9", "", "", f"{value:.2f}", "")
    Console().print(table)


def draw(result: Result, out: Path) -> None:
    """plot.png and plot.svg: PSNR against minutes."""
    with drawing(out) as (axes,):
        for phases in sorted({point.phases for point in result.points}):
            some = [point for point in result.points if point.phases == phases]
            minutes, found = [p.seconds / 60 for p in some], [p.psnr for p in some]
            axes.plot(minutes, found, "o-", label=f"trained here, {phases} phases")
        axes.axhline(result.start_psnr, color="grey", linestyle=":", label="least squares, Q y")
        if result.published is not None:
            axes.axhline(result.published, color="black", linestyle="--", label="published")
        axes.set_xlabel("minutes of training")
        axes.set_ylabel("PSNR on Set11 at 25 %, dB")
        axes.grid(alpha=0.3)
        axes.legend(loc="lower right")
