"""Splittings `z = K @ x` with multipliers: ADMM whose unknown is a system's solution, linearised ADMM, read off pages."""

from functools import cache

import pytest

import unroll_dsl
from unroll_dsl.derive import derive, method_names
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.oracle.multipliers import Admm, Linearised
from unroll_dsl.resources import algorithm_path
from unroll_dsl.verify.cases import cases
from unroll_dsl.verify.method import Followed, condition, followed
from unroll_dsl.verify.optimality import Judge
from unroll_dsl.verify.report import Verdict
from unroll_dsl.verify.settling import End
from unroll_dsl.verify.steps import step_row

SYSTEM = "x <- solve(A' @ A + rho * K' @ K, A' @ y + rho * K' @ (z - u))"
IMAGE = "z <- soft(K @ x + u, c / rho)"
MULTIPLIER = "u <- u + K @ x - z"
PAGE = """\
algorithm behind
dims m, n, q
input y : vector[m]
fixed A : matrix[m, n]
fixed K : matrix[q, n]
fixed c : scalar > 0 = 0.1
fixed rho : scalar > 0 = 0.4
minimize over x:
    1/2 * sumsq(A @ x - y) + c * norm1(K @ x)
state x : vector[n] = START
state z, u : vector[q] = 0
phase (50):
    LINES
output x
"""
TWO = """\
algorithm two
dims m, n, q
input y : vector[m]
fixed A : matrix[m, n]
fixed K : matrix[q, n]
let L = norm(K)^2
fixed gamma : scalar > 0 = 2
fixed mu : scalar > 0 = SHARE * gamma / (L + 1)
minimize over x:
    1/2 * sumsq(A @ x - y) + 0.1 * norm1(K @ x) + indicator(min(x) >= 0)
state x, w, v : vector[n] = 0
state z, u : vector[q] = 0
phase (50):
    x <- solve(I + mu * A' @ A, x - mu / gamma * (K' @ (K @ x - z + u) + x - w + v) + mu * A' @ y)
    z <- soft(K @ x + u, 0.1 * gamma)
    w <- nonneg(x + v)
    u <- u + K @ x - z
    v <- v + x - w
output x
"""


def page(*lines: str, start: str = "0") -> str:
    return PAGE.replace("LINES", "\n    ".join(lines)).replace("START", start)


@cache
def read(text: str) -> Followed | None:
    spec = unroll_dsl.loads(text, "page.unroll")
    return followed(spec, cases(spec, 0, None)[-1].instance)


def method(text: str) -> object:
    found = read(text)
    return None if found is None else found.method


@pytest.mark.parametrize(
    "lines",
    [
        (SYSTEM, IMAGE, MULTIPLIER),
        # the system divided by rho, and by another number
        (
            "x <- solve(A' @ A / rho + K' @ K, A' @ y / rho + K' @ (z - u))",
            IMAGE,
            MULTIPLIER,
        ),
        (
            "x <- solve(3 * A' @ A + 3 * rho * K' @ K, 3 * (A' @ y + K' @ (rho * z - rho * u)))",
            IMAGE,
            MULTIPLIER,
        ),
        # the proximal map written out
        (SYSTEM, "z <- sign(K @ x + u) * relu(abs(K @ x + u) - c / rho)", MULTIPLIER),
        # the multiplier not scaled: u stands for -u
        (
            "x <- solve(A' @ A + rho * K' @ K, A' @ y + rho * K' @ (z + u))",
            "z <- soft(K @ x - u, c / rho)",
            "u <- u - K @ x + z",
        ),
    ],
)
@pytest.mark.parametrize("start", ["0", "A' @ y"])
def test_admm_however_it_is_written(lines: tuple[str, ...], start: str) -> None:
    found = method(page(*lines, start=start))
    assert isinstance(found, Admm)
    assert found.steps == pytest.approx([2.5] * len(found.steps)) and len(found.steps) >= 15
    assert found.relaxations == pytest.approx([1.0] * 7)


@pytest.mark.parametrize(
    "lines",
    [
        (SYSTEM, IMAGE.replace("c / rho", "c"), MULTIPLIER),
        (SYSTEM, IMAGE, "u <- u + K @ prev(x) - z"),
        (SYSTEM, IMAGE, "u <- u + 0.9 * (K @ x - z)"),
        (SYSTEM.replace("A' @ A +", "2 * A' @ A +"), IMAGE, MULTIPLIER),
        (SYSTEM.replace("(z - u)", "(z + u)"), IMAGE, MULTIPLIER),
        (SYSTEM.replace("(z - u)", "(z - 2 * u)"), IMAGE, MULTIPLIER),
        (SYSTEM.replace("A' @ y +", "1.1 * A' @ y +"), IMAGE, MULTIPLIER),
        (SYSTEM.replace("z - u", "z"), IMAGE.replace(" + u", ""), MULTIPLIER),
    ],
)
def test_what_is_no_admm_has_no_row(lines: tuple[str, ...]) -> None:
    assert method(page(*lines)) is None


