"""What a loop of training counts and tells: rows, times, the best network, patience."""

from typing import Any

import pytest
from loop_stand_ins import STAGE, Clock, Learner, loop, work

from unroll_dsl.train import Hooks, Validated
from unroll_dsl.train.checkpoint import Checkpoint
from unroll_dsl.train.loop import Counters, TrainingLoop, _sentence
from unroll_dsl.train.regimes import TrainingStage

# ---- rows ---------------------------------------------------------------------------------------


def test_a_row_says_how_fast_and_how_good_since_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    made = loop()
    made.step, made.before = 7, 50.0
    made.counters = Counters(loss=6.0, updates=4)
    clock.now += 2.0
    facts = made._facts(work(number=1), 0.25, 3.0)
    assert facts == {
        "step": 7,
        "stage": 2,
        "phases": 3,
        "seconds": 52.0,
        "samples_per_s": 4 * 8 / 2.0,
        "rate": 0.25,
        "loss": 1.5,
        "grad_norm": 3.0,
    }
    clock.now += 4.0
    made.counters.loss, made.counters.updates = 3.0, 1
    again = made._facts(work(), None, None)
    assert (again["seconds"], again["samples_per_s"], again["loss"]) == (56.0, 2.0, 3.0)
    assert made._facts(work(), None, None)["loss"] is None


def test_seconds_are_those_of_all_sittings(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    made = loop()
    clock.now += 3.0
    assert made._seconds() == 3.0
    counters = {"best": 0.5, "waited": 2, "ended": False, "loss": 1.0, "updates": 3}
    resumed = Checkpoint(9, 1, 4, {"w": 1}, {"o": 2}, {"s": 3}, counters, {}, 60.0)
    learner = Learner([])
    assert made._restore(work(learner), resumed) == 4
    assert learner.restored == ({"w": 1}, {"o": 2}, {"s": 3})
    assert (made.step, made._seconds()) == (9, 63.0)
    assert made.counters == Counters(0.5, 2, False, 1.0, 3)


def test_time_of_validation_is_none_of_training(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    made = loop(validated=True)

    def validated(*_: Any) -> dict[str, float]:
        clock.now += 100.0
        return {"val.nmse_db": 1.0}

    monkeypatch.setattr(made, "_validated", validated)
    made._report(work(), None, None)
    made.counters.updates, clock.now = 5, clock.now + 2.0
    assert made._facts(work(), None, None)["samples_per_s"] == 20.0


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"step": 5, "loss": 0.25}, "step 5: loss 0.25"),
        ({"step": 5, "loss": None, "rate": 0.1}, "step 5"),
        (
            {"step": 0, "rate": 0.5, "loss": 1.0, "val.loss": 2.0, "val.psnr": 30.123456},
            "step 0: loss 1, validation loss 2, psnr 30.123",
        ),
    ],
)
def test_a_row_in_words(facts: dict[str, Any], words: str) -> None:
    assert _sentence(facts) == words


# ---- the best, and patience ---------------------------------------------------------------------


def reports(values: list[float], patience: int = 0) -> tuple[TrainingLoop, list[Validated]]:
    seen: list[Validated] = []
    made = loop(Hooks(on_validation=seen.append), validated=True, validate={"patience": patience})
    given = iter(values)
    made._validated = lambda *_: {"val.loss": 7.0, "val.nmse_db": next(given)}  # type: ignore[method-assign]
    for _ in values:
        made.step += 10
        made._report(work(), 0.1, 1.0)
    return made, seen


def test_the_network_is_kept_where_the_metric_improves() -> None:
    """nmse_db: the smaller the better; what is only as good does not count."""
    made, seen = reports([-1.0, -3.0, -2.0, -3.0, -4.0])
    assert [event.improved for event in seen] == [True, True, False, False, True]
    assert [event.best for event in seen] == [-1.0, -3.0, -3.0, -3.0, -4.0]
    assert [event.value for event in seen] == [-1.0, -3.0, -2.0, -3.0, -4.0]
    assert {event.metric for event in seen} == {"nmse_db"}
    assert made.folder.kept == ["best"] * 3  # type: ignore[attr-defined]
    assert [row["step"] for row in made.folder.rows] == [10, 20, 30, 40, 50]  # type: ignore[attr-defined]
    assert made.folder.rows[1]["val.loss"] == 7.0  # type: ignore[attr-defined]
    assert made.counters.waited == 0 and not made.counters.ended


def test_of_what_is_learned_small_things_are_written_with_the_stage() -> None:
    made, _ = reports([1.0])
    ((step, stage, values),) = made.folder.constants  # type: ignore[attr-defined]
    assert (step, stage, list(values)) == (10, 1, ["t"])


@pytest.mark.parametrize(("patience", "ended"), [(0, False), (2, True), (3, True), (4, False)])
def test_a_stage_ends_after_so_many_validations_without_gain(patience: int, ended: bool) -> None:
    made, _ = reports([1.0, 2.0, 1.5, 1.0], patience)
    assert made.counters.waited == 3 and made.counters.ended == ended
    said = made.folder.said[-1]  # type: ignore[attr-defined]
    assert (said == "no improvement in 3 validations: the stage ends") == ended


def test_a_gain_begins_the_wait_anew() -> None:
    made, _ = reports([1.0, 2.0, 0.5, 0.7], patience=2)
    assert made.counters.waited == 1 and not made.counters.ended


def test_without_validation_there_is_no_metric() -> None:
    seen: list[Validated] = []
    made = loop(Hooks(on_validation=seen.append))
    made._report(work(), None, None)
    (event,) = seen
    assert (event.metric, event.value, event.best, event.improved) == (None, None, None, False)
    assert made.folder.kept == []  # type: ignore[attr-defined]
    assert len(made.folder.rows) == 1  # type: ignore[attr-defined]


def test_what_was_best_and_waited_for_ends_with_a_network_of_that_shape() -> None:
    stages = (
        STAGE,
        TrainingStage("again", 3, {}, ("t",), 5, 0.1),
        TrainingStage("4", 4, {}, (), 5, 0.1),
    )
    made = loop(stages=stages)
    for number, best in ((1, 0.5), (2, None), (0, None)):
        made.counters = Counters(best=0.5, waited=3, ended=True, loss=2.0, updates=1)
        made._enter(number, stages[number])
        assert made.counters == Counters(best, 0, False, 2.0, 1)
