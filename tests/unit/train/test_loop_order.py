"""When a loop of training does what: updates, reports, checkpoints, stages; and what each process has of it."""

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from loop_stand_ins import Feed, Learner, loop, work
from torch import Tensor, nn

from unroll_dsl.train import Hooks, StepDone, TrainingError
from unroll_dsl.train.checkpoint import Checkpoint
from unroll_dsl.train.regimes import TrainingStage

# ---- when what happens --------------------------------------------------------------------------


class Happens:
    """A loop whose reports, rows and checkpoints are their steps."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, losses: list[float], stop: int = 99, **tables: Any
    ) -> None:
        self.steps: list[StepDone] = []
        self.reports: list[int] = []
        self.rows: list[int] = []
        self.saved: list[int] = []
        hooks = Hooks(on_step=self.steps.append, stop=lambda: len(self.steps) >= stop)
        self.feed = Feed()
        self.loop = loop(hooks, feed=self.feed, **tables)
        self.learner = Learner(losses)
        monkeypatch.setattr(self.loop, "_report", lambda *_: self.reports.append(self.loop.step))
        monkeypatch.setattr(self.loop, "_row", lambda *_: self.rows.append(self.loop.step))
        monkeypatch.setattr(self.loop, "_save", lambda *given: self.saved.append(given[-1]))

    def run(self, start: int = 0) -> bool:
        return self.loop._train(work(self.learner), self.learner, start)  # type: ignore[arg-type]


LOSSES = [6.0, 5.0, 4.0, 3.0, 2.0, 1.0]


def test_reports_rows_and_checkpoints_come_at_their_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Happens(monkeypatch, LOSSES, validate={"every": 4}, log={"every": 2}, save={"every": 5})
    assert found.run()
    assert found.reports == [4, 6]  # and the last
    assert found.rows == [2]  # what is reported has its row
    assert found.saved == [5, 6]
    assert [event.step for event in found.steps] == [1, 2, 3, 4, 5, 6]
    assert [(event.loss, event.grad_norm, event.total) for event in found.steps] == [
        (loss, 10 * loss, 6) for loss in LOSSES
    ]
    assert found.feed.ahead_of == [(0, 0, 6, 8)]


def test_losses_and_updates_are_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Happens(monkeypatch, LOSSES, log={"every": 50})
    found.run()
    assert (found.loop.counters.loss, found.loop.counters.updates) == (21.0, 6)


def test_the_rate_is_that_of_stage_and_step(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Happens(monkeypatch, LOSSES, train={"warmup": 4})
    found.run()
    expected = [0.125, 0.25, 0.375, 0.5, 0.5, 0.5]
    assert found.learner.rates == expected == [event.rate for event in found.steps]


def test_what_is_asked_to_stop_is_kept_and_not_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Happens(monkeypatch, LOSSES, stop=2)
    assert not found.run()
    assert found.saved == [2] and found.reports == []


def test_what_is_asked_to_stop_at_its_end_has_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Happens(monkeypatch, LOSSES, stop=6)
    assert found.run() and found.saved == [6] and found.reports == [6]


def test_a_stage_goes_on_from_its_step(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Happens(monkeypatch, LOSSES[4:])
    assert found.run(4)
    assert found.feed.ahead_of == [(0, 4, 6, 8)] and len(found.steps) == 2


def test_a_stage_that_has_ended_early_is_kept_and_left(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Happens(monkeypatch, LOSSES, validate={"every": 2})

    def report(*_: Any) -> None:
        found.loop.counters.ended = True

    monkeypatch.setattr(found.loop, "_report", report)
    assert found.run()
    assert len(found.steps) == 2 and found.saved == [2]


# ---- processes and parts ------------------------------------------------------------------------


@pytest.mark.parametrize(("index", "expected"), [(0, [[0, 1], [2, 3]]), (1, [[4, 5], [6, 7]])])
def test_each_process_has_its_share_of_a_batch_in_parts(
    index: int, expected: list[list[int]]
) -> None:
    accelerator = SimpleNamespace(
        is_main_process=True, num_processes=2, process_index=index, device=torch.device("cpu")
    )
    made = loop(accelerator=accelerator, train={"accumulate": 2})
    parts = made._parts(3, 0, 3)  # type: ignore[arg-type]
    assert [[int(v) for v in values] for values, _ in parts] == expected
    assert [[-int(v) for v in others] for _, others in parts] == expected


@pytest.mark.parametrize("processes", [1, 2])
def test_all_processes_have_what_the_first_has_found(
    processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []

    def broadcast(values: list[Any]) -> list[Any]:
        sent.extend(values)
        return [{"val.loss": 2.0}]

    monkeypatch.setattr("accelerate.utils.broadcast_object_list", broadcast)
    accelerator = SimpleNamespace(
        is_main_process=True, num_processes=processes, device=torch.device("cpu")
    )
    made = loop(accelerator=accelerator)
    found = made._everywhere({"val.loss": 1.0})
    assert found == {"val.loss": float(processes)}
    assert sent == [{"val.loss": 1.0}] * (processes - 1)


@pytest.mark.parametrize(("sum_", "agreed"), [(0.0, False), (1.0, True), (2.0, True)])
def test_a_run_stops_where_any_process_was_asked_to(sum_: float, agreed: bool) -> None:
    def reduce(flag: Tensor, how: str) -> Tensor:
        assert how == "sum"
        return torch.tensor(sum_)

    accelerator = SimpleNamespace(
        is_main_process=True, num_processes=2, device=torch.device("cpu"), reduce=reduce
    )
    assert loop(accelerator=accelerator)._agreed(False) == agreed
    accelerator.num_processes = 1  # nobody else is asked
    assert [loop(accelerator=accelerator)._agreed(stop) for stop in (False, True)] == [False, True]


def test_other_processes_write_and_say_nothing() -> None:
    said: list[str] = []
    accelerator = SimpleNamespace(
        is_main_process=False, num_processes=1, device=torch.device("cpu")
    )
    made = loop(Hooks(say=said.append, stop=lambda: True), accelerator=accelerator)
    made._say("word")
    made._row(work(), {})
    made._save(work(), Learner([]), 1)  # type: ignore[arg-type]
    assert not said and not made.folder.said and not made.folder.rows  # type: ignore[attr-defined]
    assert made.hooks.stop()


def test_what_diverged_is_told_with_its_terms_and_a_mend() -> None:
    made = loop()
    made.step = 4
    thing = work(number=1)
    thing.terms = lambda state, arguments: {"a": torch.tensor(2.0), "b": torch.tensor(math.nan)}
    found = made._explain(thing, [(torch.ones(1),)])("the loss is nan")
    assert found.message == (
        "step 5 (stage 2, whole): the loss is nan; its terms: a = 2; b = nan; there is no gradient"
    )
    assert "run/last.ckpt" in str(found.mend) and "--edited" in str(found.mend)
    thing.terms = lambda state, arguments: {}
    assert "its terms" not in made._explain(thing, [(torch.ones(1),)])("no").message


# ---- stages -------------------------------------------------------------------------------------


def test_a_stage_of_ones_own_has_something_to_train(monkeypatch: pytest.MonkeyPatch) -> None:
    made = loop()
    for word in ("program", "network"):
        monkeypatch.setattr(made.setup, word, lambda *_: nn.Identity(), raising=False)
    monkeypatch.setattr("unroll_dsl.train.loop.Work", lambda *_: work(None))
    with pytest.raises(TrainingError, match="stage 1, `whole`, has nothing to train"):
        made.run(None)


Run = Callable[..., list[tuple[str, int]]]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Run:
    """What a run of three stages did, and at which stage; `empty` stages have nothing to train."""

    def run(resumed: Checkpoint | None, empty: tuple[int, ...] = (), stopped: int = 9) -> Any:
        done: list[tuple[str, int]] = []
        stages = tuple(TrainingStage(f"s{i}", 1, {}, (), 2, 0.1, optional=True) for i in range(3))
        made = loop(stages=stages, validated=True)
        made.setup.program = lambda stage: None  # type: ignore[method-assign, assignment]
        made.setup.network = lambda *_: nn.Identity()  # type: ignore[method-assign]
        made.accelerator.free_memory = lambda: done.append(("freed", -1))  # type: ignore[method-assign]

        def worked(number: int, *_: Any) -> Any:
            return work(None if number in empty else Learner([]), stages[number], number)

        def noted(word: str, result: Any = None) -> Callable[..., Any]:
            def note(*given: Any) -> Any:
                done.append((word, given[0].number if hasattr(given[0], "number") else given[0]))
                return result(given[0].number) if callable(result) else result

            return note

        def moved(steps: int) -> bool:
            made.step += steps
            return True

        monkeypatch.setattr("unroll_dsl.train.loop.Work", worked)
        monkeypatch.setattr("unroll_dsl.train.loop.carry", lambda *_: done.append(("carry", -1)))
        for word, result in (
            ("_enter", None),
            ("_restore", lambda number: moved(3) and 1),
            ("_report", None),
            ("_save", None),
            ("_train", lambda number: moved(2) and number < stopped),
        ):
            monkeypatch.setattr(made, word, noted(word, result))
        ending = made.run(resumed)
        for feed in (made.feed, made.trial):
            assert feed is not None
            done += [("followed", len(feed.followed))]  # type: ignore[attr-defined]
        return done, ending.finished

    return run


def test_a_run_begins_with_the_untrained_network(ran: Any) -> None:
    done, finished = ran(None)
    assert finished
    assert done[:4] == [("_enter", 0), ("_report", 0), ("_save", 0), ("_train", 0)]
    assert [pair for pair in done if pair[1] < 0] == [("freed", -1), ("carry", -1)] * 2
    assert [n for word, n in done if word == "_train"] == [0, 1, 2]
    assert [n for word, n in done if word == "_report"] == [0]
    # data are measured with what the network of each stage learns
    assert [n for word, n in done if word == "followed"] == [3, 3]


def test_a_run_goes_on_in_the_stage_of_its_checkpoint(ran: Any) -> None:
    resumed = Checkpoint(3, 1, 1, {}, {}, None, {}, {}, 1.0)
    done, finished = ran(resumed)
    assert finished and done[:2] == [("_restore", 1), ("_train", 1)]
    assert [n for word, n in done if word == "_enter"] == [2]
    assert "_report" not in dict(done)


def test_a_run_that_is_stopped_has_no_further_stage(ran: Any) -> None:
    done, finished = ran(None, stopped=1)
    assert not finished and [n for word, n in done if word == "_train"] == [0, 1]


def test_stages_with_nothing_to_train_are_passed_over(ran: Any) -> None:
    done, finished = ran(None, empty=(0, 1))
    assert finished and [n for word, n in done if word == "_train"] == [2]
    assert ("_report", 2) in done  # it is the first that trains
