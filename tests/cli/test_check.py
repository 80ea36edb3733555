"""`check` with numbers, and its table."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import unroll_dsl.verify
from unroll_dsl.verify import Report, Row, Verdict
from unroll_dsl.verify.report import report_text

Unroll = Callable[..., Any]  # the fixture `unroll`

ROWS = (
    Row("adjoints", "A", Verdict.PASSED, 3.1e-17, 1e-12),
    Row("adjoints", "W", Verdict.FAILED, 0.25, 1e-12, "vector[n] -> vector[m]"),
    Row("objective", "falls", Verdict.NOTE, None, None, "in every phase"),
    Row("objective", "minimiser", Verdict.SKIPPED, None, None, "it has learnables"),
)


def test_table() -> None:
    report = Report("ista", 3, {"m": 6, "n": 9}, 20, ROWS, tuple(1 / k for k in range(1, 21)))
    assert report_text(report) == (
        "ista on a random instance (20 phases, m = 6, n = 9, seed 3)\n"
        "\n"
        "adjoints\n"
        "  ok       A          3.10e-17 (at most 1e-12)\n"
        "  FAILED   W          2.50e-01 (at most 1e-12)   vector[n] -> vector[m]\n"
        "\n"
        "objective\n"
        "  note     falls                                 in every phase\n"
        "  skipped  minimiser                             it has learnables\n"
        "\n"
        "objective along the phases\n"
        "  1  0.5  0.333333  0.25  0.2  0.166667  ...  0.05\n"
        "\n"
        "1 of 2 checks FAILED, 1 skipped"
    )
    assert report_text(Report("a", 0, {}, None, ROWS[:1])).endswith("\n1 check passed")
    assert report_text(Report("a", 0, {}, None, ())).endswith("\nnothing was checked")


def test_a_program_that_is_right(unroll: Unroll, good: Path) -> None:
    result = unroll("check", good.name)
    assert (result.status, result.err) == (0, "")
    assert result.out.startswith("halve.unroll: no errors\nhalve on a random instance (n = ")
    assert " checks passed" in result.out.splitlines()[-1]


def test_json_and_sizes(unroll: Unroll) -> None:
    result = unroll("check", "ista", "--json", "--dims", "m=4,n=3", "--phases", "2", "--seed", "5")
    assert result.status == 0
    (found,) = json.loads(result.out)["files"]
    assert found["passed"] is True
    assert found["report"]["sizes"] == {"m": 4, "n": 3}
    assert (found["report"]["phases"], found["report"]["seed"]) == (2, 5)
    assert unroll("check", "ista", "--dims", "p=4").status == 2


def test_against(unroll: Unroll) -> None:
    result = unroll("check", "ista", "--against", "ista", "--phases", "3")
    assert result.status == 0
    assert "\nagainst ista\n" in result.out
    assert unroll("check", "ista", "--against", "itsa").status == 1


def test_a_failed_check_is_an_error(
    unroll: Unroll, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = Report("halve", 0, {"n": 3}, None, ROWS)
    monkeypatch.setattr(unroll_dsl.verify, "check", lambda *_, **__: report)
    assert unroll("check", good.name).status == 1
    assert json.loads(unroll("check", good.name, "--json").out)["passed"] is False


def test_the_fall_is_drawn(unroll: Unroll, tmp_path: Path) -> None:
    out = tmp_path / "fall.svg"
    result = unroll("check", "gradient_descent", "--out", str(out))
    assert result.status == 0
    assert "<svg" in out.read_text(encoding="utf-8")
    assert "the plot is" in result.err + result.out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["ista", "--out", "fall.txt"], "plots are .svg, .png, .pdf"),
        (["ista", "fista", "--out", "fall.svg"], "`--out` is for one file"),
        (["ista", "--static", "--out", "fall.svg"], "are for the numerical part"),
    ],
)
def test_what_cannot_be_drawn(unroll: Unroll, words: list[str], why: str) -> None:
    result = unroll("check", *words)
    assert result.status == 2
    assert why in result.err
