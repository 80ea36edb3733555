"""`family`: the table, JSON, pages in a folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import unroll_dsl

Unroll = Callable[..., Any]  # the fixture `unroll`


def test_a_table_of_one_method(unroll: Unroll) -> None:
    result = unroll("family", "lasso", "--method", "ista", "--method", "gradient")
    assert (result.status, result.err) == (0, "")
    lines = result.out.splitlines()
    step = next(line for line in lines if line.startswith("ista      step "))
    assert step.split("  ")[-1] == "as ista" and " 1 line  x       mu " in step
    assert "ista      momentum       no: it has no momentum `m * (x - prev(x))`" in lines
    assert "gradient  -              no: the l1 norm has no gradient everywhere (13:39)" in lines
    assert lines[-1] == "1 of 2 methods derived; networks that differ: 8"


def test_json(unroll: Unroll) -> None:
    found = json.loads(unroll("family", "lasso", "--method", "ista", "--json").out)
    rows = {row["network"]: row for row in found["members"]}
    assert found["name"] == "lasso"
    lista = rows["lista"]
    assert lista["derived"] and lista["published"] and lista["start"] == "exact"
    assert lista["entries"] == {"per_phase": "n", "shared": "m n + n^2"}
    assert lista["learnables"][2] == {"name": "theta", "type": "vector[n]", "per_phase": True}
    assert lista["phases"] == 7 and "--phases 7" in lista["command"]
    refused = rows["momentum"]
    assert not refused["derived"] and refused["place"]["file"] == "lasso_ista.unroll"


def test_pages_in_a_folder(unroll: Unroll, tmp_path: Path) -> None:
    result = unroll("family", "lasso", "--method", "admm", "--derived", "--out", "pages")
    assert result.err == "wrote 6 pages into pages\n" and " no: " not in result.out
    pages = sorted((tmp_path / "pages").iterdir())
    assert len(pages) == 6 and not (tmp_path / "pages" / "lasso_admm_learn.unroll").exists()
    for page in pages:
        assert unroll_dsl.load(page).name == page.stem
    again = unroll("family", "lasso", "--method", "admm", "--out", "pages")
    assert again.status == 2 and "`--force` writes over it" in again.err


def test_what_is_wrong_is_said(unroll: Unroll, tmp_path: Path) -> None:
    result = unroll("family", "lasso", "--method", "admn")
    assert result.status == 2 and "did you mean `admm`?" in result.err
    result = unroll("family", "baseline_tanh")
    assert result.status == 1 and "U0601" in result.err
    (tmp_path / "taken").write_text("")
    result = unroll("family", "lasso", "--method", "ista", "--out", "taken")
    assert result.status == 2 and "give the name of a folder" in result.err
