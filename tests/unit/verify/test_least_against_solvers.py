"""Least values against CVXPY with Clarabel, and what they are certified to."""

from __future__ import annotations

from typing import Any

import cvxpy as cp
import numpy as np
import pytest

import unroll_dsl
from unroll_dsl.spec import Spec
from unroll_dsl.verify.cases import Case, cases
from unroll_dsl.verify.derived import exact
from unroll_dsl.verify.functions import Objective
from unroll_dsl.verify.minimum import Minimum, minimum
from unroll_dsl.verify.objective import check_minimiser
from unroll_dsl.verify.report import Row, Verdict
from unroll_dsl.verify.terms import Terms, Unreadable

HALF = 0.5


def least(spec: Spec, case: Case) -> Minimum:
    sample = case.instance.first()
    space = Objective(spec, sample).space
    terms = Terms(spec, sample, space)
    at_0 = np.zeros(space.size)
    unit = terms.value(at_0) + terms.height(terms.rough_at(at_0))
    return minimum(terms, at_0, unit)


def lasso(x: Any, y: Any, bind: Any) -> Any:
    return HALF * cp.sum_squares(bind["A"] @ x - y) + bind.get("lambda", 0.1) * cp.norm1(x)


def solved(objective: Any, *constraints: Any) -> float:
    problem = cp.Problem(cp.Minimize(objective), [*constraints])
    problem.solve(solver=cp.CLARABEL)
    return float(problem.value)


@pytest.mark.parametrize("name", ["ista", "nonneg_least_squares", "gradient_descent"])
def test_of_vectors(name: str) -> None:
    spec = unroll_dsl.load(name)
    for case in cases(spec, 3, None):
        bind, y = case.instance.bind, case.instance.inputs[0][0]
        x = cp.Variable(bind["A"].shape[1])
        if name == "ista":
            expected = solved(lasso(x, y, bind))
        else:
            fits = HALF * cp.sum_squares(bind["A"] @ x - y)
            expected = solved(fits, *([x >= 0] if name == "nonneg_least_squares" else []))
        found = least(spec, case)
        assert found.value == pytest.approx(expected, abs=1e-7)
        assert found.gap < 1e-9 * max(expected, 1)


def test_of_a_complex_image_with_total_variation() -> None:
    spec = unroll_dsl.load("tv_admm")
    first, _ = cases(spec, 1, None)
    bind, y = first.instance.bind, first.instance.inputs[0][0, 0]
    h, w = y.shape
    eye = np.eye(h * w).reshape(-1, h, w)
    fourier = np.fft.fft2(eye, norm="ortho").reshape(h * w, -1).T
    down, right = (
        (np.roll(eye, -1, axis) - eye).reshape(h * w, -1).T for axis in (1, 2)
    )  # forward, as `grad`
    x = cp.Variable(h * w, complex=True)
    mask = np.ravel(bind["P"])
    fits = HALF * cp.sum_squares(cp.abs(cp.multiply(mask, fourier @ x) - np.ravel(y)))
    pixels = cp.vstack([cp.abs(down @ x), cp.abs(right @ x)])
    expected = solved(fits + float(bind["lambda"]) * cp.sum(cp.norm(pixels, 2, axis=0)))
    found = least(spec, first)
    assert found.value == pytest.approx(expected, rel=1e-6)
    assert found.gap < 1e-9 * expected


def test_what_is_not_convex_has_none() -> None:
    spec = unroll_dsl.load("nonnegative_factorisation").derive("block_proximal").spec
    (case, *_) = cases(spec, 0, None)
    with pytest.raises(Unreadable, match="not convex"):
        least(spec, case)


# ---- the rows -----------------------------------------------------------------------------------


def rows(name: str, old: str, new: str) -> list[Row]:
    text = unroll_dsl.load(name).program.file.text
    assert text.count(old) == 1
    spec = unroll_dsl.loads(text.replace(old, new))
    spec = spec.over(exact(spec.graph))
    with np.errstate(all="ignore"):
        return check_minimiser(spec, cases(spec, 0, None), 0)


def words(found: list[Row]) -> str:
    return " ".join(row.detail for row in found if row.verdict is Verdict.FAILED)


def test_an_iteration_that_stays_at_0_is_not_certified() -> None:
    """Where the point is 0 the certificate must not take minimisers to be near to it."""
    found = rows("gradient_descent", "x - tau * A' @ (A @ x - y)", "x")
    assert "it falls where `x" in words(found)


def test_the_weight_that_a_threshold_belongs_to_is_named() -> None:
    found = rows("ista", "lambda / L)", "0.97 * lambda / L)")
    assert (
        "the threshold of line 21 is that of 0.97 * lambda * norm1(x), not of lambda * norm1(x)"
        in words(found)
    )


def test_one_that_drifts_fails() -> None:
    found = rows("tv_admm", "(z - u))", "(z - P))")
    assert "the objective rises while it moves on" in words(found)


def test_a_cycle_with_another_weight_is_no_missing_bound() -> None:
    """`lambda` is the objective's: the iteration has to do with any that its declaration allows."""
    found = rows("tv_pdhg", "2 * x - prev(x)", "2 * prev(x) - prev(x)")
    assert "no less than before" in words(found)
    assert "more bounds" not in words(found)


@pytest.mark.parametrize("name", ["tv_admm", "tv_pdhg"])
def test_total_variation_is_decided(name: str) -> None:
    found = rows(name, "output real(x)", "output real(x)")
    decided = [row for row in found if row.name.startswith("rests at")]
    assert [row.verdict for row in decided] == [Verdict.PASSED] * 2
    assert all("duality" in row.detail for row in decided)
