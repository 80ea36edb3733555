"""Rows of metrics.csv as events for TensorBoard, on request."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from unroll_dsl.train.errors import TrainingError
from unroll_dsl.train.events import Hooks, Validated


def watching(out: Path, hooks: Hooks) -> Hooks:
    """`hooks` that write events into the folder of a run as well.

    Raises
    ------
    TrainingError
        If TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise TrainingError(
            "events for TensorBoard need it installed", "pip install 'unroll_dsl[tensorboard]'"
        ) from error
    writer = SummaryWriter(str(out / "tensorboard"))

    def on_validation(event: Validated) -> None:
        for name, value in event.row.items():
            if isinstance(value, float):
                tag = re.sub(r"[^\w./-]+", "_", name).replace(".", "/", 1)
                writer.add_scalar(tag, value, event.step)
        writer.flush()
        hooks.on_validation(event)

    return replace(hooks, on_validation=on_validation)
