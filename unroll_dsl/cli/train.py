"""Train a network of a spec by its own loss, and keep everything about it in a folder.

    unroll train lista_cp --out RUN                      on data made on the fly
    unroll train ista_net_plus --data IMAGES --out RUN   on a folder of images
    unroll train --resume RUN                            go on with a run that was stopped
    unroll train lista_cp --show                         the complete configuration, as TOML

What there is to configure is in docs/training.md; `--show` prints it with its defaults. A run that is
stopped, by Ctrl-C or in any other way, loses nothing but the updates since its last checkpoint.
"""

import os
import signal
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unroll_dsl.cli.options import add_roles, add_training, bound, roles, source
from unroll_dsl.cli.refusals import DATA, refusals
from unroll_dsl.cli.terminal import print_json, problem, said
from unroll_dsl.cli.usage import Exit, UsageError
from unroll_dsl.cli.values import by_name, count, phases

if TYPE_CHECKING:
    from unroll_dsl.spec import Spec
    from unroll_dsl.train import Config, Hooks, Run


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", metavar="SPEC", help="path, or name of an algorithm")
    parser.add_argument("--out", type=Path, metavar="RUN", help="the run folder to make")
    parser.add_argument("--resume", type=Path, metavar="RUN", help="go on with this run")
    parser.add_argument(
        "--edited", action="store_true", help="with --resume: run.toml was changed on purpose"
    )
    parser.add_argument("--show", action="store_true", help="print the configuration and leave")
    parser.add_argument("--config", type=Path, metavar="TOML", help="what differs from defaults")
    parser.add_argument("--data", type=Path, metavar="PATH", help=DATA)
    parser.add_argument(
        "--phases", type=phases, metavar="K", help="how many (as the file says), or fixed_point"
    )
    parser.add_argument("--steps", type=count, metavar="N", help="updates in each stage (2000)")
    add_training(parser, rate="1e-4")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="any other key: --set train.schedule=cosine",
    )
    parser.add_argument("--tensorboard", action="store_true", help="write events for TensorBoard")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_roles(parser)


def run(options: Namespace) -> int:
    from unroll_dsl.train.errors import Diverged

    asked = _Asked()
    with refusals():
        try:
            if options.resume is not None:
                return _resume(options, asked)
            return _train(options, asked)
        except Diverged as error:
            problem(error.message, error.mend)
            return Exit.ERRORS


def _train(options: Namespace, asked: "_Asked") -> int:
    from unroll_dsl.cli.specs import load

    if options.file is None:
        raise UsageError("what is to be trained?", "`unroll train SPEC --out RUN`")
    if options.edited:
        raise UsageError(
            "--edited is about a run that goes on", "`unroll train --resume RUN --edited`"
        )
    spec = load(options.file, no_colour=options.no_colour)
    config = _config(options)
    if options.show:
        return _show(spec, config)
    if options.out is None:
        raise UsageError("no folder for the run", "`--out RUN`")
    from unroll_dsl.train import train

    with _watching(options, asked) as hooks:
        done = train(spec, options.out, config, hooks=hooks)
    return _finish(done, options, asked)


def _resume(options: Namespace, asked: "_Asked") -> int:
    given = [
        f"--{name}"
        for name in ("out", "config", "data", "phases", "steps", "batch", "rate", "seed", "set")
        if getattr(options, name) not in (None, [])
    ]
    if given or options.file is not None:
        raise UsageError(
            f"a run goes on as it began: --resume and {given[0] if given else 'SPEC'} exclude each other",
            f"`unroll train --resume {options.resume}`",
        )
    from unroll_dsl.train import resume

    with _watching(options, asked) as hooks:
        done = resume(options.resume, hooks=hooks, edited=options.edited)
    return _finish(done, options, asked)


