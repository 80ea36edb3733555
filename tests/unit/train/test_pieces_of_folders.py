"""A run folder piece by piece: columns, cells, lengths, what is bound, devices, what is opened, validation."""

import csv
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from sparse_problem import CP, Sparse
from torch import Tensor, nn

import unroll_dsl
from unroll_dsl.data.metrics import metric
from unroll_dsl.train import BadCheckpoint, TrainingError
from unroll_dsl.train.checkpoint import LAST, Checkpoint, read, save
from unroll_dsl.train.config import Training
from unroll_dsl.train.devices import devices, dtype
from unroll_dsl.train.edits import check_edits
from unroll_dsl.train.folder import CONFIG, LEARNED, METRICS, PROGRAM, Folder, columns, environment
from unroll_dsl.train.opening import filled, open_data, sizes_of
from unroll_dsl.train.run import Run
from unroll_dsl.train.setup import prepare
from unroll_dsl.train.tables import config
from unroll_dsl.train.task import Task, metric_named, task
from unroll_dsl.train.validation import validate

SPEC = unroll_dsl.loads(CP, "small.unroll")
A = torch.randn(8, 16, generator=torch.Generator().manual_seed(0))
HEAD = ["step", "stage", "phases", "seconds", "samples_per_s", "rate", "loss"]


@pytest.mark.parametrize(
    ("terms", "name", "found"),
    [
        ((), None, [*HEAD, "grad_norm"]),
        (("a", "b"), None, [*HEAD, "loss.a", "loss.b", "grad_norm"]),
        ((), "psnr", [*HEAD, "val.loss", "val.psnr", "grad_norm"]),
        (("a",), "loss", [*HEAD, "loss.a", "val.loss", "grad_norm"]),
    ],
)
def test_columns(terms: tuple[str, ...], name: str | None, found: list[str]) -> None:
    assert list(columns(terms, name)) == found


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "run", ("step", "a,b", "c"), {PROGRAM: "p", CONFIG: "c"})


def begun(folder: Folder) -> Folder:
    folder.path.mkdir()
    folder.begin(SPEC, {"A": A}, {"seed": 3})
    return folder


def test_a_folder_begins_with_what_never_changes(folder: Folder) -> None:
    begun(folder)
    assert (folder.path / PROGRAM).read_text() == "p" and (folder.path / CONFIG).read_text() == "c"
    facts = json.loads((folder.path / "environment.json").read_text())
    assert facts == {"program": "small.unroll", "seed": 3}
    assert (folder.path / METRICS).read_text() == 'step,"a,b",c\n'
    assert (folder.path / LEARNED).read_text() == ""
    with pytest.raises(TrainingError, match="holds a run already"):
        folder.begin(SPEC, {}, {})


def test_rows_have_all_digits_and_nothing_where_nothing_is_known(folder: Folder) -> None:
    begun(folder).row({"step": 3, "a,b": 1 / 3, "other": 5})
    rows = list(csv.reader((folder.path / METRICS).read_text().splitlines()))
    assert rows[1] == ["3", repr(1 / 3), ""]


def test_of_learned_values_tensors_are_written(folder: Folder) -> None:
    values = {"t": torch.tensor([1.0, 2.0]), "s": torch.tensor(0.5), "D": {"weight": torch.ones(2)}}
    begun(folder).learned(7, 2, values)
    line = json.loads((folder.path / LEARNED).read_text())
    assert line == {"step": 7, "stage": 2, "values": {"t": [1.0, 2.0], "s": 0.5}}


def test_files_that_grow_are_cut_back_to_what_is_known(folder: Folder) -> None:
    begun(folder).row({"step": 1})
    kept = folder.sizes()
    assert kept == {name: (folder.path / name).stat().st_size for name in (METRICS, LEARNED)}
    folder.row({"step": 2})
    folder.learned(2, 1, {})
    folder.cut(kept)
    assert folder.sizes() == kept
    assert (folder.path / METRICS).read_text().splitlines()[1:] == ["1,,"]
    folder.cut(folder.empty())
    assert (folder.path / METRICS).read_text() == 'step,"a,b",c\n'


