"""`explore`: the networks of a problem, each trained for the same time on the same data."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from unroll_dsl.data.errors import DataError
from unroll_dsl.derive.statements import with_statements
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.explore.measuring import rehearsed
from unroll_dsl.explore.sharing import Clock, Judging, share_of
from unroll_dsl.explore.task import with_task
from unroll_dsl.family import Member, members
from unroll_dsl.loading import loads
from unroll_dsl.objectives import read
from unroll_dsl.semantics import TypedProgram
from unroll_dsl.syntax.pages import page_text
from unroll_dsl.train import checkpoint
from unroll_dsl.train.errors import Diverged, TrainingError
from unroll_dsl.train.events import Hooks
from unroll_dsl.train.files import write_whole
from unroll_dsl.train.lock import locked
from unroll_dsl.train.tables import config, merged
from unroll_dsl.train.training import resume as resume_run
from unroll_dsl.train.training import train

STATE = "explore.json"
PROBLEM = "problem.unroll"
RUNS = "runs"
_NO_TIME = "no time was left for it; give more: `--resume DIR --budget TIME`"
_IMAGES = 64  # that networks of images are judged on: they take long
_ONE_UPDATE = 1e-9  # seconds
_FOREVER = 1_000_000_000  # updates: the time ends a run
_DEFAULTS: Mapping[str, Any] = {
    "phases": 10,
    "train": {"steps": _FOREVER, "rate": 1e-3},
    "validate": {"every": 100},
    "save": {"every": 100},
}


@dataclass(frozen=True)
class Settings:
    """What an exploration is about.

    Attributes
    ----------
    budget
        Seconds, all networks and their comparison together.
    methods
        Names; none: all.
    config
        Tables of a training's configuration, over `phases = 10` and `train.rate = 1e-3`: data, dims, bind, seed.
    """

    budget: float = 600.0
    methods: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Exploration:
    """What has come of an exploration: the members of the family, and what became of each network.

    `failed` says why a network could not be trained, by its name; `runs` are the folders of the others, `shares`
    the seconds that each was given, `spent` those that all has taken so far. `judging` says on how many samples they
    can be compared in time, and how long one takes; `until` when that has to end, as `time.monotonic()` has it.
    """

    path: Path
    typed: TypedProgram
    settings: Settings
    algorithms: tuple[Member, ...]
    networks: tuple[Member, ...]
    runs: Mapping[str, Path]
    failed: Mapping[str, str]
    shares: Mapping[str, float]
    spent: float
    judging: Judging
    until: float


Say = Callable[[str], object]


def explore(
    typed: TypedProgram,
    out: Path,
    settings: Settings,
    *,
    statements: tuple[str, ...] = (),
    say: Say = lambda text: None,
    begun: float | None = None,
) -> Exploration:
    """Train every network of a problem's family for an equal share of the budget.

    Parameters
    ----------
    typed
        A checked problem. Without a loss it gets one (`with_task`).
    out
        The folder to make.
    statements
        Put into the problem, in place of those of the same names.
    begun
        When the budget began, as `time.monotonic()` has it; now by default.

    Raises
    ------
    TrainingError
        If the folder holds an exploration, the problem no task, or no network could be trained.
    UnrollError, DataError
        If the problem has no normal form, or data do not fit it.
    """
    begun = time.monotonic() if begun is None else begun
    if (out / STATE).exists():
        raise TrainingError(
            f"{out} holds an exploration already", f"go on with it, `unroll explore --resume {out}`"
        )
    problem, put_in = with_task(with_statements(typed, statements))
    for text in put_in:
        say(f"the problem is given: {' '.join(text.split())}")
    own = {"base": str(Path.cwd()), "validate": {"samples": _IMAGES if _of_images(problem) else 0}}
    merged_config = merged(merged(dict(_DEFAULTS), own), settings.config)
    config(merged_config, "")  # what is wrong with it is told before anything is written
    whole = Settings(settings.budget, settings.methods, merged_config)
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / PROBLEM, page_text(problem.program).encode("utf-8"))
    _save(out, {"settings": asdict(whole), "ended": {}})
    return resume(out, say=say, begun=begun)


def resume(
    out: Path,
    *,
    budget: float | None = None,
    say: Say = lambda text: None,
    begun: float | None = None,
) -> Exploration:
    """Go on with an exploration: networks that have had their time are left as they are.

    Those of papers come first. When the time is over, the others are named as not trained.

    Parameters
    ----------
    budget
        Seconds in all, in place of those that it began with.
    begun
        When this process began to use it, as `time.monotonic()` has it; now by default.

    Raises
    ------
    TrainingError
        If the folder holds none, another process works in it, or no network could be trained.
    """
    begun = time.monotonic() if begun is None else begun
    state = _state(out)
    if budget is not None and budget != state["settings"]["budget"]:
        state["settings"]["budget"] = budget
        state.pop("judging", None)
    settings = Settings(
        state["settings"]["budget"],
        tuple(state["settings"]["methods"]),
        state["settings"]["config"],
    )
    typed = loads((out / PROBLEM).read_text("utf-8"), PROBLEM).typed
    rows = members(typed, only=settings.methods or None)
    derived = [row for row in rows if isinstance(row, Member)]
    networks = _in_turn([m for m in derived if m.is_network and m.same_as is None])
    if not networks:
        raise TrainingError(
            "the family has no network", "`unroll family PROBLEM` says why, method by method"
        )
    clock = Clock(begun, state.setdefault("spent", 0.0), settings.budget)
    shares = state.setdefault("shares", {})
    with locked(out):
        late = _train_all(out, networks, settings, state, clock, say)
    if late:
        say(f"the time is over: not trained are {len(late)} of {len(networks)}")
    failed = {name: why for name, why in state["ended"].items() if why}
    failed |= dict.fromkeys(late, _NO_TIME)
    runs = {m.name: out / RUNS / m.name for m in networks if m.name not in failed}
    if not runs:
        why = next(iter(failed.values()))
        raise TrainingError(f"no network of the family could be trained; the first: {why}")
    algorithms = tuple(m for m in derived if not m.choice.name)
    given = {name: shares.get(name, 0.0) for name in runs}
    return Exploration(
        out,
        typed,
        settings,
        algorithms,
        networks,
        runs,
        failed,
        given,
        clock.spent(),
        Judging(**state["judging"]),
        clock.until(),
    )


def _train_all(
    out: Path,
    networks: Sequence[Member],
    settings: Settings,
    state: dict[str, Any],
    clock: Clock,
    say: Say,
) -> list[str]:
    """Train those that have not ended, as long as there is time; the names of the others."""
    late: list[str] = []
    ended = state["ended"]

    def end(name: str, why: str) -> None:
        ended[name], state["spent"] = why, clock.spent()
        _save(out, state)
        if why:
            say(f"    {why}")

    def rehearse(member: Member) -> None:
        path = out / RUNS / member.name
        found = rehearsed(path, member, len(networks), settings.budget)
        state["judging"] = asdict(found)

    done = [m for m in networks if ended.get(m.name) == ""]
    if done and "judging" not in state:
        rehearse(done[0])
    for i, member in enumerate(networks):
        if member.name in ended:
            continue
        if not done:
            why = _trained(out, member, settings, _ONE_UPDATE)
            if why:
                end(member.name, why)
                continue
            rehearse(member)
        share = share_of(
            settings.budget,
            len(networks),
            clock.spent(),
            len(done),
            sum(m.name not in ended and m.name not in late for m in networks),
            state["judging"]["seconds"],
        )
        if share is None and done:
            late.append(member.name)
            continue
        share = share or _ONE_UPDATE  # one is trained, however little time there is
        say(f"{i + 1} of {len(networks)}: {member.name}, {share:.3g} seconds")
        state["shares"][member.name] = share
        why = _trained(out, member, settings, share)
        done += [] if why else [member]
        end(member.name, why)
    return late


def _in_turn(networks: Sequence[Member]) -> tuple[Member, ...]:
    """Those of papers, then one of each method, another of each, and so on: should time be short, none lacks all."""
    seen: Counter[str] = Counter()
    places = {}
    for member in networks:
        method = member.choice.method.name
        places[member.name] = -1 if member.choice.published else seen[method]
        seen[method] += not member.choice.published
    return tuple(sorted(networks, key=lambda member: places[member.name]))


def _of_images(typed: TypedProgram) -> bool:
    """Whether a problem's variable is an image."""
    return any(v.type.rank > 1 for v in read(typed).variables)


