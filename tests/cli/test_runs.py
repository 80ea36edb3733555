"""`report`, `eval` and `compare`: what they say when they are called wrongly."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Unroll = Callable[..., Any]


@pytest.mark.parametrize("command", ["report", "eval", "compare"])
def test_a_folder_that_is_no_run_is_a_usage_error(
    unroll: Unroll, tmp_path: Path, command: str
) -> None:
    result = unroll(command, str(tmp_path))
    assert result.status == 2
    assert "is no folder of a run" in result.err


def test_an_unknown_metric_names_a_near_one(unroll: Unroll, tmp_path: Path) -> None:
    result = unroll("eval", str(tmp_path), "--metric", "psrn")
    assert result.status == 2 and "did you mean `psnr`?" in result.err


def test_a_plot_of_another_kind_is_refused_before_any_work(unroll: Unroll, tmp_path: Path) -> None:
    result = unroll("compare", str(tmp_path), "--out", "plot.docx")
    assert result.status == 2 and ".svg, .png, .pdf" in result.err


def test_a_file_that_is_no_network_says_so(unroll: Unroll, tmp_path: Path) -> None:
    (tmp_path / "net.safetensors").write_bytes(b"nothing")
    result = unroll("eval", "net.safetensors")
    assert result.status == 2 and "not a .safetensors file" in result.err
