"""Pairs from files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from scipy.io import savemat

import unroll_dsl
from unroll_dsl.data import DataError, open_source
from unroll_dsl.train.opening import open_data
from unroll_dsl.train.setup import prepare
from unroll_dsl.train.tables import config

LISTA_CP = unroll_dsl.load("lista_cp")
RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((20, 9)), RNG.standard_normal((20, 5))


def write(path: Path, **arrays: Any) -> None:
    match path.suffix:
        case ".npz":
            np.savez(path, **arrays)
        case ".mat":
            savemat(path, arrays)
        case _:
            save_file(arrays, path)


@pytest.mark.parametrize("name", ["p.npz", "p.mat", "p.safetensors"])
def test_inputs_and_targets_come_by_name(name: str, tmp_path: Path) -> None:
    write(tmp_path / name, x_star=X, y=Y)
    source, held_out = open_source({"file": name, "validate": 0}, LISTA_CP, base=tmp_path)
    assert held_out is None
    assert source.sizes == {"m": 5, "n": 9}
    found = source.draw([3, 0], np.random.default_rng(0))
    np.testing.assert_array_equal(found["x_star"].numpy(), X[[3, 0]].astype(np.float32))
    np.testing.assert_array_equal(found["y"].numpy(), Y[[3, 0]].astype(np.float32))


@pytest.mark.parametrize("stored", ["float64", ">f8", "int64", "float32", "float16", "bool"])
def test_double_precision_loses_nothing_of_a_file(stored: str, tmp_path: Path) -> None:
    rows = (np.arange(18).reshape(2, 9) / (3 if "f" in stored else 1)).astype(stored)
    write(tmp_path / "p.npz", x_star=rows, y=rows[:, :5])
    table = {"file": "p.npz", "validate": 0}
    source, _ = open_source(table, LISTA_CP, base=tmp_path, dtype=torch.float64)
    drawn = source.draw([1, 0], np.random.default_rng(0))["x_star"]
    assert drawn.dtype == torch.float64
    np.testing.assert_array_equal(drawn.numpy(), rows[[1, 0]].astype(np.float64))


def test_a_run_in_double_precision_rounds_nothing(tmp_path: Path) -> None:
    write(tmp_path / "p.npz", x_star=X, y=Y)
    table = {"precision": "float64", "steps": 1, "batch": 4}
    made = config({"data": {"file": str(tmp_path / "p.npz"), "validate": 0}, "train": table})
    data = open_data(LISTA_CP, made, {"A": RNG.standard_normal((5, 9))})
    setup = prepare(LISTA_CP, data.config, data.source, None, data.bind)
    feed = setup.feed(data.source, torch.device("cpu"))
    y, x = (torch.cat(parts) for parts in zip(*feed.everything(7), strict=True))
    np.testing.assert_array_equal(x.numpy(), X)
    np.testing.assert_array_equal(y.numpy(), Y)


def test_other_names_are_told(tmp_path: Path) -> None:
    write(tmp_path / "p.npz", truth=X)
    table = {"file": "p.npz", "names": {"x_star": "truth"}}
    source, _ = open_source(table, LISTA_CP, base=tmp_path, measured=("y",))
    assert source.names == ("x_star",)


def test_a_measured_input_is_taken_where_the_file_has_it(tmp_path: Path) -> None:
    write(tmp_path / "p.npz", x_star=X, y=Y)
    source, _ = open_source({"file": "p.npz"}, LISTA_CP, base=tmp_path, measured=("y",))
    assert set(source.names) == {"x_star", "y"}


def test_a_fraction_is_held_out_with_its_pairs(tmp_path: Path) -> None:
    write(tmp_path / "p.npz", x_star=X, y=X[:, :5])
    training, held_out = open_source({"file": "p.npz", "validate": 0.25}, LISTA_CP, base=tmp_path)
    assert held_out is not None
    assert (training.size, held_out.size) == (15, 5)
    pairs = [s.draw(range(s.size), np.random.default_rng(0)) for s in (training, held_out)]
    assert all(torch.equal(pair["x_star"][:, :5], pair["y"]) for pair in pairs)
    both = torch.cat([pair["x_star"] for pair in pairs])
    assert len(torch.unique(both, dim=0)) == 20


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": X, "y": Y}, r"p\.npz holds no `x_star`, which `lista_cp` needs; it holds `x`, `y`"),
        ({"x_star": X, "y": Y[:4]}, "different numbers of samples: `x_star` 20, `y` 4"),
        (
            {"x_star": X, "y": Y * 1j},
            r"`y` in .*p\.npz is complex; `y` of `lista_cp` is vector\[m\]",
        ),
        ({"x_star": np.full((3, 9), np.nan), "y": Y}, "`x_star` in .*: sample 0 has values"),
        ({"x_star": X[:, None], "y": Y}, r"`x_star` of `lista_cp` is vector\[n\]; .* are 1 x 9"),
    ],
)
def test_files_that_do_not_fit(arrays: dict[str, Any], message: str, tmp_path: Path) -> None:
    write(tmp_path / "p.npz", **arrays)
    with pytest.raises(DataError, match=message):
        open_source({"file": "p.npz"}, LISTA_CP, base=tmp_path)


def test_names_that_the_program_lacks(tmp_path: Path) -> None:
    table = {"file": "p.npz", "names": {"x_sta": "x"}}
    with pytest.raises(DataError, match=r"\[data.names\]: `lista_cp` takes no `x_sta`.*`x_star`"):
        open_source(table, LISTA_CP, base=tmp_path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"\[data\] file: .*p\.npz: there is no such file"):
        open_source({"file": "p.npz"}, LISTA_CP, base=tmp_path)
