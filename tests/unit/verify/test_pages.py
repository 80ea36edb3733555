"""`check` of pages that are wrong, each in one way, and of right ones that look odd."""

from functools import cache
from pathlib import Path

import pytest

import unroll_dsl
from unroll_dsl.verify import Report, Row, Verdict, check

HERE = Path(__file__).parent

# page: what fails, and the words that point
WRONG = {
    "admm_constraint_lost": ("rests at the minimiser", "it violates a constraint"),
    "admm_multiplier_sign": ("comes to rest", "`z` grows"),
    "admm_threshold_without_penalty": ("rests at the minimiser, other constants", "rho = "),
    "douglas_rachford_threshold_without_gamma": (
        "rests at the minimiser, other constants",
        "gamma = ",
    ),
    "gradient_step_too_long": ("comes to rest", "`x` is made in line 15"),
    "ista_ascends": ("comes to rest", "`x` is made in line 15"),
    "ista_threshold_5_percent_low": ("rests at the minimiser", "`x` is made in line 15"),
    "nonneg_shifted": ("rests at the minimiser", "`x` is made in line 15"),
}
AGAINST_ISTA = {
    "ista_other_output": ("outputs", ""),
    "ista_square_lost": ("states at every phase", "`L` (line 8) is "),
    "lista_not_ista": ("states at every phase", "`L` (line 8) is "),
}


@cache
def report(folder: str, name: str, against: str | None = None) -> Report:
    classical = None if against is None else unroll_dsl.load(against)
    return check(unroll_dsl.load(HERE / folder / f"{name}.unroll"), against=classical)


def failed(report: Report) -> dict[str, Row]:
    return {row.name: row for row in report.rows if row.verdict is Verdict.FAILED}


@pytest.mark.parametrize("name", WRONG)
def test_wrong(name: str) -> None:
    row, words = WRONG[name]
    found = failed(report("wrong", name))
    assert row in found, found
    assert words in found[row].detail


@pytest.mark.parametrize("name", AGAINST_ISTA)
def test_wrong_against_ista(name: str) -> None:
    row, words = AGAINST_ISTA[name]
    found = failed(report("wrong", name, "ista"))
    assert row in found, found
    assert words in found[row].detail


def test_states_that_are_right_do_not_fail_with_the_outputs() -> None:
    assert "states at every phase" not in failed(report("wrong", "ista_other_output", "ista"))


@pytest.mark.parametrize("path", sorted((HERE / "right").iterdir()), ids=lambda path: path.stem)
def test_right(path: Path) -> None:
    found = report("right", path.stem)
    assert found.passed, failed(found)


@pytest.mark.parametrize(
    "name",
    [
        "admm_nonneg",
        "admm_over_relaxed",
        "admm_unscaled_dual",
        "gradient_step_1_9",
        "ista_half_steps",
    ],
)
def test_the_minimiser_of_a_right_page_is_decided(name: str) -> None:
    rows = [row for row in report("right", name).rows if row.name.startswith("rests at")]
    assert [row.verdict for row in rows] == [Verdict.PASSED] * 2


def test_a_step_that_is_declared_may_differ_from_the_classical_one() -> None:
    """LISTA's L is above the largest eigenvalue; ISTA's own L is the eigenvalue."""
    found = check(unroll_dsl.load("lista"), against=unroll_dsl.load("ista"))
    assert found.passed, failed(found)
