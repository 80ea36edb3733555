"""Explorations: a family trained on the same data, resumed, judged, shown."""

from __future__ import annotations

import json
import math
import os
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.cli.explore import seconds
from unroll_dsl.cli.main import main
from unroll_dsl.explore import Settings, explore, resume
from unroll_dsl.explore.judge import judge
from unroll_dsl.explore.measuring import few, samples_of
from unroll_dsl.explore.page import page
from unroll_dsl.explore.sharing import Judging, judging, share_of
from unroll_dsl.explore.task import with_task
from unroll_dsl.runs.page import html
from unroll_dsl.syntax.pages import page_text
from unroll_dsl.train import Run, TrainingError
from unroll_dsl.train.checkpoint import newest

TABLES = {
    "phases": 3,
    "dims": {"n": 16, "m": 8},
    "data": {"samples": 200, "validate": 50},
    "validate": {"every": 10},
    "save": {"every": 10},
}


@pytest.fixture(scope="module")
def explored(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """ISTA's networks of the lasso in few seconds; those for which there is no time are trained all the same."""
    out = tmp_path_factory.mktemp("explored") / "out"
    typed = unroll_dsl.load("lasso").typed
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("unroll_dsl.explore.sharing._LEAST", -math.inf)
        return explore(typed, out, Settings(5.0, ("ista",), TABLES))


@pytest.fixture(scope="module")
def judged(explored: Any) -> Any:
    return judge(explored)


@pytest.mark.slow
def test_all_networks_had_their_time_on_the_same_data(explored: Any) -> None:
    names = {m.choice.name for m in explored.networks}
    assert {"step", "threshold", "matrices", "lista", "lista_cp", "alista"} < names
    assert not explored.failed and set(explored.runs) == {m.name for m in explored.networks}
    matrices = set()
    for path in explored.runs.values():
        run = Run.open(path)
        assert run.phases() == 3 and run.config.train.rate == 1e-3
        matrices.add(np.asarray(run.bind()["A"]).tobytes())
    assert len(matrices) == 1


@pytest.mark.slow
def test_the_best_comes_first_and_is_a_page_to_go_on_from(explored: Any, judged: Any) -> None:
    last = [curve.last for curve in judged.comparison.networks]
    assert last == sorted(last)  # NMSE in dB: the smaller the better
    assert [c.name for c in judged.comparison.classical] == ["ista"]
    best = unroll_dsl.load(explored.path / "best.unroll")
    assert best.name == judged.members[0].name
    assert judged.to_json()["best"] == best.name
    untrained = judged.comparison.classical[0]
    assert last[0] < untrained.quality[2]  # ISTA after as many iterations


@pytest.mark.slow
def test_the_page(judged: Any) -> None:
    text = html(page(judged))
    for member in judged.members:
        assert f"<td>{member.choice.title}</td>" in text or member.choice.title in text
    assert "The family of lasso" in text and text.count("<svg") == 3
    assert "Every network of the family could be trained." in text


@pytest.mark.slow
def test_one_that_was_stopped_goes_on(explored: Any, tmp_path: Path) -> None:
    """As if it had been killed while the fourth network was trained, with some time left for it."""
    out = tmp_path / "out"
    shutil.copytree(explored.path, out)
    state = json.loads((out / "explore.json").read_text())
    names = list(state["ended"])
    del state["ended"][names[3]]
    state["settings"]["budget"], state["spent"] = 60.0, 1.0
    state["judging"]["seconds"] = 0.1
    (out / "explore.json").write_text(json.dumps(state))
    before = [updates(out / "runs" / name) for name in names]
    said: list[str] = []
    again = resume(out, say=said.append)
    assert len(said) == 1 and said[0].startswith(f"4 of {len(names)}: {names[3]}")
    assert set(again.runs) == set(names)
    after = [updates(out / "runs" / name) for name in names]
    assert [i for i in range(len(names)) if after[i] != before[i]] == [3]
    assert after[3] > before[3]


def updates(run: Path) -> int:
    saved = newest(run)
    assert saved is not None
    return saved.step


def test_without_any_network_the_first_reason_is_told(tmp_path: Path) -> None:
    tables = {**TABLES, "bind": {"A": str(tmp_path / "missing.npy")}}
    typed = unroll_dsl.load("lasso").typed
    with pytest.raises(TrainingError, match=r"could be trained; the first: .*missing\.npy"):
        explore(typed, tmp_path / "out", Settings(1.0, ("hqs",), tables))


@pytest.mark.slow
def test_networks_that_diverge_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unroll_dsl.explore.sharing._LEAST", -math.inf)
    tables = {**TABLES, "train": {"rate": 1e30}}
    typed = unroll_dsl.load("lasso").typed
    found = explore(typed, tmp_path / "out", Settings(80.0, ("ista",), tables))
    assert found.failed["lasso_ista_matrices"].startswith("it diverges: step 2")
    text = html(page(judge(found)))
    assert "Networks that could not be trained." in text and "it diverges: step 2" in text


def test_a_problem_without_a_loss_gets_one() -> None:
    typed, put_in = with_task(unroll_dsl.load("lasso").typed)
    assert put_in == (
        "loss (x_star : vector[n]):\n    sumsq(x - x_star)",
        "measure y = A @ x_star",
    )
    assert all(line in page_text(typed.program) for line in ("sumsq(x - x_star)", "A @ x_star"))
    own = unroll_dsl.load("block_cs").typed
    assert with_task(own) == (own, ())


@pytest.mark.parametrize(
    ("problem", "words"),
    [("robust_pca", "several variables"), ("logistic_regression", "how it is measured")],
)
def test_a_problem_that_is_no_task_is_refused(problem: str, words: str) -> None:
    with pytest.raises(TrainingError, match=words):
        with_task(unroll_dsl.load(problem).typed)


@pytest.mark.parametrize(("text", "value"), [("90s", 90), ("10m", 600), ("2h", 7200), ("45", 45)])
def test_times(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("explore",), "what is to be explored?"),
        (("explore", "lasso"), "no folder for the exploration"),
        (("explore", "lasso", "--out", "o", "--budget", "soon"), "is no time"),
        (("explore", "lasso", "--out", "o", "--method", "istb"), "did you mean `ista`?"),
        (("explore", "lasso", "--resume", "o"), "goes on as it began"),
        (("explore", "--resume", "none"), "is no folder of an exploration"),
        (("explore", "lasso", "--out", "o", "--set", "train.rte=1"), "did you mean `rate`?"),
        (("explore", "lasso", "--out", "o", "--method", "gradient"), "has no network"),
    ],
)
def test_wrong_calls(
    arguments: tuple[str, ...],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert words in capsys.readouterr().err


def test_each_network_has_the_same_time_until_others_took_longer() -> None:
    """Of 100 seconds 10 are for the algorithms; each of ten networks is trained, and judged for a second."""
    assert share_of(100, 10, 0.0, 0, 10, 1.0) == pytest.approx(8)
    assert share_of(100, 10, 8.0, 1, 9, 1.0) == pytest.approx(8)
    assert share_of(100, 10, 1.0, 1, 9, 1.0) == pytest.approx(8)  # no more than the first had
    assert share_of(100, 10, 35.0, 1, 9, 1.0) == pytest.approx(5)
    assert share_of(100, 10, 88.0, 0, 1, 1.0) == pytest.approx(1)
    assert share_of(100, 10, 88.5, 0, 1, 1.0) is None  # it could be judged, and hardly be trained
    assert share_of(100, 10, 88.0, 1, 1, 1.0) is None


def test_where_judging_takes_long_fewer_are_trained() -> None:
    """Each is trained for as long as judging takes, 10 of 100 seconds: there is time for four."""
    spent, trained = 0.0, 0
    while (share := share_of(100, 10, spent, trained, 10 - trained, 10.0)) is not None:
        assert share == pytest.approx(10)
        spent, trained = spent + share, trained + 1
    assert trained == 4 and spent + trained * 10.0 <= 90


@pytest.mark.parametrize(
    ("sample", "samples"),
    [(1e-4, 64), (0.02, 28), (10.0, 8)],
)
def test_so_many_samples_as_there_is_time_for(sample: float, samples: int) -> None:
    """Ten networks in 30 of 100 seconds, with some slack for those that take longer; 8 samples at least."""
    found = judging(1.74, sample, 64, 10, 100)
    assert found.samples == samples
    assert found.seconds == pytest.approx(1.3 * (1.74 + sample * samples))


@pytest.mark.slow
def test_few_samples_are_spread_over_all(explored: Any) -> None:
    path = next(iter(explored.runs.values()))
    samples, _ = samples_of(path)
    total = sum(map(len, samples))
    chosen = few(samples, 7)
    truth = torch.cat([group.truth for group in samples])
    assert sum(map(len, chosen)) == 7
    found = torch.cat([group.truth for group in chosen])
    assert torch.equal(found, truth[torch.linspace(0, total - 1, 7).round().long()])
    assert few(samples, total) == samples


@pytest.mark.slow
def test_what_there_is_no_time_to_judge_is_named(explored: Any) -> None:
    """One network is judged whatever happens; the others, and algorithms, only where there is time."""
    late = judge(explored, until=time.monotonic())
    assert len(late.members) == 1 and len(late.unjudged) == len(explored.runs) - 1
    assert not late.comparison.classical
    assert late.left_out == ("ista is not run beside them: no time was left for it",)
    text = html(page(late))
    assert "or not be judged" in text and late.unjudged[0] in text
    assert set(late.to_json()["failed"]) == set(late.unjudged)
    assert "The last columns" not in text


@pytest.mark.slow
def test_what_is_kept_for_the_algorithms_no_network_takes(explored: Any) -> None:
    """A tenth of the budget: networks are judged until then, and the algorithm has its time."""
    settings = Settings(1e4, explored.settings.methods, explored.settings.config)
    held = judge(replace(explored, settings=settings), until=time.monotonic() + 900)
    assert len(held.members) == 1 and len(held.comparison.classical) == 1
    assert "The last columns" in html(page(held))


@pytest.mark.slow
def test_algorithms_without_time_are_named_together(explored: Any) -> None:
    two = replace(explored, algorithms=(*explored.algorithms, explored.algorithms[0]))
    late = judge(two, until=time.monotonic())
    assert late.left_out == ("ista, ista are not run beside them: no time was left for them",)


@pytest.mark.slow
def test_the_budget_bounds_the_real_command(tmp_path: Path) -> None:
    """By the processor time of one thread, which others on the machine do not add to; `test_budget.py` counts."""
    command = [sys.executable, "-m", "unroll_dsl", "explore", "lasso", "--out", str(tmp_path / "o")]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [*command, "--budget", "40s", "--dims", "n=40,m=20"],
        check=True,
        capture_output=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert taken < 40 + 10  # what is at hand, and writing
    state = json.loads((tmp_path / "o" / "explore.json").read_text())
    assert 0 < state["judging"]["seconds"] < 40 and "" in state["ended"].values()


def test_images_are_judged_on_few(tmp_path: Path) -> None:
    """Networks of images take long: 64 samples, unless more are asked for."""
    typed = unroll_dsl.load("block_cs").typed
    tables = {"phases": 1, "dims": {"h": 8, "w": 8}, "data": {"kind": "samples"}}
    with pytest.raises(TrainingError, match="no network"):
        explore(typed, tmp_path / "a", Settings(1.0, ("frank_wolfe",), tables))
    state = json.loads((tmp_path / "a" / "explore.json").read_text())
    assert state["settings"]["config"]["validate"]["samples"] == 64
    tables["validate"] = {"samples": 9}
    with pytest.raises(TrainingError, match="no network"):
        explore(typed, tmp_path / "b", Settings(1.0, ("frank_wolfe",), tables))
    state = json.loads((tmp_path / "b" / "explore.json").read_text())
    assert state["settings"]["config"]["validate"]["samples"] == 9


@pytest.mark.slow
def test_time_that_is_over_is_said_and_can_be_given(
    explored: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network is left and no time: it is named. With more time one goes on to it."""
    out = tmp_path / "out"
    shutil.copytree(explored.path, out)
    state = json.loads((out / "explore.json").read_text())
    late = list(state["ended"])[-1]
    del state["ended"][late]
    shutil.rmtree(out / "runs" / late)
    count = len(state["ended"]) + 1
    state["spent"] = 4.6  # of 5 seconds
    (out / "explore.json").write_text(json.dumps(state))
    said: list[str] = []
    found = resume(out, say=said.append)
    assert said == [f"the time is over: not trained are 1 of {count}"]
    assert set(found.failed) == {late} and "--budget" in found.failed[late]
    monkeypatch.setattr("unroll_dsl.explore.run.rehearsed", lambda *given: Judging(0.1, 8))
    again = resume(out, budget=60.0, say=said.append)
    assert not again.failed and late in again.runs


@pytest.mark.slow
def test_the_order_is_fair_to_methods(explored: Any) -> None:
    names = [m.choice.name for m in explored.networks]
    papers = [m.choice.published for m in explored.networks]
    assert papers == sorted(papers, reverse=True) and papers[0]
    assert names[papers.count(True)] == "step"
