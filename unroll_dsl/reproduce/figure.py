"""A reconstruction beside its truth, its start and its error."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unroll_dsl.data.images import Image
from unroll_dsl.data.metrics import psnr
from unroll_dsl.reproduce.run import Reconstruction


def draw(result: Reconstruction, path: Path) -> None:
    """Truth, start, reconstruction and the size of the error, side by side; moduli if complex."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    error = np.abs(result.found - result.truth)
    figure, axes = pyplot.subplots(1, 4, figsize=(13, 3.6), layout="constrained")
    top = max(float(np.quantile(np.abs(result.truth), 0.999)), 1e-12)
    panels = (
        ("truth", result.truth, "gray", top),
        (f"start, {psnr(result.start, result.truth):.2f} dB", result.start, "gray", top),
        (f"reconstruction, {psnr(result.found, result.truth):.2f} dB", result.found, "gray", top),
        ("error", error, "magma", max(float(np.quantile(error, 0.999)), 1e-12)),
    )
    for axis, (title, image, colours, most) in zip(axes, panels, strict=True):
        shown = axis.imshow(np.abs(image), cmap=colours, vmin=0, vmax=most)
        axis.set_title(title, fontsize=10)
        axis.axis("off")
    figure.colorbar(shown, ax=axes[-1], shrink=0.8)
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def save_image(image: Image, path: Path) -> None:
    """The modulus, clipped to [0, 1], as 256 grey levels in a PNG file."""
    from PIL import Image as Pictures

    levels = np.round(255 * np.clip(np.abs(image), 0, 1)).astype(np.uint8)
    Pictures.fromarray(levels).save(path)
