"""Devices, processes and precision, through accelerate: `torchrun` and `accelerate launch` work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from unroll_dsl.train.config import Training
from unroll_dsl.train.errors import TrainingError

if TYPE_CHECKING:
    from accelerate import Accelerator

_MIXED = {"bf16": "bf16", "fp16": "fp16"}


@contextmanager
def devices(train: Training) -> Iterator[Accelerator]:
    """What moves work to where it is done.

    accelerate keeps it as a state of the process, which is cleared at the end, so that another run in the
    same process may have another precision.

    Raises
    ------
    TrainingError
        If a batch cannot be shared out, or the device lacks the precision.
    """
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState, GradientState

    mixed = _MIXED.get(train.precision, "no")
    if mixed == "fp16" and (train.device == "cpu" or not torch.cuda.is_available()):
        raise TrainingError(
            'precision = "fp16" needs a GPU', 'on a CPU take "bf16", which is as wide as float32'
        )
    on_cpu = train.device == "cpu" or not torch.cuda.is_available()
    accelerator = Accelerator(cpu=on_cpu, mixed_precision=mixed)
    try:
        parts = accelerator.num_processes * train.accumulate
        if train.batch % parts:
            raise TrainingError(
                f"a batch of {train.batch} cannot be shared out equally: {accelerator.num_processes} "
                f"processes, each in {train.accumulate} parts",
                f"`train.batch = {-(-train.batch // parts) * parts}`",
            )
        yield accelerator
    finally:
        accelerator.free_memory()
        AcceleratorState._reset_state()
        GradientState._reset_state()


def dtype(train: Training) -> torch.dtype:
    """Of the parameters; mixed precision keeps them in float32."""
    return torch.float64 if train.precision == "float64" else torch.float32
