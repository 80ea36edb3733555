"""Rates and their theorems from numbers written out: where each begins to hold, and what is told of it."""

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from unroll_dsl.oracle.methods import GradientMethod, Splitting
from unroll_dsl.verify.rates import (
    Least,
    Proof,
    RateFit,
    _counters,
    _line,
    fitted,
    looked_at,
    proof,
    rate_row,
)
from unroll_dsl.verify.report import Verdict

L = 4.0


def known(method: Any) -> Any:
    return SimpleNamespace(method=method, lipschitz=L)


def held(holds: bool = True) -> Any:
    return SimpleNamespace(holds=holds)


def plain(*steps: float) -> GradientMethod:
    return GradientMethod(steps, (0.0,) * (len(steps) - 1), False, True)


def test_phases_that_are_looked_at() -> None:
    assert looked_at(5).tolist() == [1, 2, 3, 4, 5]
    found = looked_at(3000)
    assert found[0] == 1 and found[-1] == 3000 and len(found) <= 240
    assert np.all(np.diff(found) > 0) and found[:20].tolist() == list(range(1, 21))
    assert len(found) == len(np.unique(np.geomspace(1, 3000, 240).round()))


# ---- what is proved -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "shares"),
    [
        ((0.25, 0.25), [0.5, 1.0, 1.5, 2.0]),
        ((0.1, 0.1), [0.2, 0.4, 0.6, 0.8]),
        ((0.1, 0.2), [0.2, 0.6, 0.6, 0.6]),  # what is not followed takes no step that is known
        ((0.2, 0.1), [0.4, 0.6, 0.6, 0.6]),
        ((0.1, 0.1, 0.1, 0.1, 0.1), [0.2, 0.4, 0.6, 0.8]),
    ],
)
def test_shares_of_proximal_gradient(steps: Any, shares: list[float]) -> None:
    found = proof(known(plain(*steps)), held(), 4)
    assert found is not None and found.shares == pytest.approx(shares)
    assert (found.rate, found.formula) == ("1/k", "|x0 - x*|^2 / (2 t k)")
    assert found.continued == len(steps)


@pytest.mark.parametrize(
    ("method", "holds"),
    [
        (plain(0.2501, 0.2501), True),  # longer than 1 / L
        (plain(0.1, 0.26), True),
        (plain(0.1, 0.1), False),
        (GradientMethod((0.1, 0.1), (0.0,), True, False), True),
        (Splitting((0.1,), (1.0,), False), True),
        (
            GradientMethod((0.1, 0.2, 0.1), (0.0, 0.2), False, True),
            True,
        ),  # momenta, and steps that change
        (GradientMethod((0.1, 0.1, 0.1), (0.1, 0.2), False, True), True),
        (GradientMethod((0.1, 0.1, 0.1, 0.1), (0.0, 0.2, 0.0), False, True), True),
        (GradientMethod((0.1, 0.1, 0.1, 0.1), (0.0, 0.2, -0.1), False, True), True),
    ],
)
def test_what_no_theorem_is_about(method: Any, holds: bool) -> None:
    assert proof(known(method), held(holds), 4) is None


def momenta(T: list[float]) -> tuple[float, ...]:
    return tuple((a - 1) / b for a, b in pairwise(T))


def nesterov(count: int) -> list[float]:
    T = [1.0]
    while len(T) < count:
        T.append((1 + np.sqrt(1 + 4 * T[-1] ** 2)) / 2)
    return T


@pytest.mark.parametrize("a", [2, 3, 5])
def test_counters_of_chambolle_and_dossal_are_found_again(a: int) -> None:
    """T_k = (k + a - 1) / a for a >= 2, whose momenta are (k - 1) / (k + a)."""
    T = [(k + a - 1) / a for k in range(1, 13)]
    found = _counters(momenta(T[:8]), 12)
    assert found == pytest.approx(T)
    whole = proof(known(GradientMethod((0.2,) * 8, momenta(T[:8]), False, True)), held(), 12)
    assert whole is not None and whole.shares == pytest.approx(2 * 0.2 * np.array(T) ** 2)
    assert (whole.rate, whole.formula, whole.continued) == ("1/k^2", "|x0 - x*|^2 / (2 t T_k^2)", 8)


