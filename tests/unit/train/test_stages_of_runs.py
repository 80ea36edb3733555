"""What stages hand on, which network is the best, and what changes how gradients are computed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from sparse_problem import CP, Sparse
from torch import Tensor

import unroll_dsl
from unroll_dsl.train import Hooks, StageBegun, StepDone, TrainingError, Validated
from unroll_dsl.train.checkpoint import newest, save
from unroll_dsl.train.setup import prepare

SHORT = {"train": {"steps": 4}, "validate": {"every": 2}, "log": {"every": 1}, "save": {"every": 2}}


class Watched:
    """The networks of a run's stages as they began, and its events."""

    def __init__(self) -> None:
        self.networks: list[Any] = []
        self.begun: list[dict[str, Tensor]] = []
        self.before: list[dict[str, Tensor]] = []  # the network of the stage before, as it ended
        self.steps: list[StepDone] = []
        self.validations: list[Validated] = []

    @property
    def hooks(self) -> Hooks:
        return Hooks(
            on_stage=self.on_stage,
            on_step=self.steps.append,
            on_validation=self.validations.append,
        )

    def on_stage(self, event: StageBegun) -> None:
        if self.networks:
            self.before.append(copied(self.networks[-1]))
        self.networks.append(event.network)
        self.begun.append(copied(event.network))


def copied(network: Any) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def run(trained: Any, name: str = "run", watched: Watched | None = None, **over: Any) -> Any:
    from unroll_dsl.train.tables import merged

    return trained(name, merged(SHORT, over), hooks=watched.hooks if watched else None)


@pytest.mark.slow
def test_untying_starts_where_the_tied_network_ended(trained: Any) -> None:
    watched = Watched()
    run(trained, watched=watched, train={"regime": "tied-then-untied", "rate": 0.05})
    assert [sorted(state)[0] for state in watched.begun] == ["W", "phases.0.W"]
    (tied,) = watched.before
    assert not torch.equal(tied["W"], watched.begun[0]["W"])  # it has been trained
    for name, value in watched.begun[1].items():
        assert torch.equal(value, tied[name.rpartition(".")[2]]), name


@pytest.mark.slow
def test_the_best_begins_anew_with_the_shape(trained: Any) -> None:
    """A stage of fewer phases, worse than the one before: its own best is what is kept."""
    watched = Watched()
    stage = [{"phases": 3, "rate": 0.01}, {"phases": 1, "rate": 1e-9}]
    found = run(trained, watched=watched, stage=stage, train={"steps": 10})
    best = [event.best for event in watched.validations]
    last_of_first, first_of_second = watched.validations[5], watched.validations[6]
    assert first_of_second.value > last_of_first.best and first_of_second.improved
    assert best[6] == first_of_second.value
    assert found.phases("best") == 1


@pytest.mark.slow
def test_the_best_is_kept_where_the_shape_stays(trained: Any) -> None:
    """The second stage spoils the network of the first: the best remains that of the first."""
    watched = Watched()
    stage = [{"rate": 0.01, "steps": 10}, {"rate": 3.0}]
    found = run(trained, watched=watched, stage=stage)
    values = [event.value for event in watched.validations]
    assert values[-1] > values[5]
    assert watched.validations[-1].best == min(values)
    assert not watched.validations[-1].improved
    assert found.phases("best") == 3
    best, last = (found.network(which).state_dict() for which in ("best", "last"))
    assert not torch.equal(best["phases.0.W"], last["phases.0.W"])


def test_rates_of_steps_are_those_of_the_schedule(trained: Any) -> None:
    watched = Watched()
    settings = {"schedule": "cosine", "warmup": 2, "optimizer": "sgd", "rate": 0.01}
    found = run(trained, watched=watched, train=settings)
    root = 2**0.5
    expected = [0.5 * 1, (1 + 1 / root) / 2, 0.5, (1 - 1 / root) / 2]
    assert [event.rate / 0.01 for event in watched.steps] == pytest.approx(expected)
    assert [row["rate"] for row in found.metrics()[1:]] == [event.rate for event in watched.steps]
    assert [event.step for event in watched.steps] == [1, 2, 3, 4]
    assert {event.total for event in watched.steps} == {4}


@pytest.mark.slow
def test_a_stage_has_its_own_rate_and_a_schedule_that_begins_anew(trained: Any) -> None:
    watched = Watched()
    stage = [{"rate": 0.02, "steps": 2}, {"steps": 4}]
    run(trained, watched=watched, stage=stage, train={"warmup": 2, "rate": 0.01})
    found = [event.rate for event in watched.steps]
    assert found == pytest.approx([0.01, 0.02, 0.005, 0.01, 0.01, 0.01])


