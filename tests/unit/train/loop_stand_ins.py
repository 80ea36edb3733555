"""A loop of training whose data, network and folder are stand-ins that note what is asked of them."""

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from unroll_dsl.data.metrics import metric
from unroll_dsl.train import Hooks
from unroll_dsl.train.loop import TrainingLoop
from unroll_dsl.train.regimes import TrainingStage
from unroll_dsl.train.tables import config


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("unroll_dsl.train.loop.time", SimpleNamespace(monotonic=self.read))

    def read(self) -> float:
        return self.now


class Folder:
    """What is written, in order."""

    path = Path("run")

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.kept: list[str] = []
        self.said: list[str] = []
        self.constants: list[tuple[int, int, dict[str, Any]]] = []
        self.row = self.rows.append
        self.say = self.said.append

    def learned(self, step: int, stage: int, values: dict[str, Any]) -> None:
        self.constants.append((step, stage, values))

    def network(self, name: str, *_: Any) -> None:
        self.kept.append(name)


class Feed:
    """Draws that are the numbers of their steps; arguments of the loss are a tensor of so many rows."""

    def __init__(self, rows: int = 8) -> None:
        self.rows = rows
        self.ahead_of: list[tuple[int, ...]] = []
        self.followed: list[nn.Module] = []

    def ahead(self, stage: int, step: int, steps: int, batch: int) -> Any:
        self.ahead_of.append((stage, step, steps, batch))
        return nullcontext(iter(range(step, steps)))

    def parts(
        self, drawn: int, stage: int, step: int, count: int
    ) -> tuple[tuple[Tensor, ...], ...]:
        assert drawn == step
        values = torch.arange(self.rows, dtype=torch.float64)
        return tuple((part, -part) for part in values.tensor_split(count))

    def follow(self, network: nn.Module) -> None:
        self.followed.append(network)


class Learner:
    """Losses and norms that are given; `trained` and what it was asked for."""

    def __init__(self, losses: list[float]) -> None:
        self.losses, self.rates, self.restored = iter(losses), [], ()
        self.trained: list[Tensor] = []

    def update(self, parts: Any, rate: float, explain: Any) -> tuple[float, float]:
        self.rates.append(rate)
        loss = next(self.losses)
        return loss, 10 * loss

    def restore(self, *states: Any) -> None:
        self.restored = states


STAGE = TrainingStage("whole", 3, {}, (), 6, 0.5)


def loop(
    hooks: Hooks | None = None,
    *,
    stages: tuple[TrainingStage, ...] = (STAGE,),
    accelerator: Any = None,
    feed: Feed | None = None,
    validated: bool = False,
    **tables: Any,
) -> TrainingLoop:
    base = {"train": {"batch": 8, "rate": 0.5}, "validate": {"every": 100}, "log": {"every": 100}}
    for name, table in tables.items():
        base[name] = {**base.get(name, {}), **table}
    made: Any = SimpleNamespace(
        config=config({"save": {"every": 100}, **base}),
        stages=stages,
        steps=sum(stage.steps for stage in stages),
        source=None,
        validation=object() if validated else None,
        metric=metric("nmse_db"),
        sizes={},
        constants=lambda spec: {},
        feed=lambda source, device: feed or Feed(),
    )
    accelerator = accelerator or SimpleNamespace(
        is_main_process=True, num_processes=1, process_index=0, device=torch.device("cpu")
    )
    return TrainingLoop(made, Folder(), accelerator, hooks or Hooks())  # type: ignore[arg-type]


def work(learner: Any = None, stage: TrainingStage = STAGE, number: int = 0) -> Any:
    spec = SimpleNamespace(values=lambda *_, **__: {"t": torch.ones(2), "W": torch.ones(2, 2)})
    return SimpleNamespace(
        number=number, stage=stage, spec=spec, network=nn.Linear(2, 1), learner=learner, small={"t"}
    )
