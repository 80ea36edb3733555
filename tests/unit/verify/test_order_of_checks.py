"""`check` as a whole: its order, its sizes and phases, and what is said where a check cannot run."""

import math
from typing import Any

import pytest
import torch

import unroll_dsl
from tests.unit.verify.test_check_parts import PAGE, F, P, S, page
from unroll_dsl.backends.errors import SingularSystem, SizeUnknown
from unroll_dsl.verify import check, run
from unroll_dsl.verify.report import Report, Row


def test_checks_run_in_order_and_say_where_they_are() -> None:
    spec = page(loss="loss (truth : vector[n]):\n    sumsq(x - truth)\n")
    told: list[tuple[int, int, str]] = []
    found = check(
        spec, against=spec, seed=3, dims={"n": 4}, phases=2, progress=lambda *a: told.append(a)
    )
    names = [
        *("adjoints", "iterations", "torch against NumPy", "gradients", "values", "measured data"),
        *("p", "p", "objective", "minimiser"),
    ]
    assert told == [(i, len(names), name) for i, name in enumerate(names)]
    assert isinstance(found, Report) and found.phases == 2 and found.seed == 3
    assert found.sizes["n"] == 4 and found.program == "p" and found.fall is None
    assert len(check(spec, phases=1).rows) < len(found.rows)


@pytest.mark.parametrize(
    ("declared", "asked", "found"), [("3", None, 3), ("30", None, 10), ("30", 12, 12)]
)
def test_ten_phases_unless_others_are_asked_for(
    declared: str, asked: int | None, found: int
) -> None:
    spec = unroll_dsl.loads(
        PAGE.format(step="x + A' @ y", declared="", loss="").replace("(3)", f"({declared})")
    )
    assert check(spec, phases=asked).phases == found


def test_what_has_no_phases_or_outputs() -> None:
    spec = unroll_dsl.loads("algorithm p\ndims n\ninput y : vector[n]\noutput 2 * y\n")
    assert check(spec).phases is None
    problem = unroll_dsl.loads(
        "problem p\ndims n\ninput y : vector[n]\nminimize over x : vector[n]:\n    sumsq(x - y)\n"
    )
    (row,) = check(problem).rows
    assert (row.verdict, row.detail) == (S, "a problem has no iteration to run")


def raising(error: BaseException) -> Any:
    def step() -> list[Row]:
        raise error

    return step


def test_what_no_solver_can_do_is_skipped_and_said() -> None:
    (row,) = run._guarded(raising(torch.linalg.LinAlgError("singular")))
    assert (row.group, row.name, row.verdict) == ("program", "numerics", S)
    assert row.detail == "singular; other sizes? (--dims)"
    (row,) = run._guarded(raising(OverflowError()))
    assert (row.verdict, row.detail) == (F, "a number that the phases count with is out of range")
    rows = [Row("g", "a", P)]
    assert run._guarded(lambda: rows) is rows
    with pytest.raises(unroll_dsl.UnrollError):
        run._guarded(raising(unroll_dsl.UnrollError([_other])))
    (row,) = run._guarded(raising(unroll_dsl.UnrollError([_singular])))
    assert row.verdict is S
    assert row.detail == f"{_singular.message()}; other sizes? (--dims)"
    with pytest.raises(unroll_dsl.UnrollError):
        run._guarded(raising(unroll_dsl.UnrollError([_singular, _other])))


_singular, _other = SingularSystem(math.inf, None), SizeUnknown("n", "a size", None)


def test_a_row_is_told_once_and_threads_are_given_back() -> None:
    row = Row("g", "a", P)
    threads = torch.get_num_threads()
    seen: list[int] = []

    def step() -> list[Row]:
        seen.append(torch.get_num_threads())
        return [row]

    assert run._run([("a", step), ("b", step)], None) == (row,)
    assert seen == [1, 1] and torch.get_num_threads() == threads


def test_sizes_are_turned_where_a_system_is_singular() -> None:
    """A' A of A [m, n] is singular for m < n; the sizes that are drawn are 6 and 9."""
    text = "algorithm p\ndims {dims}\ninput y : vector[n]\nfixed A : matrix[m, n]\noutput solve(A' @ A, y)\n"
    spec = unroll_dsl.loads(text.format(dims="m, n"))
    assert check(spec).sizes == {"m": 9, "n": 6}
    assert check(unroll_dsl.loads(text.format(dims="n, m"))).sizes == {"n": 6, "m": 9}
    assert check(spec, dims={"m": 4}).sizes["m"] == 4
    assert any(row.verdict is S for row in check(spec, dims={"m": 3, "n": 5}).rows)


def test_the_fall_and_the_objective_are_in_the_report() -> None:
    text = (
        "algorithm p\ndims n\ninput y : vector[n]\nminimize over x:\n    1/2 * sumsq(x - y)\n"
        "state x : vector[n] = 0\nphase (4):\n    x <- x - 0.5 * (x - y)\noutput x\n"
    )
    found = check(unroll_dsl.loads(text), dims={"n": 3})
    assert found.fall is not None and len(found.objective) == 4
    assert found.fall.gaps[1] == pytest.approx(found.fall.gaps[0] / 4)
    bare = check(unroll_dsl.loads(text.replace("minimize over x:\n    1/2 * sumsq(x - y)\n", "")))
    assert bare.fall is None and bare.objective == ()