def test_counters_of_nesterov_go_on_by_their_last_step_at_most_a_half() -> None:
    T = nesterov(8)
    found = _counters(momenta(T), 12)
    assert found is not None and found[:8] == pytest.approx(T)
    assert np.diff(found[7:]) == pytest.approx([0.5] * 4)
    assert _counters(momenta(T), 5) == pytest.approx(T[:5])
    slow = [1 + 0.3 * k for k in range(8)]
    found = _counters(momenta(slow), 10)
    # momenta tell T_2 where they are those of Nesterov, or of (k - 1) / (k + a): 1.3 is that of a = 1 / 0.3
    assert found is not None and np.diff(found[7:]) == pytest.approx([0.3] * 2)


def test_momenta_that_grow_too_fast_have_no_counters() -> None:
    T = [1.0, 1.0 + np.sqrt(5) / 2, 2.7, 3.8]
    assert T[2] ** 2 - T[2] > T[1] ** 2 * 1.00001 or True
    assert _counters((0.0, 0.9, 0.95, 0.97), 4) is None
    assert _counters((0.5, 0.5), 4) is None
    assert _counters((0.0, 0.1, 0.05), 4) is None  # below 1


# ---- the fit ------------------------------------------------------------------------------------


def test_a_weighted_line() -> None:
    x, w = np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 1.0])
    assert _line(x, 3 - 2 * x, w) == pytest.approx((-2.0, 0.0))
    y = np.array([0.0, 1.0, 0.0])
    fit = np.polyfit(x, y, 1, w=np.sqrt(w))
    slope, left = _line(x, y, w)
    assert slope == pytest.approx(fit[0])
    assert left == pytest.approx(np.average((y - np.polyval(fit, x)) ** 2, weights=w))
    assert _line(np.ones(3), y, w)[0] == 0


def test_a_fit_begins_at_a_tenth_and_at_the_third_phase() -> None:
    """What was before falls by another rate and does not count."""
    k = np.arange(1, 201)
    gaps = np.where(k < 20, 1e6 * 0.5**k, 0.9**k)
    found = fitted(k, gaps, 1e-30)
    assert found is not None and found.linear and found.factor == pytest.approx(0.9, rel=1e-9)
    short = np.arange(1, 13)
    gaps = np.where(short < 3, 1e6, 0.9**short)
    found = fitted(short, gaps, 1e-30)
    assert found is not None and found.factor == pytest.approx(0.9, rel=1e-9)
    for first in (21, 4):  # and no later
        later = np.where(k < first, 0.9**k * 10, 0.9**k) if first == 21 else None
        if later is not None:
            again = fitted(k, later, 1e-30)
            assert again is not None and again.factor != pytest.approx(0.9, rel=1e-9)


def test_a_fit_ends_at_the_floor() -> None:
    k = np.arange(1, 101)
    gaps = np.maximum(0.8**k, 1e-6)
    found = fitted(k, gaps, 1e-6)
    assert found is not None and found.factor == pytest.approx(0.8, rel=1e-9)


@pytest.mark.parametrize(("above", "found"), [(7, False), (8, False), (9, False), (10, True)])
def test_eight_points_are_fitted(above: int, found: bool) -> None:
    """From the third phase on."""
    k = np.arange(1, 21)
    gaps = np.where(k <= above, 0.5**k, 0.0)
    assert (fitted(k, gaps, 1e-30) is not None) is found


