"""A run folder, or the file of a network, as what pages and comparisons need of it."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from unroll_dsl.backends.values import for_torch
from unroll_dsl.data.errors import DataError, choose
from unroll_dsl.data.given import at_ranks, suspicions
from unroll_dsl.data.metrics import Metric
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.files import CannotRead
from unroll_dsl.runs.contents import Contents
from unroll_dsl.runs.history import History, read_history, read_learned
from unroll_dsl.runs.solver import Samples, Solver
from unroll_dsl.spec import Spec
from unroll_dsl.train.config import Config
from unroll_dsl.train.errors import TrainingError
from unroll_dsl.train.folder import CONFIG, LEARNED, LOG, METRICS
from unroll_dsl.train.opening import open_data
from unroll_dsl.train.run import Run
from unroll_dsl.train.setup import prepare
from unroll_dsl.train.task import metric_named
from unroll_dsl.weights.container import load_network, read_spec

T = TypeVar("T")
Learnt = tuple[tuple[float, Mapping[str, Any]], ...]

_BATCH = 256
_KEPT = ("patch", "colour", "snr", "names", "samples")  # of [data] when other data are given


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for in place of what a run has: other data, another metric, other values.

    With `of_several` the values are for several networks: each takes those that it has.
    """

    data: Path | None = None
    metric: str = ""
    bind: Mapping[str, Any] = field(default_factory=dict)
    dims: Mapping[str, int] = field(default_factory=dict)
    of_several: bool = False


NOTHING = Asked()


def open_solver(path: Path, asked: Asked) -> tuple[Solver, tuple[Samples, ...], Metric]:
    """A trained network, the samples to judge it on, and by what.

    Parameters
    ----------
    path
        A run folder (its best network), or a file that `save_network` has written. One inside of a run
        folder is a network of that run; others want `asked.bind`.

    Raises
    ------
    TrainingError, DataError, CannotRead, UnrollError
        If it is neither, or its data are not there.
    """
    run, which = _place(path)
    if run is None:
        return _alone(path, asked)
    solver, _ = _solver(run, which, asked)
    bound = _all_single({**run.bind(), **_tensors(solver.spec, asked)})
    samples, metric = _samples(run.spec, run.config, bound, solver.dims, solver, asked)
    return solver, samples, metric


def open_network(path: Path) -> Solver:
    """A trained network by itself: the file of its weights within a run folder.

    Raises
    ------
    TrainingError, CannotRead
        If it is neither.
    """
    return _solver(Run.open(path.parent), path.name)[0]


def read_solver(path: Path, asked: Asked) -> Solver:
    """A trained network without data to judge it on. Parameters and errors are those of `open_solver`."""
    run, which = _place(path)
    return _by_itself(path, asked) if run is None else _solver(run, which, asked)[0]


def _place(path: Path) -> tuple[Run | None, str]:
    """The run that a network is of, if any, and which of its networks."""
    if path.is_dir() or not path.is_file():
        return Run.open(path), "best"
    if (path.parent / CONFIG).is_file():
        return Run.open(path.parent), path.name
    return None, ""


def open_run(path: Path) -> Contents:
    """Everything that a run folder holds; what it lacks is named in `missing`.

    Raises
    ------
    TrainingError
        If it is no run folder.
    """
    run = Run.open(path)
    missing: list[str] = []

    def attempt(make: Callable[[], T], otherwise: T, words: str) -> T:
        try:
            return make()
        except (TrainingError, DataError, CannotRead, UnrollError, OSError, ValueError) as error:
            missing.append(f"{words}: {_words(error)}")
            return otherwise

    history = attempt(lambda: read_history(path / METRICS), History({}), "No curves")
    unknown: Learnt = ()
    learned = attempt(lambda: read_learned(path / LEARNED), unknown, "No constants over time")
    environment: dict[str, Any] = attempt(run.environment, {}, "No environment")
    nothing: tuple[Solver | None, str] = (None, "")
    solver, which = attempt(lambda: _solver(run, "best"), nothing, "No network yet")
    samples: tuple[Samples, ...] = ()
    metric = attempt(lambda: _metric(run.config), None, "No metric")
    if solver is not None:
        trained = solver
        samples, metric = attempt(
            lambda: _samples(run.spec, run.config, run.bind(), run.sizes, trained, Asked()),
            (samples, metric),
            "No validation",
        )
    return Contents(
        name=str(path),
        spec=solver.spec if solver is not None else run.spec,
        phases=solver.phases if solver is not None else _count(run.config),
        config=(path / CONFIG).read_text("utf-8"),
        environment={k: _short(v) for k, v in environment.items()},
        history=history,
        learned=learned,
        solver=solver,
        which=which,
        samples=samples,
        metric=metric,
        dates=_dates(path / LOG),
        patches=run.config.data.get("kind") in ("codes", "images", "samples"),
        missing=tuple(missing),
    )


def _tensors(spec: Spec, asked: Asked) -> dict[str, Any]:
    """Values that are given in place of those of a network.

    Raises
    ------
    DataError
        For names that it has not, and for those that it has learned.
    """
    fixed, learnt = (
        {d.name for d in some} for some in (spec.graph.constants, spec.graph.parameters)
    )
    wanted = dict(asked.bind)
    if asked.of_several:
        wanted = {name: value for name, value in wanted.items() if name in fixed}
    for name in wanted:
        if name in learnt:
            raise DataError(
                f"`{name}` is learned by `{spec.name}`: it has the value that training gave it",
                f"what can be bound: {', '.join(f'`{n}`' for n in sorted(fixed)) or 'nothing'}",
            )
        if name not in fixed:
            raise DataError(f"`{spec.name}` has no `{name}` to bind", choose(name, sorted(fixed)))
    given = at_ranks(spec, wanted)
    for words in suspicions(spec, given):
        warnings.warn(words, stacklevel=2)
    return {
        k: torch.as_tensor(for_torch(v)) if hasattr(v, "shape") else v for k, v in given.items()
    }