@pytest.mark.parametrize("gradient", ["unroll", 1, "implicit"])
@pytest.mark.slow
def test_the_gradient_is_the_one_asked_for(trained: Any, gradient: Any) -> None:
    """A step of SGD follows it: what a network compiled with `gradient=` has for the same batch."""
    learn = {"W": "shared", "theta": "shared"}
    train = {"optimizer": "sgd", "rate": 0.01, "steps": 1, "gradient": gradient}
    spec = unroll_dsl.loads(CP.replace(" + 0.001 * sum over phases sumsq(found)", ""), "s.unroll")
    watched = Watched()
    done = trained("run", {**SHORT, "learn": learn, "train": train}, spec=spec, hooks=watched.hooks)
    setup = prepare(done.spec, done.config, Sparse(), None, done.bind())
    feed = setup.feed(Sparse(), torch.device("cpu"))
    arguments = feed.arguments(feed.draw(0, 0, 10), 0, 0)

    def moved(how: Any) -> Tensor:
        net: Any = done.spec.compile(
            bind=done.bind(), learn=learn, gradient=how, dtype=torch.float32
        )
        net.loss(*arguments).backward()
        found: Tensor = net.W.grad
        return found

    found = (watched.begun[0]["W"] - done.network("last").state_dict()["W"]) / 0.01
    torch.testing.assert_close(found, moved(gradient), rtol=1e-3, atol=1e-4)
    if gradient != "unroll":
        assert (found - moved("unroll")).norm() > 0.05 * found.norm()