def test_what_is_said_has_its_time(folder: Folder) -> None:
    begun(folder).say("a word")
    folder.say("another")
    first, second = (folder.path / "log.txt").read_text().splitlines()
    assert first.endswith("  a word") and second.endswith("  another")
    assert len(first) == len("2000-01-01 00:00:00  a word")


def test_where_a_run_runs() -> None:
    found = environment(torch.device("cpu"), 3)
    assert found["device"] == "cpu" and found["processes"] == 3
    assert found["threads"] == torch.get_num_threads() and found["torch"] == torch.__version__
    assert set(found) == {
        *("unroll_dsl", "python", "platform", "torch", "numpy", "accelerate", "safetensors"),
        *("device", "threads", "processes"),
    }


# ---- checkpoints ------------------------------------------------------------------------------------


def test_a_checkpoint_is_a_magic_word_a_digest_and_the_rest(tmp_path: Path) -> None:
    made = Checkpoint(
        1, 2, 3, {"w": torch.ones(2)}, {"o": 1}, {"s": 2}, {"c": 3}, {"f": 4}, 5.0, {}
    )
    save(tmp_path, made)
    data = (tmp_path / LAST).read_bytes()
    magic, digest, rest = data.split(b"\n", 2)
    assert magic == b"unroll checkpoint 1" and len(digest) == 64 and rest[:2] == b"PK"
    found = read(tmp_path / LAST)
    assert torch.equal(found.network["w"], torch.ones(2))
    for name in (
        "step",
        "stage",
        "stage_step",
        "optimizer",
        "scaler",
        "counters",
        "sizes",
        "seconds",
    ):
        assert getattr(found, name) == getattr(made, name)


@pytest.mark.parametrize("place", [0, 20, 84, 85, -1])
def test_any_byte_that_has_changed_is_seen(tmp_path: Path, place: int) -> None:
    save(tmp_path, Checkpoint(1, 0, 1, {}, {}, None, {}, {}, 0.0))
    data = bytearray((tmp_path / LAST).read_bytes())
    data[place] ^= 1
    (tmp_path / LAST).write_bytes(bytes(data))
    if place == 84:  # the end of the line of the digest
        read(tmp_path / LAST)
        return
    with pytest.raises(BadCheckpoint):
        read(tmp_path / LAST)


# ---- edits ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "told", "possible"),
    [
        ("", "", True),
        ("seed = 0", "", True),
        ("[train]\nrate = 0.5", "`train.rate` is 0.5, and was 0.0001", True),
        ("[data]\nsnr = 3", "`data.snr` is 3, and was left out", True),
        ("[validate]\nbatch = 5\nevery = 7", "`validate.every` is 7, and was 500; `val", True),
        ("phases = 3", "`phases` is 3, and was 0", False),
        ("[learn]\nt = 'shared'", "`learn.t` is 'shared', and was left out", False),
        ("[validate]\nmetric = 'mse'", "`validate.metric` is 'mse', and was ''", False),
        ("[train]\ncounts = [1]", "`train.counts` is (1,), and was ()", False),
        ("[[stage]]\nphases = 2", "[[stage]] is not what it was", False),
    ],
)
def test_edits_are_told_and_some_cannot_be_gone_on_with(
    now: str, told: str, possible: bool, tmp_path: Path
) -> None:
    began, after = ({PROGRAM: "a\n", CONFIG: text} for text in ("", now))
    if not told:
        assert check_edits(tmp_path, began, after, edited=False) == ""
        return
    with pytest.raises(TrainingError) as caught:
        check_edits(tmp_path, began, after, edited=False)
    assert told in caught.value.message
    if possible:
        assert told in check_edits(tmp_path, began, after, edited=True)
    else:
        with pytest.raises(TrainingError):
            check_edits(tmp_path, began, after, edited=True)


def test_what_is_left_out_now_is_told(tmp_path: Path) -> None:
    texts = ({PROGRAM: "", CONFIG: text} for text in ("[data]\nsnr = 3\n", ""))
    with pytest.raises(TrainingError, match=r"`data\.snr` is left out, and was 3"):
        check_edits(tmp_path, *texts, edited=False)
    assert check_edits(tmp_path, {}, {PROGRAM: "x", CONFIG: "phases = 3"}, edited=False) == ""