def _solver(run: Run, which: str, asked: Asked = NOTHING) -> tuple[Solver, str]:
    """The network of a run and the name of its file; `which` is "best", or the name of a file."""
    path = run.path / which if which.endswith(".safetensors") else run.weights("best")
    spec, phases, _ = read_spec(path)
    fixed = {c.name for c in spec.graph.constants}
    bound = _all_single({**run.bind(), **_tensors(spec, asked)})
    bind = {name: value for name, value in bound.items() if name in fixed}
    start = {name: value for name, value in bound.items() if name not in fixed}
    name = run.path.resolve().name
    dims = {**run.sizes, **asked.dims}
    return _loaded(name, path, spec, phases, bind, dims, start), path.name


def _count(config: Config) -> int:
    return config.max_phases if isinstance(config.phases, str) else config.phases


def _loaded(
    name: str,
    path: Path,
    spec: Spec,
    phases: int | None,
    bind: Mapping[str, Any],
    dims: Mapping[str, int],
    start: Mapping[str, Any],
) -> Solver:
    network = load_network(path, bind=bind, dims=dims, dtype=torch.float32)
    return Solver(
        name,
        spec,
        phases or 1,
        bind,
        dims,
        spec.values(network, bind=bind, dims=dims),
        start=start,
        parameters=sum(p.numel() for p in network.parameters()),
        rest=vars(network)["_origin"].rest,
    )


def _alone(path: Path, asked: Asked) -> tuple[Solver, tuple[Samples, ...], Metric]:
    """A network without a run: what was bound, and where no default fits the data, has to be given."""
    solver = _by_itself(path, asked)
    config = Config(dims=asked.dims)
    samples, metric = _samples(solver.spec, config, solver.bind, asked.dims, solver, asked)
    return solver, samples, metric


def _by_itself(path: Path, asked: Asked) -> Solver:
    spec, phases, _ = read_spec(path)
    bound = _all_single(_tensors(spec, asked))
    solver = _loaded(path.stem, path, spec, phases, bound, asked.dims, {})
    return replace(solver, dims=spec.reference(1, bind=bound, dims=asked.dims).sizes)


def _samples(
    spec: Spec,
    config: Config,
    bind: Mapping[str, Any],
    sizes: Mapping[str, int],
    solver: Solver,
    asked: Asked,
) -> tuple[tuple[Samples, ...], Metric]:
    """The validation set, or all of other data, measured as the program says."""
    changed = replace(
        config,
        base=config.base or str(Path.cwd()),
        phases=config.phases or solver.phases,
        group=(),
        stage=(),
    )
    if asked.data is not None:
        every = replace(changed.validate, samples=0)
        data = _other(config.data, asked.data)
        changed = replace(changed, data=data, dims=dict(sizes), validate=every)
    if asked.metric:
        changed = replace(changed, validate=replace(changed.validate, metric=asked.metric))
    opened = open_data(spec, changed, bind)
    if opened.validation is None:
        raise DataError("nothing of the data is held out for validation", "give other data: --data")
    setup = prepare(spec, opened.config, opened.source, opened.validation, opened.bind)
    feed = setup.feed(opened.validation, torch.device("cpu"), solver.values)
    if not setup.task.truth:
        raise DataError(
            f"the loss of `{spec.name}` names no target that outputs could be held against"
        )
    count = len(setup.task.inputs)
    place = count + setup.task.targets.index(setup.task.truth)
    parts = [
        Samples(tuple(map(_single, arguments[:count])), _single(arguments[place]))
        for arguments in feed.everything(_BATCH)
    ]
    return tuple(parts), setup.metric


def _other(table: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """`[data]` for another folder of images or file of arrays, all of it for validation."""
    kept = {key: value for key, value in table.items() if key in _KEPT}
    where = str(path.resolve())
    if path.is_file():
        return {**_only(kept, "snr", "names"), "kind": "arrays", "file": where, "validate": where}
    return {
        **_only(kept, "patch", "colour", "snr"),
        "kind": "images",
        "folder": where,
        "validate": where,
    }


def _only(table: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: table[name] for name in names if name in table}


def _all_single(bound: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _single(v) if isinstance(v, Tensor) else v for name, v in bound.items()}


def _single(value: Tensor) -> Tensor:
    """In the precision that networks are judged in."""
    return value.to(torch.complex64 if value.is_complex() else torch.float32)


def _metric(config: Config) -> Metric | None:
    return metric_named(config.validate.metric) if config.validate.metric else None


def _dates(path: Path) -> tuple[tuple[str, str], ...]:
    """When the run began and last said something, by its log."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError:
        return ()
    stamps = [line[:19] for line in lines if line[4:5] == "-" and line[13:14] == ":"]
    return (("began", stamps[0]), ("last entry", stamps[-1])) if stamps else ()


def _short(value: Any) -> str | None:
    if value is None:
        return None
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _words(error: Exception) -> str:
    if isinstance(error, UnrollError) and error.diagnostics:
        return error.diagnostics[0].message()
    return str(getattr(error, "message", error))