def _config(options: Namespace) -> "Config":
    """The TOML file, and over it the options."""
    from unroll_dsl.train.tables import config, merged, read_file, setting

    tables: dict[str, Any] = {"base": str(Path.cwd())}
    if options.config is not None:
        tables = read_file(options.config)
    learn, fix = roles(options)
    over: dict[str, Any] = {
        "train": _given(options, ("steps", "batch", "rate")),
        "learn": learn,
        "dims": dict(by_name(options.dims, "--dims")),
        "bind": bound(options),
        **_given(options, ("phases", "seed")),
    }
    if fix:
        over["fix"] = list(fix)
    if options.data is not None:
        over["data"] = source(options.data)
    if options.tensorboard:
        over["log"] = {"tensorboard": True}
    tables = merged(tables, over)
    for text in options.set:
        tables = merged(tables, setting(text))
    return config(tables, str(options.config or ""))


def _given(options: Namespace, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(options, name) for name in names if getattr(options, name) is not None}


def _show(spec: "Spec", config: "Config") -> int:
    from unroll_dsl.train.opening import filled
    from unroll_dsl.train.regimes import stages
    from unroll_dsl.train.tables import to_toml
    from unroll_dsl.train.task import check_loss

    check_loss(spec)
    whole = filled(spec, config, {})
    print(to_toml(whole), end="")
    if not whole.train.epochs:
        plan = stages(whole, spec, 0)
        total = sum(stage.steps for stage in plan)
        said(f"{len(plan)} stage{'s' * (len(plan) > 1)}, {total} updates")
    return Exit.FINE


def _finish(done: "Run", options: Namespace, asked: "_Asked") -> int:
    if int(os.environ.get("RANK", "0")):
        return Exit.FINE
    rows = done.metrics()
    last = rows[-1] if rows else {}
    if options.json:
        print_json({"run": str(done.path), "stopped": asked.to_stop, "last": last})
    if asked.to_stop:
        said(f"stopped; go on with `unroll train --resume {done.path}`")
        return Exit.INTERRUPTED
    said(f"done: {done.path}")
    return Exit.FINE


# ---- watching -----------------------------------------------------------------------------------


class _Asked:
    """Whether the user, or whoever rules the machine, has asked to stop."""

    def __init__(self) -> None:
        self.to_stop = False

    def __call__(self) -> bool:
        return self.to_stop

    @contextmanager
    def listening(self) -> Iterator[None]:
        """The first Ctrl-C or SIGTERM stops after the update at hand; the second at once."""

        def stop(number: int, frame: object) -> None:
            if self.to_stop:
                raise KeyboardInterrupt
            self.to_stop = True
            said("stopping after this update")

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def _watching(options: Namespace, asked: _Asked) -> Iterator["Hooks"]:
    """Hooks that show how it goes: a bar on a terminal, lines elsewhere."""
    from unroll_dsl.train import Hooks

    with asked.listening():
        if options.json or int(os.environ.get("RANK", "0")):
            yield Hooks(stop=asked)
        elif sys.stderr.isatty():
            with _bar(asked) as hooks:
                yield hooks
        else:
            yield Hooks(say=said, stop=asked)


@contextmanager
def _bar(asked: _Asked) -> Iterator["Hooks"]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from unroll_dsl.train import Hooks, StepDone, Validated

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    figures = TextColumn("loss {task.fields[loss]}{task.fields[metric]}  rate {task.fields[rate]}")
    console = Console(stderr=True)
    with Progress(*columns, figures, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task("", total=None, loss="", metric="", rate="")
        shown = 0.0

        def on_step(event: StepDone) -> None:
            nonlocal shown
            now = time.monotonic()
            if now - shown > 0.1 or event.step == event.total:
                shown = now
                loss, rate = f"{event.loss:.4g}", f"{event.rate:.2g}"
                bar.update(
                    task,
                    completed=event.step,
                    total=event.total,
                    description=event.stage.name,
                    loss=loss,
                    rate=rate,
                )

        def on_validation(event: Validated) -> None:
            if event.value is not None and event.best is not None:
                best = "" if event.improved else f" (best {event.best:.4g})"
                bar.update(task, metric=f"  {event.metric} {event.value:.4g}{best}")

        def say(text: str) -> None:
            console.print(text, markup=False, highlight=False)

        yield Hooks(on_step=on_step, on_validation=on_validation, say=say, stop=asked)
