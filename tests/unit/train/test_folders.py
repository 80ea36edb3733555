"""A run folder is worked in by one process, and a run whose program or settings were edited is not gone on with."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sparse_problem import CP, Sparse

import unroll_dsl
from unroll_dsl.train import Hooks, Run, StepDone, TrainingError, resume
from unroll_dsl.train.bound import kept, read_bound, write_bound
from unroll_dsl.train.checkpoint import newest, save
from unroll_dsl.train.edits import check_edits
from unroll_dsl.train.folder import CONFIG, PROGRAM
from unroll_dsl.train.lock import locked

ROOT = Path(unroll_dsl.__file__).resolve().parents[1]

SETTINGS = {
    "dims": {"m": 6, "n": 12},
    "data": {"samples": 50, "validate": 5},
    "train": {"steps": 20, "batch": 5},
    "log": {"every": 5},
    "validate": {"every": 5},
}

HOLD = """
import sys, time
from pathlib import Path
from unroll_dsl.train.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def stopped(trained: Any) -> Path:
    """A run that was stopped after 5 updates."""
    seen: list[StepDone] = []
    trained(hooks=Hooks(on_step=seen.append, stop=lambda: len(seen) >= 5))
    path: Path = trained.folder / "run"
    return path


def test_a_folder_is_held_by_one(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "run"
    with locked(folder):
        with pytest.raises(TrainingError, match=r"another process trains in .*run") as caught:
            locked(folder).__enter__()
        assert caught.value.mend == "wait until it has ended, or give another folder"
    with locked(folder):
        pass


def test_a_killed_process_leaves_no_lock_behind(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process, process.stdout:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(TrainingError, match="another process trains"):
            locked(tmp_path).__enter__()
        process.kill()
        process.wait()
    with locked(tmp_path):
        pass


@pytest.mark.slow
def test_what_is_being_trained_is_not_trained_by_another(tmp_path: Path) -> None:
    """While a run goes on, its folder can be read, and neither begun nor gone on with."""
    refused: list[str] = []

    def on_step(event: StepDone) -> None:
        if event.step == 11:
            assert len(Run.open(folder).metrics()) == 3
            other = [sys.executable, "-m", "unroll_dsl", "train", "--resume", str(folder)]
            done = subprocess.run(other, capture_output=True, text=True, check=False, timeout=120)
            assert done.returncode == 2
            refused.append(done.stderr)
            with pytest.raises(TrainingError, match="holds a run already"):
                unroll_dsl.train("lista_cp", folder, SETTINGS)

    folder = tmp_path / "run"
    unroll_dsl.train("lista_cp", folder, SETTINGS, hooks=Hooks(on_step=on_step))
    assert "another process trains in" in refused[0]
    assert resume(folder).metrics()[-1]["step"] == 20  # it is free again


def test_a_program_that_was_edited_is_refused(trained: Any) -> None:
    folder = stopped(trained)
    (folder / PROGRAM).write_text(CP.replace("0.1 / L", "0.3 / L"))
    expected = (
        rf"{PROGRAM} is no longer what the run trains: line 9 is "
        r"`learnable theta : scalar >= 0 per phase = 0\.3 / L`, "
        r"and was `learnable theta : scalar >= 0 per phase = 0\.1 / L`"
    )
    for edited in (False, True):
        with pytest.raises(TrainingError, match=expected):
            trained.resume(edited=edited)
    (folder / PROGRAM).write_text(CP)
    assert trained.resume().metrics()[-1]["step"] == 20


@pytest.mark.parametrize(
    ("old", "new", "told", "possible"),
    [
        ("rate = 0.01 ", "rate = 0.02 ", "`train.rate` is 0.02, and was 0.01", True),
        ("steps = 20 ", "steps = 15 ", "`train.steps` is 15, and was 20", True),
        ("phases = 3 ", "phases = 4 ", "`phases` is 4, and was 3", False),
        ('optimizer = "adam"', 'optimizer = "sgd"', "`train.optimizer` is 'sgd'", False),
        ("[learn]", "[learn]\nscale = 'shared'", "`learn.scale` is 'shared', and was left", False),
        ("[train]", "[[group]]\nmatch = 'W'\n\n[train]", "[[group]] is not what it was", False),
    ],
)
@pytest.mark.slow
def test_settings_that_were_edited_are_named(
    trained: Any, old: str, new: str, told: str, possible: bool
) -> None:
    folder = stopped(trained)
    text = (folder / CONFIG).read_text()
    assert old in text
    (folder / CONFIG).write_text(text.replace(old, new, 1))
    with pytest.raises(TrainingError) as caught:
        trained.resume()
    assert f"{CONFIG} was edited: " in caught.value.message and told in caught.value.message
    assert ("--edited" in str(caught.value.mend)) == possible
    if not possible:
        with pytest.raises(TrainingError, match="a run cannot go on with another"):
            trained.resume(edited=True)


@pytest.mark.slow
def test_comments_and_order_are_no_edit(trained: Any) -> None:
    folder = stopped(trained)
    lines = (folder / CONFIG).read_text().splitlines()
    plain = [line.partition("#")[0].rstrip() for line in lines]
    (folder / CONFIG).write_text("\n".join(["# mine", *plain, ""]))
    assert trained.resume().metrics()[-1]["step"] == 20


@pytest.mark.slow
def test_what_was_edited_on_purpose_is_what_the_run_is_from_then_on(trained: Any) -> None:
    folder = stopped(trained)
    text = (folder / CONFIG).read_text()
    (folder / CONFIG).write_text(text.replace("rate = 0.01 ", "rate = 0.02 ", 1))
    run = trained.resume(edited=True)
    assert [row["rate"] for row in run.metrics()[-2:]] == [0.02, 0.02]
    found = newest(folder)
    assert found is not None and "rate = 0.02 " in found.texts[CONFIG]
    trained.resume()  # finished, and nothing has been edited since


@pytest.mark.slow
def test_a_checkpoint_without_texts_is_gone_on_with(trained: Any) -> None:
    """As versions before wrote them."""
    folder = stopped(trained)
    found = newest(folder)
    assert found is not None and found.texts[PROGRAM] == CP
    save(folder, replace(found, texts={}))
    assert trained.resume().metrics()[-1]["step"] == 20


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ("a\nb\n", "line 3 is the end, and was `c`"),
        ("a\nb\nc\nd\n", "line 4 is `d`, and was the end"),
        ("a\nx\nc\n", "line 2 is `x`, and was `b`"),
        ("", "line 1 is the end, and was `a`"),
    ],
)
def test_the_first_line_that_differs_is_told(now: str, told: str, tmp_path: Path) -> None:
    texts = [{PROGRAM: text, CONFIG: ""} for text in ("a\nb\nc\n", now)]
    with pytest.raises(TrainingError) as caught:
        check_edits(tmp_path, *texts, edited=False)
    assert caught.value.message.endswith(f"is no longer what the run trains: {told}")