# ---- devices ----------------------------------------------------------------------------------------


def test_a_batch_is_shared_out_equally() -> None:
    for batch, accumulate in ((6, 1), (6, 3)):
        with devices(Training(batch=batch, accumulate=accumulate, device="cpu")) as found:
            assert found.device.type == "cpu"
    with pytest.raises(TrainingError, match="1 processes, each in 4 parts") as caught:
        devices(Training(batch=6, accumulate=4, device="cpu")).__enter__()
    assert caught.value.mend == "`train.batch = 8`"


@pytest.mark.parametrize(
    ("precision", "mixed", "of_weights"),
    [
        ("float32", "no", torch.float32),
        ("float64", "no", torch.float64),
        ("bf16", "bf16", torch.float32),
    ],
)
def test_precisions(precision: str, mixed: str, of_weights: torch.dtype) -> None:
    train = Training(batch=1, precision=precision, device="cpu")
    with devices(train) as found:
        assert found.mixed_precision == mixed
    assert dtype(train) == of_weights


def test_nothing_of_a_run_is_left_in_the_process() -> None:
    from accelerate.state import AcceleratorState, GradientState

    with devices(Training(batch=1, precision="bf16", device="cpu")) as found:
        assert AcceleratorState._shared_state and GradientState._shared_state
        found.prepare(nn.Linear(2, 2))
    assert not AcceleratorState._shared_state and not GradientState._shared_state
    assert not found._models


def test_half_precision_wants_a_gpu() -> None:
    with pytest.raises(TrainingError, match='precision = "fp16" needs a GPU'):
        devices(Training(batch=1, precision="fp16", device="cpu")).__enter__()


# ---- what is opened -----------------------------------------------------------------------------------


def test_what_is_left_out_the_program_chooses(tmp_path: Path) -> None:
    made = filled(SPEC, config({"base": str(tmp_path)}), {}, given=True)
    assert (made.phases, made.validate.metric, made.data) == (3, "nmse_db", {"kind": "given"})
    assert made.base == str(tmp_path)
    own = filled(SPEC, config({"phases": 7, "validate": {"metric": "mse"}}), {}, given=True)
    assert (own.phases, own.validate.metric) == (7, "mse")
    assert own.base == str(Path().resolve())


def test_what_is_given_goes_before_what_is_configured() -> None:
    made = config({"bind": {"scale": 3.0, "A": {"make": "gaussian"}}})
    opened = open_data(SPEC, made, {"A": A, "scale": 2.0}, Sparse(20), Sparse(10))
    assert opened.bind["scale"] == 2.0 and torch.equal(opened.bind["A"], A)
    assert opened.bind["A"] is not A
    assert opened.validation is not None and opened.validation.size == 10
    few = open_data(SPEC, config({"validate": {"samples": 4}}), {"A": A}, Sparse(20), Sparse(10))
    assert few.validation is not None and few.validation.size == 4 and few.source.size == 20


def test_sizes_follow_from_what_is_bound_and_from_the_data() -> None:
    assert sizes_of(SPEC, {"A": A}, {}) == {"m": 8, "n": 16}
    assert sizes_of(SPEC, {"other": A}, {"n": 4, "channels": 3}) == {"n": 4}


# ---- a run that is read -----------------------------------------------------------------------------


def test_what_is_no_run_or_had_not_begun_is_told(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="is no folder of a run") as caught:
        Run.open(tmp_path / "none")
    assert caught.value.mend is None
    (tmp_path / PROGRAM).write_text("x")
    with pytest.raises(TrainingError, match="had not begun") as caught:
        Run.open(tmp_path)
    assert caught.value.mend is not None


def made_run(path: Path, rows: str = "") -> Run:
    (path / METRICS).write_text("step,loss,val.mse,grad_norm\n" + rows)
    return Run(path, SPEC, config({}))


def test_metrics_are_numbers_or_nothing(tmp_path: Path) -> None:
    run = made_run(tmp_path, "0,,2.5,\n5,0.5,,1.0\n")
    assert run.metrics() == [
        {"step": 0.0, "loss": None, "val.mse": 2.5, "grad_norm": None},
        {"step": 5.0, "loss": 0.5, "val.mse": None, "grad_norm": 1.0},
    ]
    shown = run._repr_html_()
    assert "0.5" in shown and "2.5" not in shown.partition("<svg")[0]
    assert "has not been validated yet" in made_run(tmp_path)._repr_html_()


