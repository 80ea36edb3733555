"""Every program in `bad/<topic>/` is checked; what is reported must equal the `.err` beside it.

To add a case, add a file `x.unroll` and run `pytest tests/conformance --update-goldens`.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from unroll_dsl.diagnostics import render_all
from unroll_dsl.diagnostics.catalogue import catalogue
from unroll_dsl.driver import check_path

BAD = Path(__file__).parent / "bad"
BINDINGS = Path(__file__).parent / "bad_bindings"  # see test_bad_bindings.py
DERIVATIONS = Path(__file__).parent / "bad_derivations"  # see test_bad_derivations.py
CASES = sorted(BAD.glob("*/*.unroll"))

# Codes that need a file that is not there (tests/cli) or one of a megabyte (below).
TESTED_ELSEWHERE = {"U0101", "U0103"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_messages(
    case: Path, golden: Callable[[Path, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(case.parent)
    diagnostics = check_path(Path(case.name)).diagnostics
    assert diagnostics, "nothing is reported"
    golden(case.with_suffix(".err"), render_all(diagnostics) + "\n")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_messages_are_for_people(case: Path) -> None:
    """Each has a place (where there is text) and words; none shows the parser's own names."""
    for diagnostic in check_path(case).diagnostics:
        words = [diagnostic.message(), diagnostic.help() or "", *diagnostic.notes()]
        words += [label.text for label in diagnostic.labels()]
        assert diagnostic.message() and "\n" not in diagnostic.message()
        assert not re.search(r"__|\b_?[A-Z]{3,}_[A-Z]+\b|Token\(|Tree\(|\bNone\b", " ".join(words))
        for label in diagnostic.labels():
            assert 0 <= label.span.start <= label.span.end <= len(label.span.file.text)


def test_every_code_has_a_case() -> None:
    shown = {
        code
        for golden in (*BAD.glob("*/*.err"), *BINDINGS.glob("*.err"), *DERIVATIONS.glob("*.err"))
        for code in re.findall(r"^(?:error|warning)\[(\w+)\]", golden.read_text("utf-8"), re.M)
    }
    missing = set(catalogue()) - shown - TESTED_ELSEWHERE
    assert not missing, f"no bad program shows {sorted(missing)}"


def test_there_are_enough_and_no_golden_is_left_over() -> None:
    assert len(CASES) >= 60
    assert {golden.with_suffix(".unroll") for golden in BAD.glob("*/*.err")} <= set(CASES)


@pytest.mark.parametrize(
    "line",
    [
        "x" * 10_000_000,
        "let a = " + "(" * 10_000_000,
        "let a = 1" + " + 1" * 2_500_000,
        "#" * 10**7,
    ],
    ids=["name", "brackets", "sum", "comment"],
)
def test_a_line_of_10_megabytes(line: str, tmp_path: Path) -> None:
    path = tmp_path / "long.unroll"
    path.write_text(f"algorithm long\n{line}\n", encoding="utf-8")
    diagnostics = check_path(path).diagnostics
    assert [diagnostic.code for diagnostic in diagnostics] == ["U0103"]
    assert len(render_all(diagnostics)) < 20_000
