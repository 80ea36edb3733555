"""The budget of `unroll explore` bounds the whole command, counted by what is done on a clock that stands still between."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from unroll_dsl.cli.main import main
from unroll_dsl.family import Member
from unroll_dsl.train.events import Hooks

COSTS = {
    "load": 6.0,
    "members": 12.0,
    "set-up": 0.5,
    "update": 1.0,
    "measured": 1.5,
    "fitted": 0.3,
}
A_SAMPLE = 0.002
MODULES = ("explore.run", "explore.sharing", "explore.measuring", "explore.judge", "cli.explore")


class Clock:
    """Stands for the module `time`: it moves by what is done alone."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.done: Counter[str] = Counter()
        self.networks = 0

    def monotonic(self) -> float:
        return self.now

    def takes(self, what: str, seconds: float | None = None) -> None:
        self.done[what] += 1
        self.now += COSTS[what] if seconds is None else seconds

    def costing(self, what: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def done(*given: Any, **named: Any) -> Any:
            self.takes(what)
            return work(*given, **named)

        return done

    def training(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """An update is over where it is asked whether to stop."""

        def done(*given: Any, hooks: Hooks) -> Any:
            self.takes("set-up")

            def stop() -> bool:
                self.takes("update")
                return hooks.stop()

            return work(*given, hooks=replace(hooks, stop=stop))

        return done


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    from unroll_dsl.explore import judge, measuring, run

    found = Clock()
    for module in MODULES:
        monkeypatch.setattr(f"unroll_dsl.{module}.time", found)
    monkeypatch.setattr("unroll_dsl.cli.explore.load", found.costing("load", _load()))
    whole = run.members

    def members(*given: Any, **named: Any) -> Any:
        found.takes("members")
        rows = whole(*given, **named)
        found.networks = sum(
            isinstance(row, Member) and row.is_network and row.same_as is None for row in rows
        )
        return rows

    monkeypatch.setattr(run, "members", members)
    monkeypatch.setattr(run, "train", found.training(run.train))
    monkeypatch.setattr(run, "resume_run", found.training(run.resume_run))
    monkeypatch.setattr(judge, "fitted", found.costing("fitted", judge.fitted))
    judged = measuring.measured
    for module in (measuring, judge):
        monkeypatch.setattr(module, "measured", found.costing("measured", judged))
    curve = measuring.quality

    def quality(solver: Any, counts: Any, samples: Any, metric: Any) -> Any:
        found.takes("samples", A_SAMPLE * sum(map(len, samples)))
        return curve(solver, counts, samples, metric)

    def affordable(solver: Any, depth: int, samples: Any, seconds: float) -> int:
        found.takes("classical", seconds)  # an algorithm takes all the time that it is given
        return depth

    monkeypatch.setattr(measuring, "quality", quality)
    monkeypatch.setattr(judge, "affordable", affordable)
    return found


def _load() -> Callable[..., Any]:
    from unroll_dsl.cli.specs import load

    return load


@pytest.mark.slow
@pytest.mark.parametrize(("budget", "all_of_them"), [(50, False), (130, True)])
def test_the_budget_bounds_the_whole_command(
    clock: Clock, tmp_path: Path, budget: int, all_of_them: bool
) -> None:
    """Deriving, training and comparing end in time; the margin is for what is at hand when it is over."""
    out, begun = tmp_path / "o", clock.now
    small = ("--dims", "n=8,m=4", "--phases", "2", "--set", "data.samples=60", "--method", "ista")
    assert main(("explore", "lasso", "--out", str(out), "--budget", f"{budget}s", *small)) == 0
    at_hand = COSTS["measured"] + COSTS["fitted"] + COSTS["update"]
    assert 0.9 * budget < clock.now - begun <= budget + at_hand
    state = json.loads((out / "explore.json").read_text())
    assert 0 < state["judging"]["seconds"] < budget
    trained = list(state["ended"].values()).count("")
    assert trained > 3 and (trained == clock.networks) == all_of_them
    # each network that was trained was judged, and the first in a rehearsal besides
    assert clock.done["measured"] == trained + 1
    assert clock.done["classical"] == clock.done["fitted"] == 1
    assert clock.done["update"] > trained + 5 * all_of_them