def test_without_a_best_network_the_last_is_the_best(tmp_path: Path) -> None:
    run = made_run(tmp_path)
    with pytest.raises(TrainingError, match="holds no network yet"):
        run.weights()
    (tmp_path / "last.safetensors").write_bytes(b"")
    assert run.weights("best").name == run.weights("last").name == "last.safetensors"
    (tmp_path / "best.safetensors").write_bytes(b"")
    assert run.weights("best").name == "best.safetensors"
    assert run.weights("last").name == "last.safetensors"


# ---- set-up and validation ----------------------------------------------------------------------------


def test_a_set_up_binds_what_its_program_reads() -> None:
    made = config({"phases": 2, "train": {"steps": 3, "regime": "curriculum"}})
    setup = prepare(SPEC, made, Sparse(), None, {"A": A, "scale": 2.0})
    assert setup.steps == 6 and [stage.phases for stage in setup.stages] == [1, 2]
    assert set(setup.constants(SPEC)) == {"A", "scale"}
    learnt = SPEC.with_roles({"scale": "shared"}, ())
    assert set(setup.constants(learnt)) == {"A"}
    net: Any = setup.network(learnt, setup.stages[1])
    assert net.scale.item() == 2.0 and len(net.phases) == 2  # its start is what was bound
    assert setup.terms == ("sumsq(x - x_star)", "0.001 * sum over phases sumsq(found)")


class Twice(nn.Module):
    """Gives its input and twice that; its loss is the sum of entries."""

    def forward(self, y: Tensor) -> tuple[Tensor, Tensor]:
        return y, 2 * y

    def loss(self, *arguments: Tensor) -> Tensor:
        return sum((a.sum() for a in arguments), torch.zeros(()))


def test_validation_compares_the_output_with_the_truth_of_the_task() -> None:
    y, z, x = torch.ones(2, 3), torch.full((2, 3), 5.0), torch.full((2, 3), 2.5)
    made = SimpleNamespace(
        task=Task(("y",), ("z", "x"), 1, "x", "mae"), everything=lambda batch: iter([(y, z, x)])
    )
    found = validate(Twice(), lambda *_: {}, made, metric("mae"), 2)  # type: ignore[arg-type]
    assert found == {"val.loss": 6 + 30 + 15, "val.mae": 0.5}
    alone = validate(Twice(), lambda *_: {}, made, metric_named("loss"), 2)  # type: ignore[arg-type]
    assert alone == {"val.loss": 51.0}


def test_the_first_target_of_the_type_of_an_output_is_the_truth() -> None:
    text = (
        "algorithm p\ndims m, n\ninput y : vector[m]\nlearnable W : matrix[n, m]\n"
        "let x = W @ y\noutput sum(x), x, y\nloss (u : vector[n], v : vector[m]):\n"
        "    sumsq(x - u) + sumsq(y - v)\n"
    )
    found = task(unroll_dsl.loads(text), ("y", "u", "v"), None, "mse")
    assert found == Task(("y",), ("u", "v"), 1, "u", "mse")
    with pytest.raises(TrainingError, match="no output of `p` is of the type of a target"):
        task(unroll_dsl.loads(text.replace("output sum(x), x, y", "output sum(x)")), "yuv", None)


def test_a_metric_by_its_name_or_the_loss() -> None:
    assert metric_named("psnr").name == "psnr"
    loss = metric_named("loss")
    assert loss.improves(1.0, 2.0) and not loss.improves(2.0, 1.0)
    with pytest.raises(Exception, match="the loss is no figure of outputs and truths"):
        loss.over([(torch.ones(1), torch.ones(1))])


def test_arrays_and_numbers_that_are_bound_are_whole() -> None:
    spec = unroll_dsl.loads(
        "algorithm p\ndims n\ninput y : vector[n]\nfixed w : vector[n]\noutput w * y\n"
    )
    assert sizes_of(spec, {"w": np.ones(5)}, {"n": 5}) == {"n": 5}
