"""Configurations beside an experiment's module, and training that goes on where it was stopped."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from unroll_dsl.spec import Spec
from unroll_dsl.train import Config, Hooks, Run
from unroll_dsl.train.tables import config as as_config
from unroll_dsl.train.tables import merged, read_file
from unroll_dsl.train.training import resume, train

TOLD = Console(stderr=True)


def configuration(path: Path, *over: Mapping[str, Any]) -> Config:
    """The configuration of a TOML file, with tables laid over it."""
    table: Mapping[str, Any] = read_file(path)
    for tables in over:
        table = merged(table, tables)
    return as_config(table, str(path))


def trained(spec: Spec, folder: Path, config: Config, **given: Any) -> Run:
    """A finished run: a new one, or one that `folder` holds already and that is completed.

    `given` as for `unroll_dsl.train`: `bind`, `source`, `validation`.
    """
    hooks = Hooks(
        say=lambda text: TOLD.print(f"{folder.name}: {text}", style="dim", soft_wrap=True)
    )
    if (folder / "run.toml").exists():
        return resume(folder, hooks=hooks, **given)
    return train(spec, folder, config, hooks=hooks, **given)


def seconds(run: Run) -> float:
    """How long a run has trained."""
    return float(run.metrics()[-1]["seconds"] or 0)
