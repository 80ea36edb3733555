"""What a run tells those who watch it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from unroll_dsl.train.regimes import TrainingStage


@dataclass(frozen=True, slots=True)
class StepDone:
    """An update: `step` of `total` in all stages together, from 1."""

    step: int
    total: int
    stage: TrainingStage
    loss: float
    grad_norm: float
    rate: float


@dataclass(frozen=True, slots=True)
class Validated:
    """A validation: `row` is that of metrics.csv, `best` the best value of the metric so far."""

    step: int
    row: Mapping[str, Any]
    metric: str | None
    value: float | None
    best: float | None
    improved: bool


@dataclass(frozen=True, slots=True)
class StageBegun:
    """A stage begins, `number` from 1, with the network that it trains."""

    number: int
    count: int
    stage: TrainingStage
    network: nn.Module


def _nothing(event: object) -> None:
    """Where nobody watches."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Hooks:
    """Called by the first process alone. `stop` is asked after each update: True saves and ends the run."""

    on_step: Callable[[StepDone], object] = _nothing
    on_validation: Callable[[Validated], object] = _nothing
    on_stage: Callable[[StageBegun], object] = _nothing
    say: Callable[[str], object] = _nothing
    stop: Callable[[], bool] = _never
