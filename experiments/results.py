"""What an experiment leaves: results.json, and its plot as PNG and SVG."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch


def machine() -> dict[str, Any]:
    """What figures of time depend on."""
    return {
        "processor": platform.machine(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }


def write(out: Path, result: Mapping[str, Any]) -> None:
    """results.json of an experiment."""
    text = json.dumps(result, indent=1, ensure_ascii=False)
    (out / "results.json").write_text(text + "\n", encoding="utf-8")


@contextmanager
def drawing(out: Path, columns: int = 1) -> Iterator[Any]:
    """Axes, `columns` beside each other, that become plot.png and plot.svg in `out`."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with matplotlib.rc_context({"svg.hashsalt": "experiments"}):
        figure, axes = pyplot.subplots(
            1, columns, figsize=(5.5 * columns, 4.2), squeeze=False, layout="constrained"
        )
        yield axes[0]
        figure.savefig(out / "plot.png", dpi=150)
        figure.savefig(out / "plot.svg", metadata={"Date": None})
        pyplot.close(figure)
