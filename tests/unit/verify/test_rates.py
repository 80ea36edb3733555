"""How fast objectives fall, and the theorems that they are held against."""

from functools import cache

import numpy as np
import pytest

import unroll_dsl
from tests.unit.verify.test_method import VELOCITY, changed, read
from unroll_dsl.runs.falling import panel
from unroll_dsl.verify import Report, check
from unroll_dsl.verify.method import condition
from unroll_dsl.verify.rates import Least, Proof, fitted, looked_at, proof, rate_row
from unroll_dsl.verify.report import Row, Verdict

K = looked_at(2000)
ALL = np.arange(1, 2001, dtype=np.float64)
LEAST = Least(0.0, 0.0, 1.0, 4.0)


@cache
def report(text: str) -> Report:
    return check(unroll_dsl.loads(text, "page.unroll"))


def rate(found: Report) -> Row:
    return next(row for row in found.rows if row.name == "rate")


# ---- the fit ------------------------------------------------------------------------------------


@pytest.mark.parametrize("power", [1.0, 2.0, 0.5])
def test_a_power_is_found_again(power: float) -> None:
    found = fitted(K, np.asarray(3.0 / (K + 2.0) ** power, np.float64), 1e-13)
    assert found is not None and not found.linear
    assert found.power == pytest.approx(power, rel=0.02)
    assert found.words == f"falls as 1/k^{power:g}"


@pytest.mark.parametrize("factor", [0.5, 0.93, 0.999])
def test_a_factor_is_found_again(factor: float) -> None:
    found = fitted(K, np.asarray(3.0 * factor**K, np.float64), 1e-13)
    assert found is not None and found.linear
    assert found.factor == pytest.approx(factor, rel=1e-3)


def test_waves_do_not_count() -> None:
    waves = 3.0 * 0.98**K * np.cos(K) ** 2
    found = fitted(K, waves, 1e-13)
    assert found is not None and found.linear
    assert found.factor == pytest.approx(0.98, abs=0.002)


def test_rounding_is_not_fitted() -> None:
    noise = np.random.default_rng(0).uniform(0, 1e-14, len(K))
    found = fitted(K, 3.0 * 0.9**K + noise, 1e-13)
    assert found is not None and found.factor == pytest.approx(0.9, rel=1e-2)


def test_what_is_at_rest_at_once_has_no_rate() -> None:
    assert fitted(K, np.where(K < 4, 1.0, 0.0), 1e-13) is None


# ---- the theorems -------------------------------------------------------------------------------


def proved(text: str) -> Proof | None:
    found = read(text)[2]
    assert found is not None
    return proof(found, condition(found), 40)


def test_the_bound_of_fista_is_that_of_its_counter() -> None:
    text = changed("fista")
    found = proved(text)
    t = [1.0]
    for _ in range(39):
        t.append((1 + np.sqrt(1 + 4 * t[-1] ** 2)) / 2)
    step = 1 / 1.7**2
    assert found is not None
    assert found.shares[:8] == pytest.approx(2 * step * np.array(t[:8]) ** 2)
    assert np.all(found.shares <= 2 * step * np.array(t) ** 2 * (1 + 1e-9))
    assert np.all(found.shares >= step * (np.arange(1, 41) + 1) ** 2 / 2 * (1 - 1e-9))


def test_the_bound_of_chambolle_and_dossal() -> None:
    found = proved(changed("fista_cd"))
    assert found is not None
    assert found.shares == pytest.approx(2 / 1.7**2 * ((np.arange(1, 41) + 2) / 3) ** 2)


def test_the_bound_of_proximal_gradient() -> None:
    found = proved(changed("ista"))
    assert found is not None and found.shares == pytest.approx(2 / 1.7**2 * np.arange(1, 41))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (
            "ista",
            ("A' @ (A @ x - y) / L, lambda / L", "1.9 * A' @ (A @ x - y) / L, 1.9 * lambda / L"),
        ),
        ("fista", (VELOCITY, VELOCITY.replace("(prev(t) - 1) / t", "(prev(t) - 1) / (0.9 * t)"))),
        ("fista", (VELOCITY, VELOCITY.replace("(prev(t) - 1) / t", "0.5"))),
        ("heavy_ball", ("state x", "state x")),
    ],
)
def test_nothing_is_proved_of_other_steps_and_momenta(name: str, change: tuple[str, str]) -> None:
    assert proved(changed(name, change)) is None


def test_slower_than_proved_is_a_failure() -> None:
    found = Proof(2.0 * ALL, "1/k", "bound", 8)
    right, wrong = (rate_row("method", K, c * 2.0 / K, LEAST, found) for c in (0.99, 1.01))
    assert right is not None and wrong is not None
    assert right[0].verdict is Verdict.PASSED and right[0].value == pytest.approx(0.99)
    assert (
        wrong[0].verdict is Verdict.FAILED and "slower than its method, in phase" in wrong[0].detail
    )


def test_an_uncertain_least_value_is_no_fault() -> None:
    found = Proof(2.0 * ALL, "1/k", "bound", 8)
    least = Least(0.0, 1e-2, 1.0, 4.0)
    row = rate_row("method", K, 1.01 * 2.0 / K, least, found)
    assert row is not None and row[0].verdict is Verdict.PASSED


# ---- whole pages --------------------------------------------------------------------------------


def test_ista_falls_as_proved() -> None:
    found = rate(report(changed("ista")))
    assert found.verdict is Verdict.PASSED
    assert found.value is not None and 0 < found.value < 1
    assert "a phase; proved is 1/k, |x0 - x*|^2 / (2 t k)" in found.detail


def test_the_fall_is_in_the_report_and_can_be_drawn() -> None:
    found = report(changed("ista"))
    assert found.fall is not None and found.fall.bounds is not None
    gaps, bounds = np.array(found.fall.gaps), np.array(found.fall.bounds)
    assert np.all(gaps <= bounds + found.fall.floor) and gaps[0] > 1e3 * found.fall.floor
    told = found.to_json()["fall"]
    assert isinstance(told, dict) and told["phases"][:3] == [1, 2, 3]
    drawn = panel("ista", found.fall)
    assert [line.label for line in drawn.lines] == ["F(x_k) - F*", "proved", "1/k", "1/k^2"]
    inverse, square = drawn.lines[2], drawn.lines[3]
    assert inverse.y[9] == pytest.approx(inverse.y[0] / 10)
    assert square.y[9] == pytest.approx(square.y[0] / 100)


def test_a_method_without_a_theorem_has_a_rate_alone() -> None:
    found = rate(report(changed("pdhg")))
    assert found.verdict is Verdict.NOTE and found.value is None
    assert found.detail.startswith("falls by a factor of ")
