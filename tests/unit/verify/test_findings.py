"""How findings are counted, written and judged."""

import math

import pytest

from unroll_dsl.verify.report import Fall, Report, Row, Verdict, judged, report_text


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (0.0, Verdict.PASSED),
        (1e-3, Verdict.PASSED),
        (1.0001e-3, Verdict.FAILED),
        (math.inf, Verdict.FAILED),
        (math.nan, Verdict.FAILED),
    ],
)
def test_a_row_passes_up_to_its_tolerance(value: float, verdict: Verdict) -> None:
    row = judged("group", "name", value, 1e-3, "words")
    assert (row.group, row.name, row.verdict) == ("group", "name", verdict)
    assert row.value is value and (row.tolerance, row.detail) == (1e-3, "words")


def report(*verdicts: Verdict, phases: int | None = 3, objective: int = 0) -> Report:
    rows = tuple(Row("g", f"row {i}", verdict) for i, verdict in enumerate(verdicts))
    values = tuple(float(i) for i in range(objective))
    return Report("p", 7, {"m": 4, "n": 5}, phases, rows, values)


P, F, S, U, N = (
    *(Verdict.PASSED, Verdict.FAILED, Verdict.SKIPPED),
    *(Verdict.UNDECIDED, Verdict.NOTE),
)


@pytest.mark.parametrize(
    ("verdicts", "closing", "passed"),
    [
        ((), "nothing was checked", True),
        ((N, S), "nothing was checked, 1 skipped", True),
        ((P,), "1 check passed", True),
        ((P, P, N), "all 2 checks passed", True),
        ((P, P, U, U, S), "all 2 checks passed, 2 not decided, 1 skipped", True),
        ((P, U), "1 check passed, 1 not decided", True),
        ((F,), "1 of 1 checks FAILED", False),
        ((P, F, P, F, S, U, N), "2 of 4 checks FAILED, 1 not decided, 1 skipped", False),
    ],
)
def test_what_is_counted(verdicts: tuple[Verdict, ...], closing: str, passed: bool) -> None:
    found = report(*verdicts)
    assert report_text(found).splitlines()[-1] == closing
    assert found.passed is passed and found.to_json()["passed"] is passed


def test_heading_figures_and_columns() -> None:
    rows = (
        Row("one", "a", P, 0.5, 1e-3, "words"),
        Row("one", "longer", U, 2.0),
        Row("two", "b", N, detail="else"),
    )
    found = Report("p", 7, {"m": 4}, 1, rows, (1.0, 2.5))
    assert str(found).splitlines() == [
        "p on a random instance (1 phase, m = 4, seed 7)",
        "",
        "one",
        "  ok           a       5.00e-01 (at most 1e-03)   words",
        "  not decided  longer  2.00e+00",
        "",
        "two",
        "  note         b                                  else",
        "",
        "objective along the phases",
        "  1  2.5",
        "",
        "1 check passed, 1 not decided",
    ]
    assert (
        str(report(P)).splitlines()[0] == "p on a random instance (3 phases, m = 4, n = 5, seed 7)"
    )
    assert (
        str(report(P, phases=None)).splitlines()[0]
        == "p on a random instance (m = 4, n = 5, seed 7)"
    )
    assert (
        str(report(P)).splitlines()[3] == "  ok       row 0"
    )  # as wide as `skipped`, whatever there is


@pytest.mark.parametrize(
    ("count", "line"),
    [(8, "  0  1  2  3  4  5  6  7"), (9, "  0  1  2  3  4  5  ...  8"), (1, "  0")],
)
def test_many_values_are_the_first_and_the_last(count: int, line: str) -> None:
    assert str(report(P, objective=count)).splitlines()[-3] == line


def test_as_data() -> None:
    fall = Fall((1, 2), (0.5, 0.25), 1e-9, "falls", (1.0, 0.5))
    found = Report("p", 7, {"m": 4}, None, (Row("g", "n", F, 1.0, 0.5, "d"),), (3.0,), fall)
    assert found.to_json() == {
        "program": "p",
        "passed": False,
        "seed": 7,
        "sizes": {"m": 4},
        "phases": None,
        "checks": [
            {
                "group": "g",
                "name": "n",
                "verdict": "failed",
                "value": 1.0,
                "tolerance": 0.5,
                "detail": "d",
            }
        ],
        "objective": [3.0],
        "fall": {
            "phases": [1, 2],
            "gaps": [0.5, 0.25],
            "floor": 1e-9,
            "words": "falls",
            "bounds": [1.0, 0.5],
        },
    }
    assert report(P).to_json()["fall"] is None
    bare = Fall((1,), (0.5,), 0.0, "", None).to_json()
    assert bare["bounds"] is None


def test_as_a_table_of_html() -> None:
    html = report(P, F)._repr_html_()
    assert html.index("row 0") < html.index("row 1")
    assert "1 of 2 checks FAILED" in html and "p on a random instance" in html
    assert html.count(">g<") == 1
