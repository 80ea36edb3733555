"""Sizes that no memory holds: told as what they are, before torch is there and after."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl.verify
from unroll_dsl.cli.main import main

HUGE = """\
algorithm a
dims n = 1000000000000
input y : vector[n]
state x : vector[n] = 0
phase (2):
    x <- 0.5*x + y
output x
"""


def test_huge_sizes_are_told_before_anything_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "huge.unroll"
    path.write_text(HUGE)
    assert main(["check", "--static", str(path)]) == 0
    assert main(["check", str(path)]) == 2
    said = capsys.readouterr().err
    assert "`y` is vector[n] of 8 terabytes: there is not enough memory" in said
    assert "--dims n=100" in said
    assert main(["check", str(path), "--dims", "n=4"]) == 0


def test_torch_is_not_even_loaded(tmp_path: Path) -> None:
    path = tmp_path / "huge.unroll"
    path.write_text(HUGE)
    code = (
        "import sys; from unroll_dsl.cli.main import main; "
        f"main(['check', {str(path)!r}]); sys.exit('torch' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    assert found.returncode == 0


@pytest.mark.parametrize(
    "ask",
    [
        lambda: np.empty(10**15),
        lambda: torch.empty(10**15),
        lambda: (_ for _ in ()).throw(MemoryError),
    ],
    ids=["numpy", "torch", "python"],
)
def test_memory_that_runs_out_is_no_fault_of_the_compiler(
    ask: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(*arguments: Any, **options: Any) -> Any:
        result = ask()
        return next(result) if hasattr(result, "__next__") else result

    monkeypatch.setattr(unroll_dsl.verify, "check", check)
    assert main(["check", "ista"]) == 2
    said = capsys.readouterr().err
    assert "there is not enough memory" in said
    assert "a fault of" not in said
