"""`new`, `list`, `explain` and `check --static`."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unroll_dsl.resources import algorithm_names

Unroll = Callable[..., Any]  # the fixture `unroll`


def test_new_writes_a_spec_that_checks(unroll: Unroll, tmp_path: Path) -> None:
    result = unroll("new", "mine")
    assert result.status == 0 and "unroll check mine.unroll" in result.err
    checked = unroll("check", "--static", "mine.unroll")
    assert (checked.status, checked.out, checked.err) == (0, "mine.unroll: no errors\n", "")
    assert "algorithm mine\n" in (tmp_path / "mine.unroll").read_text()


def test_new_from_an_algorithm(unroll: Unroll, tmp_path: Path) -> None:
    assert unroll("new", "mine", "--from", "lista").status == 0
    assert "\nalgorithm mine\n" in (tmp_path / "mine.unroll").read_text(encoding="utf-8")
    assert unroll("check", "--static", "mine.unroll").status == 0
    assert "did you mean `lista`" in unroll("new", "other", "--from", "lsta").err
    assert not (tmp_path / "other.unroll").exists()


def test_new_refuses(unroll: Unroll, tmp_path: Path) -> None:
    (tmp_path / "mine.unroll").write_text("precious")
    result = unroll("new", "mine.unroll")
    assert result.status == 2 and "mine.unroll exists" in result.err
    assert (tmp_path / "mine.unroll").read_text() == "precious"
    assert unroll("new", "mine", "--force").status == 0
    assert "`unroll new my_spec`" in unroll("new", "my-spec").err
    assert "no folder nowhere" in unroll("new", "nowhere/mine").err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.unroll"]


def test_list(unroll: Unroll) -> None:
    result = unroll("list")
    assert result.status == 0
    for name in algorithm_names():
        assert f"\n  {name} " in result.out
    entries = {entry["name"]: entry for entry in json.loads(unroll("list", "--json").out)}
    assert tuple(entries) == algorithm_names()
    assert entries["lista"]["title"].startswith("LISTA, learned iterative")
    assert entries["lista"]["learnable"] == ["We", "S", "theta"]
    assert entries["lista"]["fixed"] == ["Wd", "alpha", "L"]
    assert entries["lista"]["phases"] == 7


def test_explain(unroll: Unroll) -> None:
    result = unroll("explain", "U0301")
    assert result.status == 0
    assert result.out.startswith("U0301: operator applied to the wrong space\n\n")
    (entry,) = json.loads(unroll("explain", "U0301", "--json").out)
    assert entry["code"] == "U0301" and "Wrong:" in entry["page"]
    assert "U0301  operator applied to the wrong space\n" in unroll("explain", "--all").out


def test_explain_unknown(unroll: Unroll) -> None:
    result = unroll("explain", "U3001")
    assert result.status == 2
    assert result.err.startswith("error: unknown code `U3001`\nhelp: did you mean `U0")
    assert unroll("explain").status == 2
    assert unroll("explain", "U0301", "--write", "x").status == 2


def test_explain_writes_pages(unroll: Unroll, tmp_path: Path) -> None:
    folder = tmp_path / "docs" / "errors"
    folder.mkdir(parents=True)
    (folder / "U0999.md").write_text("of a code that is no more")
    assert unroll("explain", "--all", "--write", "docs/errors").status == 0
    assert (folder / "index.md").exists() and (folder / "U0301.md").exists()
    assert not (folder / "U0999.md").exists()


def test_check_static(unroll: Unroll, good: Path) -> None:
    result = unroll("check", "--static", good.name)
    assert (result.status, result.out, result.err) == (0, "halve.unroll: no errors\n", "")


def test_check_shows_diagnostics(unroll: Unroll, bad: Path) -> None:
    result = unroll("check", bad.name)
    assert result.status == 1 and result.out == ""
    assert result.err.startswith("error[U0301]: ") and " --> ista.unroll:9:23\n" in result.err
    assert result.err.endswith("\n\n1 error\n")


@pytest.mark.parametrize("option", [["--json"], ["--format", "json"], ["--format=json"]])
def test_check_json(option: list[str], unroll: Unroll, bad: Path, good: Path) -> None:
    result = unroll("check", "--static", bad.name, good.name, *option)
    assert result.status == 1 and result.err == ""
    found = json.loads(result.out)
    assert found["passed"] is False
    first, second = found["files"]
    assert (first["file"], first["passed"]) == ("ista.unroll", False)
    assert first["diagnostics"][0]["code"] == "U0301"
    assert first["diagnostics"][0]["labels"][0]["start"] == {"offset": 170, "line": 9, "column": 23}
    assert second == {"file": "halve.unroll", "diagnostics": [], "passed": True}


def test_check_refuses_options_without_effect(unroll: Unroll, good: Path) -> None:
    assert unroll("check", "--static", "--against", "ista", good.name).status == 2
    assert unroll("check", "--static", "--dims", "n=3", good.name).status == 2


@pytest.mark.parametrize("name", algorithm_names())
def test_every_algorithm_checks_without_a_word(name: str, unroll: Unroll) -> None:
    result = unroll("check", "--static", name)
    assert (result.status, result.out, result.err) == (0, f"{name}: no errors\n", "")


UNTIDY, TIDY = (
    "algorithm p\ninput y:vector[n]\noutput y\n",
    "algorithm p\ninput y : vector[n]\noutput y\n",
)


def test_fmt_writes_a_page_that_changes(unroll: Unroll, tmp_path: Path) -> None:
    page = tmp_path / "p.unroll"
    page.write_text(UNTIDY)
    assert unroll("fmt", "p.unroll").status == 0 and page.read_text() == TIDY
    again = unroll("fmt", "p.unroll")
    assert (again.status, again.out, again.err) == (0, "", "")


def test_fmt_that_looks_alone(unroll: Unroll, tmp_path: Path) -> None:
    page = tmp_path / "p.unroll"
    page.write_text(UNTIDY)
    assert unroll("fmt", "--check", "p.unroll").status == 1
    assert "+input y : vector[n]" in unroll("fmt", "--diff", "p.unroll").out
    assert page.read_text() == UNTIDY
    page.write_text(TIDY)
    assert unroll("fmt", "--check", "p.unroll").status == 0


def test_fmt_of_standard_input(
    unroll: Unroll, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(UNTIDY))
    assert unroll("fmt", "-").out == TIDY


def test_fmt_refuses(unroll: Unroll, tmp_path: Path) -> None:
    (tmp_path / "p.unroll").write_text("algorithm p\ndims m n\n")
    result = unroll("fmt", "p.unroll")
    assert result.status == 1 and "U0141" in result.err
    assert (tmp_path / "p.unroll").read_text() == "algorithm p\ndims m n\n"
    assert unroll("fmt").status == 2
