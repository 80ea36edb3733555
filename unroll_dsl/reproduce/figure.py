"""A reconstruction beside its truth, its start and its error."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unroll_dsl.reproduce.images import psnr
from unroll_dsl.reproduce.run import Reconstruction


def draw(result: Reconstruction, path: Path) -> None:
    """Truth, linear start, reconstruction and the size of the error, side by side."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    error = np.abs(result.found - result.truth)
    figure, axes = pyplot.subplots(1, 4, figsize=(13, 3.6))
    panels = (
        ("truth", result.truth, "gray", 255.0),
        (f"start, {psnr(result.start, result.truth):.2f} dB", result.start, "gray", 255.0),
        (f"network, {psnr(result.found, result.truth):.2f} dB", result.found, "gray", 255.0),
        ("error", error, "magma", max(float(np.quantile(error, 0.999)), 1.0)),
    )
    for axis, (title, image, colours, top) in zip(axes, panels, strict=True):
        shown = axis.imshow(image, cmap=colours, vmin=0, vmax=top)
        axis.set_title(title, fontsize=10)
        axis.axis("off")
    figure.colorbar(shown, ax=axes[-1], fraction=0.046)
    figure.tight_layout()
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def save_image(image: np.ndarray, path: Path) -> None:
    """Grey levels from 0 to 255, rounded, as a PNG file."""
    from PIL import Image

    Image.fromarray(np.round(image).astype(np.uint8)).save(path)
