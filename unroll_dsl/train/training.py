"""`unroll_dsl.train(...)` and `resume(...)`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from unroll_dsl.data.given import suspicions
from unroll_dsl.data.source import Source
from unroll_dsl.spec import Spec, load
from unroll_dsl.train import checkpoint
from unroll_dsl.train.config import Config
from unroll_dsl.train.devices import devices
from unroll_dsl.train.errors import TrainingError
from unroll_dsl.train.events import Hooks
from unroll_dsl.train.folder import Folder, columns, environment
from unroll_dsl.train.loop import Loop
from unroll_dsl.train.opening import GIVEN, open_data
from unroll_dsl.train.run import Run
from unroll_dsl.train.setup import Setup, prepare
from unroll_dsl.train.tables import config as as_config
from unroll_dsl.train.tables import read_file
from unroll_dsl.train.task import check_loss
from unroll_dsl.weights.held import standalone

if TYPE_CHECKING:
    from accelerate import Accelerator


def train(
    spec: Spec | str | Path,
    out: Path | str,
    config: Config | Mapping[str, Any] | Path | str | None = None,
    *,
    bind: Mapping[str, Any] | None = None,
    source: Source | None = None,
    validation: Source | None = None,
    hooks: Hooks | None = None,
) -> Run:
    """Train a network of a program by its own `loss`, and keep everything about it in a folder.

    Parameters
    ----------
    spec
        A program with a `loss`, or its name or path.
    out
        The run folder to make.
    config
        What docs/training.md describes: a `Config`, its tables, or the path of a TOML file.
    bind
        Values of `fixed` names, as for `Spec.compile`; before those of the configuration.
    source, validation
        Data in place of those that the configuration's `[data]` says.
    hooks
        Functions to call after updates and validations, and when a stage begins.

    Returns
    -------
    Run
        The folder, to read: `run.network("best")`, `run.metrics()`.

    Raises
    ------
    TrainingError
        For what can be mended before the start; `Diverged` where the loss or a gradient becomes no number,
        `DiskFull` where a file cannot be written: the last checkpoint is whole in both cases.
    UnrollError, DataError
        If bound values or data do not fit the program.
    """
    program = standalone(spec if isinstance(spec, Spec) else load(spec))
    check_loss(program)
    wanted = _config(config)
    if (Path(out) / "run.toml").exists():
        raise TrainingError(
            f"{out} holds a run already",
            f"go on with it, `unroll train --resume {out}`, or give another folder",
        )
    data = open_data(program, wanted, dict(bind or {}), source, validation)
    setup = prepare(program, data.config, data.source, data.validation, data.bind)
    return _run(setup, Path(out), None, hooks, fresh=True)


def resume(
    out: Path | str,
    *,
    bind: Mapping[str, Any] | None = None,
    source: Source | None = None,
    validation: Source | None = None,
    hooks: Hooks | None = None,
) -> Run:
    """Go on with a run from its last checkpoint; on a CPU to the same bits as without the interruption.

    `bind`, `source` and `validation` are needed where the run was given objects that no file can hold.
    A run that has finished is left as it is.

    Raises
    ------
    BadCheckpoint
        If neither the last checkpoint nor the one before can be read.
    """
    run = Run.open(out)
    found = checkpoint.newest(run.path)
    if run.config.data.get("kind") == GIVEN and source is None:
        raise TrainingError(
            f"the data of {out} were given as an object, which no file holds",
            "`unroll_dsl.train.resume(..., source=...)` takes it again",
        )
    threads = run.environment()["threads"]
    if threads != torch.get_num_threads():
        warnings.warn(
            f"{out} was begun with {threads} threads, now there are {torch.get_num_threads()}: the "
            "result may differ in rounding",
            stacklevel=2,
        )
    data = open_data(run.spec, run.config, {**run.bind(), **(bind or {})}, source, validation)
    setup = prepare(run.spec, data.config, data.source, data.validation, data.bind)
    return _run(setup, run.path, found, hooks, fresh=False)


def _run(
    setup: Setup,
    out: Path,
    found: checkpoint.Checkpoint | None,
    hooks: Hooks | None,
    *,
    fresh: bool,
) -> Run:
    metric = setup.metric.name if setup.validation is not None else None
    folder = Folder(out, columns(setup.terms, metric))
    with devices(setup.config.train) as accelerator:
        if accelerator.is_main_process:
            if fresh:
                facts = environment(accelerator.device, accelerator.num_processes)
                folder.begin(
                    setup.spec,
                    setup.config,
                    setup.bind,
                    {**facts, "seed": setup.config.seed, "sizes": setup.sizes},
                )
            else:
                folder.cut(found.sizes if found is not None else folder.empty())
        accelerator.wait_for_everyone()
        watched = _with_tensorboard(setup, out, hooks or Hooks(), accelerator)
        if accelerator.is_main_process:
            doubts = (f"warning: {words}" for words in suspicions(setup.spec, setup.bind))
            for line in (*setup.source.problems(), *doubts):
                folder.say(line)
                watched.say(line)
        outcome = Loop(setup, folder, accelerator, watched).run(found)
        if accelerator.is_main_process:
            words = "finished" if outcome.finished else "stopped on request"
            folder.say(f"{words} after {outcome.step} updates")
        accelerator.wait_for_everyone()
    return Run.open(out)


def _with_tensorboard(setup: Setup, out: Path, hooks: Hooks, accelerator: Accelerator) -> Hooks:
    if not (setup.config.log.tensorboard and accelerator.is_main_process):
        return hooks
    from unroll_dsl.train.tensorboard import watching

    return watching(out, hooks)


def _config(config: Config | Mapping[str, Any] | Path | str | None) -> Config:
    match config:
        case Config():
            return config
        case Path() | str():
            return as_config(read_file(Path(config)), str(config))
        case _:
            return as_config(config or {})
