"""Every problem by every method: derived, and green in `check`; or refused, in words.

What `check` leaves open of a derived page stands in algorithms/problems/checked.toml, with the reason. That list can only
become shorter: a page on it that is decided fails here as well.
"""

from __future__ import annotations

import pytest

import unroll_dsl
from unroll_dsl.derive import derive, method_names
from unroll_dsl.derive.deck import undecided
from unroll_dsl.derive.errors import MethodRefused
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.driver import check_source
from unroll_dsl.resources import problem_names
from unroll_dsl.source import SourceFile
from unroll_dsl.verify import Verdict, check

_CELLS = [(problem, method) for problem in problem_names() for method in method_names()]


@pytest.mark.slow
@pytest.mark.parametrize(("problem", "method"), _CELLS, ids=lambda word: word)
def test_the_table(problem: str, method: str) -> None:
    try:
        derived = derive(unroll_dsl.load(problem).typed, method)
    except UnrollError as error:
        (refused,) = error.diagnostics
        assert isinstance(refused, MethodRefused) and refused.reason
        assert method not in undecided().get(problem, {})
        return
    checked = check_source(SourceFile(f"{derived.program.name.text}.unroll", derived.text))
    assert not checked.diagnostics
    report = check(unroll_dsl.loads(derived.text))
    failed = [row for row in report.rows if row.verdict is Verdict.FAILED]
    assert not failed
    opened = [row for row in report.rows if row.verdict is Verdict.UNDECIDED]
    assert bool(opened) == (method in undecided().get(problem, {})), opened
    if not opened:
        rest = [row for row in report.rows if row.name.startswith("rests at the minimiser")]
        assert rest and all(row.verdict is Verdict.PASSED for row in rest)


def test_what_is_open_is_of_problems_and_methods_that_there_are() -> None:
    for problem, methods in undecided().items():
        assert problem in problem_names()
        assert set(methods) <= set(method_names()) and all(methods.values())