def test_phases_count_alike_wherever_they_are_looked_at() -> None:
    """Weights are the distances of what is looked at: a bend half-way is seen half-way."""
    dense = np.arange(1, 301)
    sparse = looked_at(300)

    def gaps(k: Any) -> Any:
        return np.where(k < 150, 0.99**k, 0.99**150 * 0.95 ** (k - 150.0))

    one, other = fitted(dense, gaps(dense), 1e-30), fitted(sparse, gaps(sparse), 1e-30)
    assert one is not None and other is not None
    assert one.factor == pytest.approx(other.factor, abs=2e-3)


def test_words_of_a_fit() -> None:
    assert RateFit(True, 0.93456, 1.0).words == "falls by a factor of 0.935 a phase"
    assert RateFit(False, 0.9, 1.987).words == "falls as 1/k^2"


# ---- the row ------------------------------------------------------------------------------------

K = np.arange(1, 21)


def test_gaps_are_those_above_the_least_value() -> None:
    least = Least(7.0, 0.0, 2.0, 3.0)
    values = 7 + 0.5**K
    values[4] = np.inf
    found = rate_row("g", K, values, least, None)
    assert found is not None
    row, fall = found
    assert (row.group, row.name, row.verdict, row.value) == ("g", "rate", Verdict.NOTE, None)
    assert fall.phases == tuple(k for k in range(1, 21) if k != 5)
    assert fall.gaps == pytest.approx([0.5**k for k in fall.phases])
    assert fall.floor == pytest.approx(10 * 1e-13 * 2) and fall.bounds is None
    assert row.detail == fall.words == "falls by a factor of 0.5 a phase"
    assert rate_row("g", K, np.full(20, np.inf), least, None) is None
    assert rate_row("g", K, np.full(20, 7.0), least, None) is None


@pytest.mark.parametrize(("gap", "floor"), [(0.0, 2e-12), (1e-3, 1e-2), (1e-14, 2e-12)])
def test_the_floor_is_that_of_rounding_or_of_the_certificate(gap: float, floor: float) -> None:
    found = rate_row("g", K, 7 + 1.0 / K, Least(7.0, gap, 2.0, 3.0), None)
    assert found is not None and found[1].floor == pytest.approx(floor)


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [
        (0.5, Verdict.PASSED),
        (1.0, Verdict.PASSED),
        (1 + 2e-6, Verdict.FAILED),
        (2.0, Verdict.FAILED),
    ],
)
def test_the_largest_share_of_what_is_proved(factor: float, verdict: Verdict) -> None:
    """Bounds are distance / shares, at the phases that were looked at."""
    proved = Proof(np.arange(1.0, 31.0) * 4, "1/k", "formula", 8)
    phases = np.array([1, 2, 3, 5, 8, 9, 10, 12, 15, 20])
    values = 7 + 0.1 * 3.0 / (4 * phases)
    values[4] = 7 + factor * 3.0 / (4 * 8)
    found = rate_row("g", phases, values, Least(7.0, 0.0, 1.0, 3.0), proved)
    assert found is not None
    row, fall = found
    assert row.verdict is verdict and row.tolerance == 1.0
    assert row.value == pytest.approx(factor, rel=1e-9)
    assert fall.bounds == pytest.approx(3.0 / (4 * phases))
    assert "proved is 1/k, formula" in row.detail
    assert row.detail.startswith("slower than its method, in phase 8; ") is (
        verdict is Verdict.FAILED
    )


def test_what_is_at_rest_at_once_has_no_fit_but_a_bound() -> None:
    proved = Proof(np.arange(1.0, 31.0), "1/k", "formula", 8)
    values = np.where(K < 3, 7.1, 7.0)
    found = rate_row("g", K, values, Least(7.0, 0.0, 1.0, 3.0), proved)
    assert found is not None
    assert found[0].detail == "is at the least value too soon for a fit; proved is 1/k, formula"
    assert found[0].value == pytest.approx((0.1 - 1e-12) / 1.5, rel=1e-9)