def test_states_between_phases_alone_are_kept(
    trained: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch.utils.checkpoint as kept

    calls: list[Any] = []
    original = kept.checkpoint

    def counted(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments[0])
        return original(*arguments, **options)

    monkeypatch.setattr(kept, "checkpoint", counted)
    # a text of its own: a module that was made before keeps the function that it has imported
    spec = unroll_dsl.loads(CP.replace("algorithm small", "algorithm kept"), "kept.unroll")
    found = trained("kept", {**SHORT, "train": {"steps": 4, "checkpoint": "phase"}}, spec=spec)
    found = found.network("last").state_dict()
    assert len(calls) >= 4 * 2  # in each update, at least two phases
    calls.clear()
    plain = run(trained, "plain").network("last").state_dict()
    assert not calls
    for name, value in plain.items():
        torch.testing.assert_close(found[name], value)


def test_double_precision_is_that_of_weights_and_of_the_loss(trained: Any) -> None:
    watched = Watched()
    found = run(trained, watched=watched, train={"precision": "float64"})
    assert {v.dtype for v in watched.begun[0].values()} == {torch.float64}
    assert {v.dtype for v in found.network("last").state_dict().values()} == {torch.float64}
    loss = torch.tensor(watched.steps[0].loss, dtype=torch.float64)
    assert loss != loss.float().double()


@pytest.mark.slow
def test_seconds_go_on_with_the_run(trained: Any) -> None:
    def stop_after(count: int) -> Hooks:
        seen: list[StepDone] = []
        return Hooks(on_step=seen.append, stop=lambda: len(seen) >= count)

    trained("run", SHORT, hooks=stop_after(2))
    found = newest(trained.folder / "run")
    assert found is not None and 0 < found.seconds < 600
    save(trained.folder / "run", replace(found, seconds=5000.0))
    rows = trained.resume().metrics()
    assert [row["seconds"] > 5000 for row in rows] == [False, False, False, True, True]
    assert rows[-1]["seconds"] < 5600


def test_bf16_computes_in_bf16(trained: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Products do, in training and in validation; weights and what is reported do not."""
    from unroll_dsl.train import learner as updates
    from unroll_dsl.train import loop

    seen: dict[str, set[torch.dtype]] = {"loss": set(), "validate": set()}
    forward, validated = updates.SharedLoss.forward, loop.validate

    def product() -> torch.dtype:
        return (torch.ones(2, 2) @ torch.ones(2, 2)).dtype

    def watched(self: Any, *arguments: Tensor) -> Tensor:
        seen["loss"].add(product())
        return forward(self, *arguments)

    def watching(*arguments: Any) -> Any:
        seen["validate"].add(product())
        return validated(*arguments)

    monkeypatch.setattr(updates.SharedLoss, "forward", watched)
    monkeypatch.setattr(loop, "validate", watching)
    found = run(trained, train={"precision": "bf16"})
    assert seen == {"loss": {torch.bfloat16}, "validate": {torch.bfloat16}}
    assert {v.dtype for v in found.network("last").state_dict().values()} == {torch.float32}


@pytest.mark.slow
def test_roles_of_the_run_folder(trained: Any, tmp_path: Path) -> None:
    """A value that one stage learns is learned in the next, and written to learned.jsonl."""
    stage = [{}, {"learn": {"scale": "shared"}}, {}]
    found = run(trained, stage=stage)
    values = [set(line["values"]) for line in found.learned()]
    assert values[0] == {"theta"} and values[-1] == {"theta", "scale"}
    assert [line["stage"] for line in found.learned()] == [1, 1, 1, 2, 2, 3, 3]


def test_a_loss_without_a_target_is_its_own_metric(trained: Any, tmp_path: Path) -> None:
    """Signals alone are given; the network with the least loss is kept."""
    made = {
        "phases": 2,
        "data": {"samples": 40, "validate": 6},
        "dims": {"n": 20},
        "bind": {"A": {"make": "dictionary", "signals": 40, "rounds": 1}},
        "train": {"steps": 4, "batch": 8, "rate": 0.01},
        "validate": {"every": 2, "batch": 4},
    }
    found = unroll_dsl.train("step_lista", tmp_path / "r", made)
    rows = found.metrics()
    assert list(rows[0])[-2:] == ["val.loss", "grad_norm"]
    assert rows[-1]["val.loss"] < rows[0]["val.loss"]
    assert found.config.validate.metric == "loss"
    assert found.weights("best").name == "best.safetensors"
    with pytest.raises(TrainingError, match="names no target, so that `mse` has nothing to"):
        unroll_dsl.train("step_lista", tmp_path / "s", {**made, "validate": {"metric": "mse"}})


def test_the_loss_may_be_the_metric_of_any_run(trained: Any) -> None:
    watched = Watched()
    found = run(trained, watched=watched, validate={"metric": "loss"})
    assert "val.nmse_db" not in found.metrics()[0]
    values = [event.value for event in watched.validations]
    assert values == [row["val.loss"] for row in found.metrics() if row["val.loss"] is not None]
    assert watched.validations[-1].best == min(values)


@pytest.mark.slow
def test_a_stage_of_layers_with_nothing_of_its_own_is_passed_over(trained: Any) -> None:
    """The first layer is frozen: what trains it alone, or it with none after it, has nothing to do."""
    train = {"regime": "layerwise", "refine": [0.5]}
    watched = Watched()
    group = [{"match": "phases.0.*", "freeze": True}]
    found = run(trained, watched=watched, phases=2, train=train, group=group)
    log = (found.path / "log.txt").read_text()
    assert "stage 1, layer 1: nothing to train" in log
    assert "stage 2, layers 1-1 at 0.5: nothing to train" in log
    assert "stage 3 of 4, layer 2: 129 of 258 numbers trained, 4 updates at 0.01" in log
    assert [row["stage"] for row in found.metrics()[::4]] == [3, 3, 4]
    assert found.metrics()[-1]["step"] == 8
    first = watched.begun[0]["phases.0.W"]
    assert torch.equal(found.network("last").state_dict()["phases.0.W"], first)


def test_a_stage_of_ones_own_with_nothing_to_train_is_refused(trained: Any) -> None:
    group = [{"match": "W", "freeze": True}]
    stage = [{"name": "first"}, {"name": "alone", "train": ["W"]}]
    with pytest.raises(TrainingError, match=r"stage 2, `alone`, has nothing to train: all is fro"):
        run(trained, stage=stage, group=group)


def test_rows_have_the_mean_of_the_losses_since_the_last(trained: Any) -> None:
    watched = Watched()
    over = {"log": {"every": 3}, "train": {"steps": 7}, "validate": {"every": 100}}
    found = run(trained, watched=watched, **over)
    losses = [event.loss for event in watched.steps]
    first, *others = found.metrics()
    assert first["loss"] is None and first["rate"] is None
    assert [row["step"] for row in others] == [3, 6, 7]
    means = [sum(losses[:3]) / 3, sum(losses[3:6]) / 3, losses[6]]
    assert [row["loss"] for row in others] == pytest.approx(means)
    assert [row["grad_norm"] for row in others] == [watched.steps[i].grad_norm for i in (2, 5, 6)]


def test_without_validation_the_last_network_is_all_there_is(
    small: Any, A: Tensor, tmp_path: Path
) -> None:
    watched = Watched()
    found = unroll_dsl.train(
        small, tmp_path / "r", SHORT, bind={"A": A}, source=Sparse(), hooks=watched.hooks
    )
    assert not (found.path / "best.safetensors").exists()
    assert found.weights("best").name == "last.safetensors"
    assert "val.loss" not in found.metrics()[0]
    assert [(e.metric, e.value, e.best, e.improved) for e in watched.validations] == 3 * [
        (None, None, None, False)
    ]