@pytest.mark.parametrize(
    ("eta", "verdict"), [("0.5", Verdict.PASSED), ("1.9", Verdict.PASSED), ("2", Verdict.NOTE)]
)
def test_the_relaxation_is_below_2(eta: str, verdict: Verdict) -> None:
    r = f"({eta} * K @ x + (1 - {eta}) * z)"
    before = f"({eta} * K @ x + (1 - {eta}) * prev(z))"
    text = page(SYSTEM, f"z <- soft({r} + u, c / rho)", f"u <- u + {before} - z")
    found = read(text)
    assert found is not None
    row = step_row(unroll_dsl.loads(text, "page.unroll"), found, condition(found), End.RESTS)
    assert (row.name, row.verdict) == ("ADMM", verdict)
    assert row.value == pytest.approx(float(eta)) and row.tolerance == 2


def test_a_penalty_that_changes_is_beyond_what_is_proved() -> None:
    lines = [line.replace("rho", "(rho * k)") for line in (SYSTEM, IMAGE)]
    found = read(page(*lines, MULTIPLIER))
    assert found is not None
    assert not condition(found).holds
    assert condition(found).other == "the step changes, from 0.312 to 2.5"


@pytest.mark.parametrize("name", ["tv_admm", "recpf"])
def test_shipped_pages(name: str) -> None:
    found = read(algorithm_path(name).read_text(encoding="utf-8"))
    assert found is not None and isinstance(found.method, Admm)
    assert condition(found).holds and condition(found).figure == pytest.approx(1)


@pytest.mark.parametrize(("share", "holds"), [("1", True), ("1.01", False)])
def test_linearised_admm_of_two_splittings(share: str, holds: bool) -> None:
    found = read(TWO.replace("SHARE", share))
    assert found is not None and isinstance(found.method, Linearised)
    held = condition(found)
    assert held.figure == pytest.approx(float(share)) and held.holds == holds


@pytest.mark.parametrize("method_", ["admm", "linearised_admm"])
def test_of_three_splittings_without_squares(method_: str) -> None:
    text = derive(unroll_dsl.load("poisson_deblurring").typed, method_).text
    found = read(text)
    assert found is not None and len(found.dual) == 3
    assert isinstance(found.method, Admm if method_ == "admm" else Linearised)
    assert condition(found).holds


# what `derive` makes of the shipped problems: the row on the method of each page
ROWS = {
    "douglas_rachford": "Douglas-Rachford or ADMM",
    "linearised_admm": "linearised ADMM",
    "pdhg": "primal-dual hybrid gradient",
    "condat_vu": "Condat-Vu",
    "ista": "proximal gradient",
    "fista": "accelerated proximal gradient",
    "admm": "ADMM",
}
# with its longest step linearised ADMM of `z = x` is ADMM, and that is Douglas and Rachford's method
OTHERS = {
    ("lasso", "admm"): "Douglas-Rachford or ADMM",
    ("grouped_regression", "admm"): "Douglas-Rachford or ADMM",
    ("lasso", "linearised_admm"): "ADMM",
    ("grouped_regression", "linearised_admm"): "ADMM",
}
CONVEX = (
    pytest.param("block_cs", marks=pytest.mark.slow),
    "cs_mri",
    pytest.param("emt", marks=pytest.mark.slow),
    pytest.param("grouped_regression", marks=pytest.mark.slow),
    "lasso",
    "logistic_regression",
    "poisson_deblurring",
    "tv_deblurring",
)


@pytest.mark.parametrize("problem", CONVEX)
def test_what_is_derived_is_told_again(problem: str) -> None:
    """All but half-quadratic splitting, which has no multiplier: each within what is proved."""
    typed, told = unroll_dsl.load(problem).typed, 0
    for method_ in method_names():
        try:
            text = derive(typed, method_).text
        except UnrollError:
            continue
        spec = unroll_dsl.loads(text, "page.unroll")
        case = cases(spec, 0, None)[-1]
        judge = Judge(spec, case.instance.first(), 0)
        found = followed(spec, case.instance, judge.steepest)
        if method_ == "hqs":
            assert found is None
            continue
        assert found is not None, method_
        held = condition(found)
        assert held.name == OTHERS.get((problem, method_), ROWS[method_])
        assert held.holds, (method_, held)
        told += 1
    assert told >= 2
