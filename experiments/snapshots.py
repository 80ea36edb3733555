"""The network of a run at each of its validations, so that it can be tested over its training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from experiments.training import trained
from unroll_dsl.spec import Spec
from unroll_dsl.train import Config, Hooks, Run, StageBegun, Validated
from unroll_dsl.weights.container import save_network


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A network: after `step` updates and `seconds` of the run, validations among them."""

    step: int
    seconds: float
    row: Mapping[str, float | None]  # of metrics.csv
    weights: Path


def watched(
    spec: Spec, out: Path, config: Config, **given: Any
) -> tuple[Run, tuple[Snapshot, ...]]:
    """A finished run in `out/run`, gone on with if it was stopped, and its networks in `out/networks`.

    `given` as for `unroll_dsl.train`: `bind`, `source`, `validation`.
    """
    folder, networks = out / "run", out / "networks"
    networks.mkdir(parents=True, exist_ok=True)
    held: dict[str, Any] = {}

    def on_stage(event: StageBegun) -> None:
        held.update(network=event.network, phases=event.stage.phases)

    def on_validation(event: Validated) -> None:
        network: nn.Module = held["network"]
        save_network(_file(networks, event.step), spec, network, phases=held["phases"])

    hooks = Hooks(on_stage=on_stage, on_validation=on_validation)
    run = trained(spec, folder, config, name=out.name, hooks=hooks, **given)
    found = (
        Snapshot(step, float(row["seconds"] or 0), row, _file(networks, step))
        for row in run.metrics()
        if _file(networks, step := int(row["step"] or 0)).exists()
    )
    return run, tuple(found)


def _file(folder: Path, step: int) -> Path:
    return folder / f"{step:07d}.safetensors"
