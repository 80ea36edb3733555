"""`compile`: the emitted module, the dumps of the stages, the files it writes and refuses to."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.cli.files import write_file

Unroll = Callable[..., Any]  # the fixture `unroll`


def test_writes_the_module(unroll: Unroll, tmp_path: Path) -> None:
    result = unroll("compile", "lista", "--phases", "7", "-o", "lista.py")
    assert (result.status, result.out, result.err) == (0, "", "wrote lista.py\n")
    text = (tmp_path / "lista.py").read_text(encoding="utf-8")
    assert text == unroll_dsl.load("lista").source(phases=7)
    assert unroll("compile", "lista", "--phases", "7").out == text
    ast.parse(text)


def test_styles_and_levels(unroll: Unroll) -> None:
    spec = unroll_dsl.load("lista")
    assert unroll("compile", "lista", "--style", "readable").out == spec.source(style="readable")
    assert unroll("compile", "lista", "--style", "fast").out == spec.source()
    assert unroll("compile", "lista", "--optimize", "0").out == spec.source(optimize=0)
    assert "first.begin(" in spec.source() and "begin" not in spec.source(style="readable")
    assert unroll("compile", "lista", "--optimize", "3").status == 2
    result = unroll("compile", "lista", "--style", "quick")
    assert (result.status, result.err) == (
        2,
        "error: no style `quick`\nhelp: give one of readable, fast\n",
    )
    result = unroll("compile", "lista", "--emit", "ir", "--style", "readable")
    assert (result.status, result.err) == (
        2,
        "error: `--emit ir` has one form\nhelp: drop `--style` and `--optimize`\n",
    )


def test_roles(unroll: Unroll) -> None:
    expected = unroll_dsl.load("lista").source(learn={"alpha": "per phase"}, fix=["S"])
    call = ("compile", "lista", "--learn", "alpha=per-phase", "--fix", "S")
    assert unroll(*call).out == expected
    assert unroll("compile", "lista", "--learn", "alpha=sometimes").status == 2
    assert unroll("compile", "lista", "--learn", "alhpa").status == 1


def test_files_are_not_written_over(unroll: Unroll, tmp_path: Path) -> None:
    (tmp_path / "lista.py").write_text("precious")
    result = unroll("compile", "lista", "-o", "lista.py")
    assert result.status == 2
    assert result.err == "error: lista.py exists\nhelp: `--force` writes over it\n"
    assert (tmp_path / "lista.py").read_text() == "precious"
    assert unroll("compile", "lista", "-o", "lista.py", "--force").status == 0
    assert unroll("compile", "lista", "-o", "nowhere/lista.py").status == 2
    assert unroll("compile", "lista", "-o", ".").status == 2


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("before")

    def half(temporary: Path) -> None:
        temporary.write_text("ha")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_file(path, half, force=True)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    path, link = tmp_path / "x.txt", tmp_path / "link.txt"
    path.write_text("before")
    link.symlink_to(path)
    write_file(link, lambda temporary: temporary.write_text("after"), force=True)
    assert link.is_symlink()
    assert path.read_text() == "after"


def test_weights(unroll: Unroll, tmp_path: Path) -> None:
    wd = np.random.default_rng(0).standard_normal((5, 8))
    np.save(tmp_path / "Wd.npy", wd)
    call = ("compile", "lista", "-o", "l.py", "--bind", "Wd=Wd.npy", "--weights", "w.pt")
    result = unroll(*call, "--phases", "3")
    assert (result.status, result.err) == (0, "wrote w.pt\nwrote l.py\n")
    weights = torch.load(tmp_path / "w.pt", weights_only=True)
    expected = unroll_dsl.load("lista").compile(phases=3, bind={"Wd": wd}).state_dict()
    assert weights.keys() == expected.keys()
    assert all(torch.equal(weights[name], expected[name]) for name in expected)


def test_bound_values_are_checked(unroll: Unroll, tmp_path: Path) -> None:
    np.save(tmp_path / "Wd.npy", np.zeros(3))
    result = unroll("compile", "lista", "-o", "l.py", "--bind", "Wd=Wd.npy")
    assert result.status == 1
    assert "error[U0503]" in result.err
    assert not (tmp_path / "l.py").exists()
    assert unroll("compile", "lista", "--bind", "Wd=Wd.npy", "--bind", "Wd=1").status == 2
    assert unroll("compile", "lista", "--bind", "Wd").status == 2
    assert "W.npy: there is no such file" in unroll("compile", "lista", "--bind", "Wd=W.npy").err


@pytest.mark.parametrize(
    ("stage", "line"),
    [
        ("tokens", " 2:1  NAME    dims"),
        ("tree", "    - Dims @2:1"),
        ("types", " 4:8  y / 2  : vector[n]"),
        ("ir", "input y : vector[n] ; halve.unroll:3"),
        ("ir:dead", "input y : vector[n] ; halve.unroll:3"),
        ("torch", "import torch"),
    ],
)
def test_every_stage_is_shown(stage: str, line: str, unroll: Unroll, good: Path) -> None:
    result = unroll("compile", good.name, "--emit", stage)
    assert (result.status, result.err) == (0, "")
    assert line in result.out.splitlines()


def test_what_the_reference_computes(unroll: Unroll) -> None:
    result = unroll("compile", "ista", "--emit", "numpy", "--phases", "2")
    assert [line for line in result.out.splitlines() if line.startswith("phase")] == [
        "phase 1",
        "phase 2",
    ]


def test_early_stages_of_a_wrong_program(unroll: Unroll, bad: Path) -> None:
    assert unroll("compile", bad.name, "--emit", "tokens").status == 0
    assert unroll("compile", bad.name, "--emit", "tree").status == 0
    for stage in ("types", "ir", "torch"):
        result = unroll("compile", bad.name, "--emit", stage)
        assert result.status == 1
        assert "error[U0301]" in result.err


def test_unknown_stages(unroll: Unroll) -> None:
    result = unroll("compile", "lista", "--emit", "ir:dad")
    assert result.status == 2
    assert result.err.endswith("help: did you mean `ir:dead`?\n")
    assert "did you mean `types`" in unroll("compile", "lista", "--emit", "typs").err
    assert unroll("compile", "lista", "--emit", "ir", "--bind", "Wd=1").status == 2
