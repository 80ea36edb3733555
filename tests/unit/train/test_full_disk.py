"""A full disk is reported with the file and the space, and what was written before is whole."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sparse_problem import same_weights

from unroll_dsl.train import DiskFull
from unroll_dsl.train.checkpoint import newest
from unroll_dsl.train.files import append, write_whole


@pytest.fixture
def little_space(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no `mount`")
    if done.returncode:
        pytest.skip(f"a tmpfs cannot be mounted here: {done.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_file_is_whole_or_as_before(little_space: Path) -> None:
    path = little_space / "a"
    write_whole(path, b"first")
    with pytest.raises(
        DiskFull, match=r"/a cannot be written: No space left.*MiB are free"
    ) as caught:
        write_whole(path, bytes(10**6))
    assert caught.value.mend is not None and "--resume" in caught.value.mend
    assert path.read_bytes() == b"first"
    assert os.listdir(little_space) == ["a"]


@pytest.mark.slow
def test_a_run_on_a_full_disk_keeps_its_last_checkpoint(trained: Any, little_space: Path) -> None:
    from dataclasses import replace

    from unroll_dsl.train import Hooks, StepDone

    def fill(event: StepDone) -> None:
        if event.step == 15:
            with pytest.raises(OSError):
                append(little_space / "filler", "x" * 10**6)

    runner = replace(trained, folder=little_space)
    with pytest.raises(DiskFull, match="No space left"):
        runner("run", hooks=Hooks(on_step=fill))
    found = newest(little_space / "run")
    assert found is not None and found.step == 10
    (little_space / "filler").unlink()
    again = runner.resume("run")
    whole = trained("other")
    assert same_weights(again.path / "last.safetensors", whole.path / "last.safetensors")


def test_what_the_system_refuses_is_said(tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match=r"none/a cannot be written: No such file"):
        write_whole(tmp_path / "none" / "a", b"")
