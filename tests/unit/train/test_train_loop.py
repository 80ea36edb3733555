"""The loop: interruptions leave no trace, what goes wrong is said, what is promised is written."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from sparse_problem import CP, Sparse, same_weights, without_times

import unroll_dsl
from unroll_dsl.train import Diverged, Hooks, Run, StepDone, TrainingError, Validated


def stop_after(step: int) -> Hooks:
    seen = 0

    def on_step(event: StepDone) -> None:
        nonlocal seen
        seen = event.step

    return Hooks(on_step=on_step, stop=lambda: seen >= step)


@pytest.mark.parametrize(
    "over",
    [
        {},
        {"train": {"batch": 1}},
        {"validate": {"batch": 29}},
        pytest.param(
            {"phases": 2, "train": {"regime": "layerwise", "refine": [0.5], "steps": 10}},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"train": {"schedule": "cosine", "warmup": 5, "optimizer": "sgd", "momentum": 0.9}},
            marks=pytest.mark.slow,
        ),
        {"validate": {"patience": 2, "every": 5}, "train": {"rate": 1.0, "steps": 30}},
    ],
    ids=["whole", "single", "a last one", "layerwise", "momentum", "patience"],
)
def test_a_resumed_run_is_an_uninterrupted_one(trained: Any, over: dict[str, Any]) -> None:
    """Stopped at a step at which nothing else happens, twice, it ends in the same bits."""
    whole = trained("whole", over)
    trained("parts", over, hooks=stop_after(13))
    trained.resume("parts", stop_after(27))
    parts = trained.resume("parts")
    for name in ("best.safetensors", "last.safetensors"):
        assert same_weights(whole.path / name, parts.path / name)
    assert whole.learned() == parts.learned()
    assert without_times(whole) == without_times(parts)


def test_rows_after_the_last_checkpoint_are_made_again(trained: Any) -> None:
    """Of a run that was killed between a report and its checkpoint."""
    run = trained(hooks=stop_after(13))
    with (run.path / "metrics.csv").open("a") as stream:
        stream.write("14" + "," * (len(run.metrics()[0]) - 1) + "\n")
    with (run.path / "learned.jsonl").open("a") as stream:
        stream.write('{"step": 14')
    again = trained.resume()
    assert [row["step"] for row in again.metrics()] == [0, 5, 10, 15, 20]
    assert [line["step"] for line in again.learned()] == [0, 10, 20]


def test_a_run_that_has_finished_is_left_as_it_is(trained: Any) -> None:
    run = trained()
    before = {p.name: p.read_bytes() for p in run.path.iterdir() if p.name != "log.txt"}
    again = trained.resume()
    assert before == {p.name: p.read_bytes() for p in again.path.iterdir() if p.name != "log.txt"}


def test_the_folder(trained: Any, small: Any, A: torch.Tensor) -> None:
    run = trained()
    assert {p.name for p in run.path.iterdir()} == {
        "program.unroll",
        "run.toml",
        "environment.json",
        "bound.safetensors",
        "metrics.csv",
        "learned.jsonl",
        "last.ckpt",
        "previous.ckpt",
        "best.safetensors",
        "last.safetensors",
        "run.lock",
        "log.txt",
    }
    assert [row["step"] for row in run.metrics()] == [0, 5, 10, 15, 20]
    assert list(run.metrics()[0]) == [
        *("step", "stage", "phases", "seconds", "samples_per_s", "rate", "loss"),
        *("loss.sumsq(x - x_star)", "loss.0.001 * sum over phases sumsq(found)"),
        *("val.loss", "val.nmse_db", "grad_norm"),
    ]
    assert [line["step"] for line in run.learned()] == [0, 10, 20]
    assert len(run.learned()[-1]["values"]["theta"]) == 3
    assert torch.equal(run.bind()["A"], A)
    again = Run.open(run.path)
    assert again.spec.program.file.text == small.program.file.text
    assert again.config.phases == 3 and again.config.validate.metric == "nmse_db"


def test_terms_add_up_to_the_loss(trained: Any) -> None:
    row = trained().metrics()[-1]
    terms = [value for name, value in row.items() if name.startswith("loss.")]
    assert sum(terms) == pytest.approx(row["val.loss"], rel=1e-5)
    assert all(term > 0 for term in terms)


def test_the_best_network_is_the_best_of_the_metrics(trained: Any) -> None:
    """The kept network gives the best figure of metrics.csv again on the validation data."""
    run = trained(over={"train": {"rate": 0.3, "steps": 40}, "validate": {"every": 2}})
    values = [r["val.nmse_db"] for r in run.metrics() if r["val.nmse_db"] is not None]
    assert min(values) < values[-1]  # or there would be nothing to choose
    seen: list[Validated] = []
    trained.resume(hooks=Hooks(on_validation=seen.append))
    assert not seen
    from unroll_dsl.train.setup import prepare

    setup = prepare(run.spec, run.config, Sparse(), Sparse(30), run.bind())
    feed = setup.feed(Sparse(30), torch.device("cpu"))
    net = run.network("best")
    with torch.no_grad():
        found = setup.metric.over((net(y), x) for y, x in feed.everything(10))
    assert found == pytest.approx(min(values), abs=1e-6)


def test_early_stopping_ends_a_stage(trained: Any) -> None:
    over = {"train": {"rate": 0.5, "steps": 500}, "validate": {"every": 2, "patience": 3}}
    run = trained(over=over)
    rows = [row for row in run.metrics() if row["val.nmse_db"] is not None]
    values = [row["val.nmse_db"] for row in rows]
    assert rows[-1]["step"] < 500
    assert values.index(min(values)) == len(values) - 4


def test_a_loss_that_is_no_number_stops_the_run(trained: Any) -> None:
    """Names the step, the terms and the gradient; the last checkpoint is from before."""

    def poisoned(step: StepDone) -> None:
        if step.step == 12:
            weight = network[0].get_parameter("phases.1.W")
            with torch.no_grad():
                weight[0, 0] = math.inf

    network: list[Any] = []
    hooks = Hooks(on_step=poisoned, on_stage=lambda event: network.append(event.network))
    with pytest.raises(Diverged) as caught:
        trained(hooks=hooks)
    message = caught.value.message
    assert message.startswith("step 13 (stage 1, whole): the loss is ")
    assert "its terms: sumsq(x - x_star) = " in message
    assert "the largest entry of the gradient is nan, of `phases." in message
    assert "last.ckpt" in str(caught.value.mend)
    whole = trained("whole")
    again = trained.resume()
    name = "last.safetensors"
    assert same_weights(again.path / name, whole.path / name)


def test_a_program_without_a_loss_is_shown_one(trained: Any) -> None:
    with pytest.raises(TrainingError, match="`ista` has no `loss`") as caught:
        trained(spec=unroll_dsl.load("ista"))
    assert caught.value.mend == (
        "say at the end of ista.unroll what the output should be:\n\n"
        "    loss (x_star : vector[n]):\n        sumsq(x - x_star)"
    )


def test_an_input_that_nothing_gives_is_named(trained: Any) -> None:
    line = "measure   y     = A @ x_star + 0.01 * noise\n"
    spec = unroll_dsl.loads(CP.replace(line, ""), "small.unroll")
    with pytest.raises(
        TrainingError, match="nothing says what the input `y` of `small` is"
    ) as caught:
        trained(spec=spec)
    assert "measure y = A @ x_star" in str(caught.value.mend)


def test_a_pattern_that_matches_nothing_is_told_what_is_near(trained: Any) -> None:
    with pytest.raises(TrainingError, match=r"match = 'tetha' matches no parameter") as caught:
        trained(over={"group": [{"match": "tetha", "rate": 0.1}]})
    assert caught.value.mend == "did you mean `theta`?"
    with pytest.raises(TrainingError, match=r"train = 'phases\.7\.\*' matches no parameter"):
        trained(over={"stage": [{"train": ["phases.7.*"]}]})


def test_groups_freeze_and_have_rates_of_their_own(trained: Any) -> None:
    over = {
        "train": {"optimizer": "sgd", "steps": 1},
        "group": [{"match": "theta", "freeze": True}, {"match": "phases.0.*", "rate": 0.1}],
    }
    initial: list[dict[str, torch.Tensor]] = []
    gradients: list[dict[str, torch.Tensor]] = []

    def on_step(event: StepDone) -> None:
        net = networks[0]
        gradients.append(
            {n: p.grad.clone() for n, p in net.named_parameters() if p.grad is not None}
        )

    networks: list[Any] = []

    def on_stage(event: Any) -> None:
        networks.append(event.network)
        initial.append({k: v.clone() for k, v in event.network.state_dict().items()})

    run = trained(over=over, hooks=Hooks(on_step=on_step, on_stage=on_stage))
    final = run.network("last").state_dict()
    assert set(gradients[0]) == {f"phases.{k}.W" for k in range(3)}
    for k, rate in ((0, 0.1), (1, 0.01)):
        name = f"phases.{k}.W"
        expected = initial[0][name] - rate * gradients[0][name]
        torch.testing.assert_close(final[name], expected)
        assert torch.equal(final[f"phases.{k}.theta"], initial[0][f"phases.{k}.theta"])


def test_a_batch_in_parts_is_the_batch(trained: Any) -> None:
    whole, parts = (trained(str(n), {"train": {"accumulate": n}}) for n in (1, 5))
    for one, other in zip(without_times(whole), without_times(parts), strict=True):
        numbers = {k: v for k, v in one.items() if v is not None}
        assert numbers == pytest.approx({k: other[k] for k in numbers}, rel=1e-4)
    with pytest.raises(TrainingError, match="a batch of 10 cannot be shared out equally") as caught:
        trained("three", {"train": {"accumulate": 3}})
    assert caught.value.mend == "`train.batch = 12`"


@pytest.mark.parametrize(
    "train", [{"precision": "float64"}, {"precision": "bf16"}, {"checkpoint": "phase"}]
)
def test_precisions_and_checkpoints_of_phases(trained: Any, train: dict[str, Any]) -> None:
    """They change how it is computed, not what: about the same losses."""
    plain, other = trained("plain").metrics(), trained("other", {"train": train}).metrics()
    tolerance = 0.1 if train.get("precision") == "bf16" else 1e-3
    losses = [rows[-1]["val.loss"] for rows in (plain, other)]
    assert losses[0] == pytest.approx(losses[1], rel=tolerance)
    if "precision" in train:
        assert losses[0] != losses[1]  # it is another precision


def test_learnt_roles_are_in_the_file_of_the_network(trained: Any) -> None:
    run = trained(over={"learn": {"scale": "per phase"}})
    assert run.network("last").state_dict()["phases.2.scale"].shape == ()
    assert "learnable scale : scalar per phase" in run.program("last").program.file.text
    assert "scale" in run.learned()[-1]["values"]


@pytest.mark.slow
def test_a_diverged_run_goes_on_at_another_rate(trained: Any) -> None:
    over = {"train": {"optimizer": "sgd", "rate": 1e30, "steps": 20}}
    with pytest.raises(Diverged, match="step "):
        trained(over=over)
    config = trained.folder / "run" / "run.toml"
    config.write_text(config.read_text().replace("rate = 1e+30", "rate = 0.001", 1))
    with pytest.raises(
        TrainingError, match=r"run\.toml was edited: `train\.rate` is 0\.001, and was 1e\+30"
    ) as caught:
        trained.resume()
    assert caught.value.mend.endswith("--edited`")
    run = trained.resume(edited=True)
    assert (
        "goes on as run.toml says now: `train.rate` is 0.001" in (run.path / "log.txt").read_text()
    )
    assert run.config.train.rate == 0.001
    assert all(math.isfinite(row["val.loss"]) for row in run.metrics() if row["val.loss"])


def test_files_that_cannot_be_used_are_named(trained: Any) -> None:
    class Holed(Sparse):
        def problems(self) -> tuple[str, ...]:
            return ("images/7.png: cannot identify image file",)

    said: list[str] = []
    run = trained(source=Holed(), hooks=Hooks(say=said.append))
    assert "images/7.png: cannot identify image file" in said
    assert "images/7.png: cannot identify image file" in (run.path / "log.txt").read_text()


def test_a_folder_is_not_trained_in_twice(trained: Any) -> None:
    trained()
    with pytest.raises(TrainingError, match="holds a run already"):
        trained()


def test_what_is_no_run(trained: Any) -> None:
    with pytest.raises(TrainingError, match=r"is no folder of a run: it has no run\.toml"):
        Run.open(trained.folder)
    trained("run")
    from unroll_dsl.train import resume

    with pytest.raises(TrainingError, match="were given as an object"):
        resume(trained.folder / "run")


def test_events_for_tensorboard(trained: Any) -> None:
    pytest.importorskip("tensorboard")
    run = trained(over={"log": {"tensorboard": True}})
    assert list((run.path / "tensorboard").glob("events.*"))


def test_mixed_precision_measures_exactly(tmp_path: Path) -> None:
    run = unroll_dsl.train(
        "lista_cp",
        tmp_path / "run",
        {
            "phases": 1,
            "dims": {"m": 8, "n": 16},
            "data": {"validate": 8},
            "train": {"steps": 2, "batch": 4, "precision": "bf16"},
        },
    )
    assert [row["step"] for row in run.metrics()] == [0, 2]
