"""Experiments of images in small, on data made up in the layout of the real ones."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from PIL import Image

import unroll_dsl
from experiments.__main__ import main
from experiments.snapshots import watched
from experiments.training import configuration
from unroll_dsl.train.opening import filled
from unroll_dsl.train.regimes import stages
from unroll_dsl.weights.container import read_spec

HERE = Path(__file__).parents[2] / "experiments"
RNG = np.random.default_rng(0)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two training and one test image of 40 x 40, a sampling matrix; four chest images, a mask."""
    folder = tmp_path / "data"
    for place, count in (("images/Train400", 2), ("images/Set11", 1)):
        (folder / place).mkdir(parents=True)
        for i in range(count):
            levels = RNG.integers(0, 256, (40, 40), dtype=np.uint8)
            Image.fromarray(levels).save(folder / place / f"{i}.png")
    (folder / "ista_net/ratio25").mkdir(parents=True)
    rows = np.linalg.qr(RNG.standard_normal((1089, 272)))[0].T
    np.save(folder / "ista_net/ratio25/phi.npy", rows.astype(np.float32))
    (folder / "deep_admm_net").mkdir()
    chest = RNG.random((4, 16, 16)).astype(np.float32)
    np.savez(folder / "deep_admm_net/ChestTrain.npz", images=chest)
    scipy.io.savemat(
        folder / "deep_admm_net/Brain_data1.mat", {"Brain_data1": RNG.random((16, 16))}
    )
    mask = (RNG.random((16, 16)) < 0.4).astype(float)
    mask[8, 8] = 1
    scipy.io.savemat(folder / "deep_admm_net/mask_20.mat", {"mask_20": mask})
    return folder


@pytest.mark.parametrize("name", ["ista_net_plus", "admm_net"])
def test_configurations_fit_their_programs(name: str) -> None:
    spec = unroll_dsl.load(name)
    config = filled(
        spec, configuration(HERE / name / "training.toml", {"data": {"folder": "x"}}), {}
    )
    assert stages(config, spec, 100)[-1].phases == spec.graph.phases


@pytest.mark.parametrize("name", ["ista_net_plus", "admm_net"])
def test_without_data_they_say_what_is_missing(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([name, "--out", str(tmp_path / "out")]) == 0
    assert "--data DIR" in capsys.readouterr().err
    assert main([name, "--out", str(tmp_path / "out"), "--data", str(tmp_path)]) == 0
    told = capsys.readouterr().err
    assert told.startswith("skipped: there is no") and str(tmp_path) in told


@pytest.mark.slow
def test_ista_net_plus(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["ista_net_plus", "--quick", "--data", str(data), "--out", str(out)]) == 0
    assert {"results.json", "plot.png", "plot.svg"} <= set(os.listdir(out))
    found = json.loads((out / "results.json").read_text("utf-8"))
    assert [point["step"] for point in found["points"]] == [3, 6]
    assert [point["phases"] for point in found["points"]] == [1, 2]
    assert found["published"] == 32.57


@pytest.mark.slow
def test_admm_net(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["admm_net", "--quick", "--data", str(data), "--out", str(out)]) == 0
    found = json.loads((out / "results.json").read_text("utf-8"))
    first, *_, last = found["points"]
    assert last["nmse"] < first["nmse"]  # of the classical iteration
    assert found["classical"]["0"] > 0


def test_snapshots_are_those_of_the_validations(tmp_path: Path) -> None:
    spec = unroll_dsl.load("lista_cp")
    config = configuration(
        HERE / "sparse_recovery/lista_cp.toml",
        {"phases": 2, "dims": {"m": 8, "n": 16}, "data": {"validate": 20}},
        {"train": {"steps": 4, "batch": 4, "regime": "whole"}, "validate": {"every": 2}},
    )
    _, found = watched(spec, tmp_path, config)
    assert [snapshot.step for snapshot in found] == [0, 2, 4]
    assert all(read_spec(snapshot.weights)[1] == 2 for snapshot in found)
    assert found[0].seconds <= found[1].seconds <= found[2].seconds
