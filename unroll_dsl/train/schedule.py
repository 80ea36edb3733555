"""The learning rate as a function of the step alone, so that there is nothing to save."""

from __future__ import annotations

from math import cos, pi

from unroll_dsl.train.config import Training


def factor(train: Training, step: int, steps: int) -> float:
    """What the rate of a stage of `steps` updates is multiplied by at `step`, from 0."""
    warm = min(1.0, (step + 1) / train.warmup) if train.warmup else 1.0
    match train.schedule:
        case "cosine":
            return warm * (1 + cos(pi * step / steps)) / 2
        case "step":
            return warm * float(train.decay ** (step // train.decay_every))
        case _:
            return warm
