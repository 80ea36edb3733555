"""Configurations beside an experiment's module, and training that goes on where it was stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
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


def trained(
    spec: Spec,
    folder: Path,
    config: Config,
    *,
    name: str = "",
    hooks: Hooks = Hooks(),  # noqa: B008 (frozen)
    **given: Any,
) -> Run:
    """A finished run: a new one, or one that `folder` holds already and that is completed.

    What it says is told under `name`, by default that of the folder; `given` as for `unroll_dsl.train`:
    `bind`, `source`, `validation`.
    """

    def say(text: str) -> None:
        TOLD.print(f"{name or folder.name}: {text}", style="dim", soft_wrap=True)

    hooks = replace(hooks, say=say)
    if (folder / "run.toml").exists():
        return resume(folder, hooks=hooks, **given)
    return train(spec, folder, config, hooks=hooks, **given)


def seconds(run: Run) -> float:
    """How long a run has trained."""
    return float(run.metrics()[-1]["seconds"] or 0)
