"""`unroll train`: the command as a user calls it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import unroll_dsl
from unroll_dsl.train import Run

Unroll = Callable[..., Any]  # the fixtures `unroll` and `process`
ROOT = Path(unroll_dsl.__file__).resolve().parents[1]
TINY = (
    *("train", "alista", "--dims", "n=16,m=8", "--phases", "2", "--steps", "20", "--rate", "0.01"),
    *("--set", "validate.every=10", "--set", "data.samples=200", "--set", "data.validate=50"),
)


def test_trains_and_resumes(unroll: Unroll, tmp_path: Path) -> None:
    result = unroll(*TINY, "--out", "run")
    assert result.status == 0, result.err
    assert "step 20: loss " in result.err and "done: run" in result.err
    assert Run.open(tmp_path / "run").metrics()[-1]["step"] == 20
    again = unroll("train", "--resume", "run")
    assert again.status == 0 and "done: run" in again.err
    assert "holds a run already" in unroll(*TINY, "--out", "run").err


def test_show_prints_a_configuration_that_is_read_again(unroll: Unroll, tmp_path: Path) -> None:
    first = unroll(*TINY, "--set", "train.regime=layerwise", "--show")
    assert first.status == 0 and "6 stages, 120 updates" in first.err
    (tmp_path / "all.toml").write_text(first.out)
    assert unroll("train", "alista", "--config", "all.toml", "--show").out == first.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train",), "what is to be trained?"),
        (("train", "alista"), "no folder for the run"),
        (("train", "ista", "--out", "run"), "`ista` has no `loss`"),
        (("train", "alista", "--out", "run", "--set", "train.rte=1"), "did you mean `rate`?"),
        (("train", "alista", "--out", "run", "--config", "none.toml"), "none.toml: No such file"),
        (("train", "alista", "--out", "run", "--data", "none"), "none"),
        (("train", "--resume", "none"), "is no folder of a run"),
        (("train", "alista", "--resume", "none"), "a run goes on as it began"),
        (("train", "alista", "--out", "r", "--edited"), "--edited is about a run that goes on"),
        (("train", "alista", "--out", "r", "--set", "data.kind=imges"), "images"),
    ],
)
def test_wrong_calls(unroll: Unroll, arguments: tuple[str, ...], message: str) -> None:
    result = unroll(*arguments)
    assert result.status == 2
    assert message in result.err


def test_one_image_is_data(unroll: Unroll, tmp_path: Path) -> None:
    levels = np.random.default_rng(0).integers(0, 256, (16, 16), dtype=np.uint8)
    Image.fromarray(levels).save(tmp_path / "photo.png")
    done = unroll(
        *("train", "ista_net", "--data", "photo.png", "--out", "run", "--dims", "h=8,w=8"),
        *("--phases", "1", "--steps", "1", "--batch", "2"),
    )
    assert done.status == 0, done.err


def test_data_and_bound_values_from_files(unroll: Unroll, tmp_path: Path) -> None:
    import numpy as np

    rng = np.random.default_rng(0)
    np.savez(tmp_path / "pairs.npz", x_star=rng.standard_normal((40, 16)).astype(np.float32))
    np.save(tmp_path / "A.npy", rng.standard_normal((8, 16)))
    result = unroll(
        *("train", "alista", "--data", "pairs.npz", "--bind", "A=A.npy", "--out", "run"),
        *("--steps", "3", "--batch", "4"),
    )
    assert result.status == 0, result.err
    bound = Run.open(tmp_path / "run").bind()["A"]
    assert np.allclose(bound, np.load(tmp_path / "A.npy"))


@pytest.mark.slow
def test_two_processes_are_one(process: Unroll, tmp_path: Path) -> None:
    """The same global batch: losses and norms of gradients are equal to rounding."""
    given = (*TINY, "--set", "log.every=5")
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    command += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]
    done = subprocess.run(
        [*command, "-m", "unroll_dsl", *given, "--out", "two"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert process(*given, "--out", "one").status == 0
    one, two = (Run.open(tmp_path / name) for name in ("one", "two"))
    assert two.environment()["processes"] == 2
    for name in ("loss", "val.loss", "val.nmse_db", "grad_norm"):
        first, second = ([row[name] for row in run.metrics()] for run in (one, two))
        assert [x is None for x in first] == [x is None for x in second]
        assert [x for x in first if x is not None] == pytest.approx(
            [x for x in second if x is not None], rel=1e-4
        )


@pytest.mark.slow
def test_a_signal_saves_and_ends_the_run(tmp_path: Path) -> None:
    """SIGTERM, as schedulers send it: the run stops after an update and can go on."""
    command = [sys.executable, "-m", "unroll_dsl", *TINY, "--steps", "100000", "--out", "run"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    ) as started:
        assert started.stderr is not None
        for line in started.stderr:
            if line.startswith("step 20"):
                started.terminate()
                break
        rest = started.stderr.read()
        assert started.wait(60) == 130
    assert "go on with `unroll train --resume run`" in rest
    assert (tmp_path / "run" / "last.ckpt").exists()
