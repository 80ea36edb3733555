"""The scripts in examples/ run, and the page there checks without a warning."""

import runpy
from pathlib import Path

import pytest
import torch

from unroll_dsl.driver import check_path
from unroll_dsl.verify import check

FOLDER = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_runs(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        runpy.run_path(str(path), run_name="__main__")
    finally:
        torch.set_num_threads(threads)
    assert len(capsys.readouterr().out.splitlines()) >= 3


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.unroll")), ids=lambda path: path.stem)
def test_page(path: Path) -> None:
    import unroll_dsl

    assert check_path(path).diagnostics == ()
    report = check(unroll_dsl.load(path), dims={"m": 12, "n": 6})
    assert report.passed
