"""`unroll_dsl.train(...)` and `resume(...)`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from unroll_dsl.data.given import suspicions
from unroll_dsl.data.source import Source
from unroll_dsl.loading import load
from unroll_dsl.spec import Spec
from unroll_dsl.train import checkpoint
from unroll_dsl.train.config import Config
from unroll_dsl.train.devices import devices
from unroll_dsl.train.edits import check_edits
from unroll_dsl.train.errors import TrainingError
from unroll_dsl.train.events import Hooks
from unroll_dsl.train.folder import Folder, columns, environment, read_texts, texts
from unroll_dsl.train.lock import locked
from unroll_dsl.train.loop import TrainingLoop
from unroll_dsl.train.notebook import in_notebook, notebook_hooks
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
    quiet: bool = False,
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
    quiet
        Show nothing in a notebook either, where a bar and lines of validations show how it goes.

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
    folder = _folder(setup, Path(out), texts(program, setup.config))
    with devices(setup.config.train) as accelerator, _alone(folder.path, accelerator):
        if accelerator.is_main_process:
            facts = environment(accelerator.device, accelerator.num_processes)
            facts |= {"seed": setup.config.seed, "sizes": setup.sizes}
            folder.begin(setup.spec, setup.bind, facts)
        return _run(setup, folder, None, _shown(hooks, quiet), accelerator)


def resume(
    out: Path | str,
    *,
    bind: Mapping[str, Any] | None = None,
    source: Source | None = None,
    validation: Source | None = None,
    hooks: Hooks | None = None,
    edited: bool = False,
    quiet: bool = False,
) -> Run:
    """Go on with a run from its last checkpoint; on a CPU to the same bits as without the interruption.

    `bind`, `source` and `validation` are needed where the run was given objects that no file can hold.
    A run that has finished is left as it is. One whose run.toml has been edited goes on with `edited`, from
    then on by what it says now. `quiet` as for `train`.

    Raises
    ------
    TrainingError
        If another process trains in the folder, or its program or configuration has been edited.
    BadCheckpoint
        If neither the last checkpoint nor the one before can be read.
    """
    run = Run.open(out)
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
    folder = _folder(setup, run.path, read_texts(run.path))
    with devices(setup.config.train) as accelerator, _alone(run.path, accelerator):
        found = checkpoint.newest(run.path)
        changed = check_edits(run.path, found.texts if found else {}, folder.texts, edited)
        if accelerator.is_main_process:
            folder.cut(found.sizes if found is not None else folder.empty())
            if changed:
                folder.say(f"goes on as run.toml says now: {changed}")
        return _run(setup, folder, found, _shown(hooks, quiet), accelerator)


def _shown(hooks: Hooks | None, quiet: bool) -> Hooks | None:
    """The hooks, or in a notebook those that show how it goes."""
    if hooks is not None or quiet or not in_notebook():
        return hooks
    return notebook_hooks()


def _folder(setup: Setup, out: Path, said: Mapping[str, str]) -> Folder:
    metric = setup.metric.name if setup.validation is not None else None
    return Folder(out, columns(setup.terms, metric), said)


def _alone(out: Path, accelerator: Accelerator) -> AbstractContextManager[None]:
    """The first of the processes of a run holds its folder."""
    return locked(out) if accelerator.is_main_process else nullcontext()


def _run(
    setup: Setup,
    folder: Folder,
    found: checkpoint.Checkpoint | None,
    hooks: Hooks | None,
    accelerator: Accelerator,
) -> Run:
    accelerator.wait_for_everyone()
    watched = _with_tensorboard(setup, folder.path, hooks or Hooks(), accelerator)
    if accelerator.is_main_process:
        doubts = (f"warning: {words}" for words in suspicions(setup.spec, setup.bind))
        for line in (*setup.source.problems(), *doubts):
            folder.say(line)
            watched.say(line)
    outcome = TrainingLoop(setup, folder, accelerator, watched).run(found)
    if accelerator.is_main_process:
        words = "finished" if outcome.finished else "stopped on request"
        folder.say(f"{words} after {outcome.step} updates")
    accelerator.wait_for_everyone()
    return Run.open(folder.path)


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