def _trained(out: Path, member: Member, settings: Settings, share: float) -> str:
    """Train a network for its share of time, one update at least; why it cannot be, "" if it can."""
    path = out / RUNS / member.name
    begun = time.monotonic()
    before = 0.0

    def over() -> bool:
        return before + time.monotonic() - begun >= share

    try:
        if (path / "run.toml").is_file():
            saved = checkpoint.newest(path)
            before = saved.seconds if saved is not None else 0.0
            if before < share:
                resume_run(path, hooks=Hooks(stop=over))
        else:
            train(
                loads(member.text, f"{member.name}.unroll"),
                path,
                dict(settings.config),
                hooks=Hooks(stop=over),
            )
    except Diverged as error:
        return f"it diverges: {error.message}"
    except (TrainingError, DataError) as error:
        return error.message
    except UnrollError as error:
        return error.diagnostics[0].message()
    return ""


def _state(out: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((out / STATE).read_text("utf-8"))
    except OSError:
        raise TrainingError(
            f"{out} is no folder of an exploration: it has no {STATE}",
            "start one, `unroll explore PROBLEM --out DIR`",
        ) from None
    except json.JSONDecodeError as error:
        raise TrainingError(f"{out / STATE} is damaged: {error}") from error
    return found


def _save(out: Path, state: Mapping[str, Any]) -> None:
    write_whole(out / STATE, (json.dumps(state, indent=1) + "\n").encode("utf-8"))
