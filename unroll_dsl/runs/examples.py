"""Some reconstructions beside what they should be: pictures of images, stems of vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unroll_dsl.data.metrics import Metric
from unroll_dsl.runs.page import Block, Note, PictureRow, Plots
from unroll_dsl.runs.panels import Panel, PanelLine
from unroll_dsl.runs.pictures import grey, heat
from unroll_dsl.runs.solver import Samples, Solver

Values = NDArray[Any]

_LOOKED_AT = 16  # samples spread over the set, so that they are not pieces of one picture;
_EXAMPLES = 4  # of images those with most to see are drawn,
_STEMS = 6  # of vectors the first
_SMALL = 1e-3  # of the largest entry: what is smaller gets no stem


def examples(solver: Solver, samples: Sequence[Samples], metric: Metric) -> tuple[Block, ...]:
    """The first samples: images as target, start, reconstruction and error; vectors as stems."""
    picked = _picked(samples)
    if picked is None:
        return (Note("There is no validation sample to reconstruct."),)
    found = solver.after([solver.phases], picked)[0]
    rank = picked.truth.ndim - 1
    if rank == 1:
        return (Plots(tuple(_stems(i, found, picked.truth, metric) for i in range(len(picked)))),)
    if rank < 2:
        return (Note("The target is a number; there is nothing to draw."),)
    start, word = solver.beginning(picked), "start"
    if start is None or not start.any():  # nothing to see yet
        start, word = solver.after([1], picked)[0], "after phase 1"
    shown = (picked.truth, start, found)
    return tuple(_images(i, shown, word, metric) for i in range(len(picked)))


def _picked(samples: Sequence[Samples]) -> Samples | None:
    """Some samples from all over the set."""
    group = next((g for g in samples if len(g)), None)
    if group is None:
        return None
    rows = np.unique(np.linspace(0, len(group) - 1, min(_LOOKED_AT, len(group))).astype(int))
    if group.truth.ndim > 2:
        spread = group.truth[torch.as_tensor(rows)].abs().flatten(1).std(1)
        lively = torch.argsort(spread, descending=True, stable=True)[:_EXAMPLES].sort().values
        rows = rows[lively.numpy()]
    return group.rows(torch.as_tensor(rows[:_STEMS]))


def figure(value: float, metric: Metric) -> str:
    """A figure of merit as people write it."""
    if metric.unit == "dB":
        return f"{value:.2f} dB"
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e4 or value == 0 else f"{value:.3e}"


def _images(i: int, shown: tuple[Tensor, Tensor, Tensor], word: str, metric: Metric) -> PictureRow:
    """Target, start, reconstruction and error of sample `i`; all samples on one scale of grey."""
    truth, start, found = shown
    target, image = _plane(truth[i]), _plane(found[i])
    levels = (truth.abs() if truth.is_complex() else truth).numpy()
    bottom, top = (float(np.quantile(levels, q)) for q in (0.001, 0.999))
    bottom = min(bottom, 0.0) if bottom < 0.25 * top else bottom
    error = np.abs(image - target)
    most = float(np.quantile(error, 0.999))
    here = slice(i, i + 1)
    before, after = (figure(float(metric(x[here], truth[here])[0]), metric) for x in (start, found))
    items = (
        grey(target, "target", top=top, bottom=bottom),
        grey(_plane(start[i]), f"{word}, {before}", top=top, bottom=bottom),
        grey(image, f"reconstruction, {after}", top=top, bottom=bottom),
        heat(error, f"error, white at {most:.2g} and more", top=most),
    )
    return PictureRow(items, f"Sample {i + 1}")


def _plane(image: Tensor) -> Values:
    """The first plane of an image [channels, height, width]."""
    return image.reshape(-1, *image.shape[-2:])[0].detach().cpu().numpy()


def _stems(i: int, found: Tensor, truth: Tensor, metric: Metric) -> Panel:
    target, code = (
        x[i].detach().abs() if x.is_complex() else x[i].detach() for x in (truth, found)
    )
    here = slice(i, i + 1)
    word = figure(float(metric(found[here], truth[here])[0]), metric)
    lines = (
        PanelLine(*_entries(target), "target", muted=True, stems=True),
        PanelLine(*_entries(code), "found", colour=1, points=True, bare=True),
    )
    return Panel(f"Sample {i + 1}: {word}", "entry", "value", lines, whole_x=True)


def _entries(vector: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Places, from 1, and values of the entries that are not nearly 0."""
    values = vector.double().cpu().numpy()
    kept = np.flatnonzero(np.abs(values) > _SMALL * max(float(np.abs(values).max()), 1e-30))
    return tuple(float(k) + 1 for k in kept), tuple(float(values[k]) for k in kept)
