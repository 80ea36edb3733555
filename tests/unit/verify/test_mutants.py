"""A few pages mutated by machine; `python -m tests.mutation_pages` does so with all."""

from pathlib import Path

import pytest

import unroll_dsl
from tests.mutation_pages.__main__ import main
from tests.mutation_pages.measure import Effect, fault, measured
from tests.mutation_pages.mutants import KINDS, mutants
from unroll_dsl.verify.report import Row, Verdict

WRONG = Path(__file__).parent / "wrong"


@pytest.mark.parametrize("name", ["gradient_descent", "ista"])
def test_what_moves_the_fixed_point_is_caught(name: str) -> None:
    spec = unroll_dsl.load(name)
    made = mutants(spec, 1)
    assert {mutant.kind for mutant in made} >= {*KINDS} - {"stale"}
    outcomes = [measured(spec, mutant) for mutant in made]
    assert sum(o.effect is Effect.FIXED_POINT for o in outcomes) >= 3
    escaped = [
        (o.mutant.before, o.mutant.after)
        for o in outcomes
        if (o.effect is Effect.FIXED_POINT and not o.alone)
        or (o.effect is not Effect.NOTHING and not o.against)
    ]
    assert escaped == []


def test_a_page_is_no_mutant_of_itself() -> None:
    spec = unroll_dsl.load("fista")
    texts = {mutant.spec.program.file.text for mutant in mutants(spec, 3)}
    assert len(texts) >= 12
    assert spec.program.file.text not in texts


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("ista", ""),
        ("reconnet", ""),
        (WRONG / "ista_threshold_5_percent_low.unroll", "rests at the minimiser"),
        (WRONG / "gradient_step_too_long.unroll", "comes to rest"),
    ],
)
def test_what_fails_of_a_page_as_it_is(name: str | Path, told: str) -> None:
    found = fault(unroll_dsl.load(name))
    assert found.startswith(told) and bool(found) == bool(told)


def test_a_page_that_fails_as_it_is_is_not_counted(capsys: pytest.CaptureFixture[str]) -> None:
    main([str(WRONG / "ista_threshold_5_percent_low.unroll"), "gradient_descent", "--per-kind=1"])
    page, other, all_, *kinds = capsys.readouterr().out.splitlines()
    assert page.split()[1:3] == ["not", "counted,"] and "rests at the minimiser" in page
    assert len(kinds) == len(KINDS)
    counted = [line.split("mutants")[0].split()[-1] for line in (other, all_)]
    assert counted[0] == counted[1] != "0"


def test_a_page_that_fails_against_itself_is_not_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = Row("against", "outputs, other constants", Verdict.FAILED, detail="differ")
    monkeypatch.setattr("tests.mutation_pages.measure.check_other_constants", lambda *_: [row])
    main(["gradient_descent", "--per-kind=1"])
    page, all_, *_ = capsys.readouterr().out.splitlines()
    assert page.endswith("it fails as it is: outputs, other constants differ")
    assert " 0 mutants" in all_
