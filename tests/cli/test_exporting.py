"""`unroll export`: a run, a network's file, a spec; whole or not at all."""

from pathlib import Path

import numpy as np
import pytest
import torch

import unroll_dsl
from tests.cli.conftest import Unroll
from tests.cli.test_evaluating import run as run  # the fixture of a run and a network's file

IT = ("--bind", "A=A.npy", "--phases", "2")
A = np.random.default_rng(1).standard_normal((4, 8))


def test_a_spec(unroll: Unroll, tmp_path: Path) -> None:
    np.save(tmp_path / "A.npy", A)
    result = unroll("export", "ista", "--pt2", "a.pt2", "--py", "folder", *IT)
    assert result.status == 0
    assert "wrote a.pt2: run with another batch" in result.err and "wrote folder" in result.err
    names = {path.name for path in (tmp_path / "folder").iterdir()}
    assert names == {"network.py", "load.py", "values.safetensors"}
    net = unroll_dsl.load("ista").compile(2, bind={"A": A}, dtype=torch.float32)
    y = torch.randn(3, 4)
    loaded = torch.export.load(tmp_path / "a.pt2").module()
    torch.testing.assert_close(loaded(y), net(y))
    again = unroll("export", "ista", "--pt2", "a.pt2", *IT)
    assert again.status == 2 and "a.pt2 exists" in again.err
    again = unroll("export", "ista", "--py", "folder", *IT)
    assert again.status == 2 and "folder exists" in again.err
    forced = unroll("export", "ista", "--py", "folder", *IT, "--force")
    assert forced.status == 0


def test_a_run_and_a_file(unroll: Unroll, run: Path, tmp_path: Path) -> None:
    result = unroll("export", str(run), "--pt2", "run.pt2")
    assert result.status == 0, result.err
    np.save(tmp_path / "A.npy", np.zeros((4, 8)) + A)
    result = unroll(
        "export", "net.safetensors", "--pt2", "n.pt2", "--bind", "A=A.npy", "--dtype", "float64"
    )
    assert result.status == 0, result.err
    y = torch.randn(2, 4, dtype=torch.float64)
    assert torch.export.load(tmp_path / "n.pt2").module()(y).dtype == torch.float64
    result = unroll("export", str(run), "--pt2", "more.pt2", "--phases", "3")
    assert result.status == 2 and "drop `--phases`" in result.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "no format given"),
        (("--aoti", "net.so"), "packages of AOTInductor end in .pt2"),
        (("--pt2", "nowhere/net.pt2"), "there is no folder nowhere"),
    ],
)
def test_refusals(unroll: Unroll, arguments: tuple[str, ...], words: str) -> None:
    result = unroll("export", "ista", *arguments)
    assert result.status == 2 and words in result.err


def test_sizes_that_are_missing(unroll: Unroll, tmp_path: Path) -> None:
    page = "algorithm p\ndims h, w\ninput y : image[1, h, w]\noutput 2 * y\n"
    (tmp_path / "p.unroll").write_text(page)
    result = unroll("export", "p.unroll", "--pt2", "p.pt2")
    assert result.status == 2 and "size h of input `y` is not known" in result.err
    assert not (tmp_path / "p.pt2").exists()
    assert unroll("export", "p.unroll", "--pt2", "p.pt2", "--dims", "h=4,w=5").status == 0
