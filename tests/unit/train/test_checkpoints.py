"""Checkpoints are whole or refused, and a damaged one is stood in for by the one before."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from sparse_problem import same_weights

from unroll_dsl.train import BadCheckpoint
from unroll_dsl.train.checkpoint import LAST, PREVIOUS, Checkpoint, newest, read, save


def at(step: int) -> Checkpoint:
    weights = {"w": torch.full((3,), float(step))}
    return Checkpoint(step, 0, step, weights, {}, None, {"best": None}, {"metrics.csv": 5}, 1.5)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def test_what_is_saved_is_read(tmp_path: Path) -> None:
    save(tmp_path, at(1))
    save(tmp_path, at(2))
    found = newest(tmp_path)
    assert found is not None and found.step == 2 and found.sizes == {"metrics.csv": 5}
    assert torch.equal(found.network["w"], torch.full((3,), 2.0))
    assert read(tmp_path / PREVIOUS).step == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == [LAST, PREVIOUS]


@pytest.mark.parametrize("damage", [flip, truncate, empty])
def test_a_damaged_one_is_refused(tmp_path: Path, damage: Any) -> None:
    save(tmp_path, at(1))
    save(tmp_path, at(2))
    damage(tmp_path / LAST)
    with pytest.raises(BadCheckpoint, match=r"last\.ckpt"):
        read(tmp_path / LAST)
    with pytest.warns(UserWarning, match=r"going on from previous\.ckpt, step 1"):
        found = newest(tmp_path)
    assert found is not None and found.step == 1
    damage(tmp_path / PREVIOUS)
    with pytest.raises(BadCheckpoint, match=r"previous\.ckpt"):
        newest(tmp_path)


def test_killed_between_two_renames(tmp_path: Path) -> None:
    save(tmp_path, at(1))
    (tmp_path / LAST).rename(tmp_path / PREVIOUS)
    found = newest(tmp_path)
    assert found is not None and found.step == 1


def test_a_run_goes_on_from_the_one_before(trained: Any, tmp_path: Path) -> None:
    """Flip a byte of the last checkpoint of a finished run: its last updates are made again."""
    run = trained()
    whole = shutil.copy(run.path / "last.safetensors", tmp_path / "whole.safetensors")
    flip(run.path / LAST)
    with pytest.warns(UserWarning, match="going on from"):
        again = trained.resume()
    assert same_weights(again.path / "last.safetensors", whole)