def test_what_is_bound_is_kept_as_copies_without_a_graph(tmp_path: Path) -> None:
    """A parameter, a transposed matrix, an array, numbers: as they are read again."""
    weight = torch.ones(2, 3, requires_grad=True)
    bind = {"W": weight, "T": weight.detach().mT, "A": np.eye(2), "a": 2, "z": 1j, "f": len}
    bind |= {"C": torch.complex(weight.detach(), 2 * weight.detach()).to(torch.complex128)}
    write_bound(tmp_path / "bound", bind)
    read, found = read_bound(tmp_path / "bound"), {k: kept(v) for k, v in bind.items()}
    assert found.pop("f") is len
    assert set(read) == set(found) == {"W", "T", "A", "a", "z", "C"}
    for name, value in found.items():
        other = read[name]
        if not isinstance(value, torch.Tensor):
            assert other == value == bind[name]
            continue
        assert isinstance(other, torch.Tensor) and torch.equal(other, value)
        assert not value.requires_grad and value.is_contiguous()
        assert value.dtype == other.dtype and value.data_ptr() % 16 == 0
    assert found["W"].data_ptr() != weight.data_ptr()


def test_nothing_bound_is_kept_as_well(tmp_path: Path) -> None:
    write_bound(tmp_path / "bound", {})
    assert read_bound(tmp_path / "bound") == {}


@pytest.mark.slow
def test_what_was_edited_is_not_meant_unless_it_is_said(trained: Any) -> None:
    folder = stopped(trained)
    text = (folder / CONFIG).read_text()
    (folder / CONFIG).write_text(text.replace("rate = 0.01 ", "rate = 0.02 ", 1))
    with pytest.raises(TrainingError, match=r"run\.toml was edited: `train\.rate` is 0\.02"):
        resume(folder, source=Sparse(), validation=Sparse(30))
