"""Which method a page is, the conditions of its steps, and how they are told."""

from functools import cache

import numpy as np
import pytest

import unroll_dsl
from unroll_dsl.oracle.methods import GradientMethod, Linearised, PrimalDual, Splitting
from unroll_dsl.resources import algorithm_path
from unroll_dsl.spec import Spec
from unroll_dsl.verify import check
from unroll_dsl.verify.cases import cases
from unroll_dsl.verify.held_inputs import with_inputs_held
from unroll_dsl.verify.instance import Instance
from unroll_dsl.verify.method import Condition, Followed, condition, followed
from unroll_dsl.verify.report import Row, Verdict
from unroll_dsl.verify.settling import End
from unroll_dsl.verify.steps import step_row

GRADIENT = "x - tau * A' @ (A @ x - y)"
VELOCITY = "v <- x + (prev(t) - 1) / t * (x - prev(x))"
BEHIND = """\
algorithm behind
dims m, n, q
input y : vector[m]
fixed A : matrix[m, n]
fixed K : matrix[q, n]
fixed c : scalar > 0 = 0.1
let L = norm(A)^2
fixed gamma : scalar > 0 = 2
fixed sigma : scalar > 0 = 0.3
fixed tau : scalar > 0 = TAU
minimize over x:
    1/2 * sumsq(A @ x - y) + c * norm1(K @ x)
state x : vector[n] = 0
state STATES : vector[q] = 0
phase (50):
    LINES
output x
"""
CONDAT_VU = """x <- x - tau * A' @ (A @ x - y) - tau * K' @ p
    p <- box(p + sigma * K @ (2 * x - prev(x)), -c, c)"""
LINEARISED = """x <- solve(I + tau * A' @ A, x - tau / gamma * K' @ (K @ x - z + u) + tau * A' @ y)
    z <- soft(K @ x + u, gamma * c)
    u <- u + K @ x - z"""


def changed(name: str, *changes: tuple[str, str]) -> str:
    text = algorithm_path(name).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


@cache
def read(text: str) -> tuple[Spec, Instance, Followed | None]:
    spec = unroll_dsl.loads(text, "page.unroll")
    instance = cases(spec, 0, None)[-1].instance
    return spec, instance, followed(spec, instance)


def known(text: str) -> Followed:
    found = read(text)[2]
    assert found is not None
    return found


def row(text: str, end: End = End.RESTS) -> Row:
    found = known(text)
    return step_row(read(text)[0], found, condition(found), end)


def held(text: str) -> Condition:
    return condition(known(text))


# ---- the method is read off the phases ----------------------------------------------------------


def test_steps_of_proximal_gradient_are_those_of_the_page() -> None:
    text = changed("ista")
    method = known(text).method
    assert isinstance(method, GradientMethod) and method.proximal and method.plain
    assert method.steps == pytest.approx([1 / np.linalg.norm(read(text)[1].bind["A"], 2) ** 2] * 8)


def test_momenta_are_those_of_fista() -> None:
    method = known(changed("fista")).method
    assert isinstance(method, GradientMethod) and not method.heavy
    t = [1.0]
    for _ in range(8):
        t.append((1 + np.sqrt(1 + 4 * t[-1] ** 2)) / 2)
    wanted = [(t[k] - 1) / t[k + 1] for k in range(7)]
    assert method.momenta == pytest.approx(wanted, abs=1e-12)


def test_momentum_of_polyak_is_told_from_that_of_nesterov() -> None:
    heavy, other = known(changed("heavy_ball")).method, known(changed("nesterov")).method
    assert isinstance(heavy, GradientMethod) and isinstance(other, GradientMethod)
    assert heavy.heavy and not other.heavy
    assert heavy.momenta == pytest.approx([1 / 9] * 7)  # norms 1.7 and half of it
    assert other.momenta == pytest.approx([1 / 3] * 7)


@pytest.mark.parametrize(
    ("name", "change", "relaxation"),
    [
        ("douglas_rachford", ("eta * (z - x)", "1.3 * (z - x)"), 1.3),
        ("admm_lasso", ("A' @ y", "A' @ y"), 1.0),
        ("admm_lasso", ("x + u, lambda", "1.6 * x - 0.6 * prev(z) + u, lambda"), None),
    ],
)
def test_relaxation(name: str, change: tuple[str, str], relaxation: float | None) -> None:
    found = read(changed(name, change))[2]
    if relaxation is None:  # the multiplier is not relaxed with it: no method that is known
        assert found is None
        return
    assert found is not None and isinstance(found.method, Splitting)
    assert found.method.relaxations == pytest.approx([relaxation] * len(found.method.relaxations))
    assert len(found.method.relaxations) >= 6


def test_primal_dual_steps() -> None:
    method = known(
        changed("pdhg", ("tau    : scalar > 0 = 1 / norm(K)", "tau : scalar > 0 = 0.2"))
    ).method
    assert isinstance(method, PrimalDual) and not method.gradient
    assert (method.tau, method.theta) == pytest.approx((0.2, 1))
    assert method.sigmas == pytest.approx([1 / 1.7])


def test_the_method_of_condat_and_vu() -> None:
    text = BEHIND.replace("LINES", CONDAT_VU).replace("TAU", "0.25").replace("STATES", "p")
    method = known(text).method
    assert isinstance(method, PrimalDual) and method.gradient
    assert (method.tau, *method.sigmas, method.theta) == pytest.approx((0.25, 0.3, 1))
    assert held(text).figure == pytest.approx(0.25 * (0.3 * 1.7**2 + 1.7**2 / 2))


def test_linearised_admm() -> None:
    text = BEHIND.replace("LINES", LINEARISED).replace("TAU", "0.4").replace("STATES", "z, u")
    method = known(text).method
    assert isinstance(method, Linearised) and method.share == pytest.approx(0.2)
    assert held(text).figure == pytest.approx(0.2 * 1.7**2)


@pytest.mark.parametrize(
    "change",
    [
        ("A' @ (A @ x - y) / L", "A' @ (A @ (2 * x) - y) / L"),
        ("lambda / L)", "0.9 * lambda / L)"),  # the threshold of another step
        ("A' @ (A @ x - y)", "A' @ (A @ x - 1.1 * y)"),
    ],
)
def test_what_is_no_such_method_has_no_row(change: tuple[str, str]) -> None:
    assert read(changed("ista", change))[2] is None


FROM_OUTSIDE = """\
algorithm a
dims m = 3, n = 4
input y : vector[m]
fixed A : OPERATOR
fixed L : scalar > 0 = STEP
minimize over x:
    SMOOTH + 0.1 * norm1(x)
state x : vector[n] = 0
phase (8):
    x <- soft(x - A' @ (GRADIENT) / L, 0.1 / L)
output x
"""
SQUARES = ("sumsq(A @ x - y) / 2", "A @ x - y")


def outside(operator: str, smooth: tuple[str, str] = SQUARES, step: str = "1.2") -> str:
    text = FROM_OUTSIDE.replace("OPERATOR", operator).replace("STEP", step)
    return text.replace("SMOOTH", smooth[0]).replace("GRADIENT", smooth[1])


@pytest.mark.parametrize(("step", "verdict"), [("1.2", Verdict.PASSED), ("0.49", Verdict.NOTE)])
def test_the_constant_of_a_map_from_outside_is_measured(step: str, verdict: Verdict) -> None:
    """Maps from outside are drawn with norm 1."""
    text = outside("linear vector[n] -> vector[m]", step=step)
    rows = {row.name: row for row in check(unroll_dsl.loads(text, "page.unroll")).rows}
    found = rows["proximal gradient"]
    assert found.verdict is verdict and found.value == pytest.approx(1 / float(step))
    assert "t * L < 2 on this instance, L = 1" in found.detail


def test_no_step_is_short_enough_where_no_constant_is_known() -> None:
    """Where nobody measures it, or where the terms are not quadratic."""
    assert read(outside("linear vector[n] -> vector[m]"))[2] is None
    assert read(outside("matrix[m, n]"))[2] is not None
    huber = ("huber_sum(A @ x - y, 1)", "box(A @ x - y, -1, 1)")
    spec = unroll_dsl.loads(outside("linear vector[n] -> vector[m]", huber), "page.unroll")
    assert not {row.name for row in check(spec).rows} & {"proximal gradient"}


# ---- conditions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("factor", "verdict", "words"),
    [
        ("1.9", Verdict.PASSED, "step 1.9 / L < 2 / L"),
        (
            "2.1",
            Verdict.NOTE,
            "step 2.1 / L against 2 / L: beyond what is proved; this run diverges",
        ),
    ],
)
def test_the_step_of_ista(factor: str, verdict: Verdict, words: str) -> None:
    text = changed(
        "ista",
        (
            "A' @ (A @ x - y) / L, lambda / L",
            f"{factor} * A' @ (A @ x - y) / L, {factor} * lambda / L",
        ),
    )
    found = row(text, End.RESTS if factor == "1.9" else End.DIVERGES)
    assert (found.verdict, found.detail) == (verdict, words)
    assert found.value == pytest.approx(float(factor)) and found.tolerance == 2


def test_a_long_step_of_fista_is_a_note_where_it_converges() -> None:
    text = changed(
        "fista",
        ("A' @ (A @ v - y) / L, lambda / L", "1.5 * A' @ (A @ v - y) / L, 1.5 * lambda / L"),
    )
    found = row(text)
    assert found.verdict is Verdict.NOTE
    assert (
        found.detail == "step 1.5 / L against 1 / L: beyond what is proved; this run comes to rest"
    )


def test_a_step_with_a_name_is_told_by_its_value() -> None:
    assert (
        row(changed("gradient_descent", ("= 1 / L", "= 1.9 / L"))).detail == "step 1.9 / L < 2 / L"
    )


def test_a_step_that_is_no_multiple_is_told_in_numbers() -> None:
    found = row(changed("gradient_descent", ("in (0, 2 / L) = 1 / L", "> 0 = 0.1")))
    assert found.detail == "t * L < 2 on this instance, L = 2.89"
    assert found.value == pytest.approx(0.289)


def test_dual_steps_that_are_too_long() -> None:
    text = changed(
        "pdhg", ("sigma  : scalar > 0 = 1 / norm(K)", "sigma  : scalar > 0 = 1.5 / norm(K)")
    )
    found = row(text)
    assert found.verdict is Verdict.NOTE and found.value == pytest.approx(1.5)
    assert found.detail.startswith(
        "tau * sigma * |K|^2 against 1 for tau = 1 / norm(K), sigma = 1.5 / norm(K)"
    )


def test_another_extrapolation_is_beyond_what_is_proved() -> None:
    found = row(changed("pdhg", ("in [0, 1] = 1", "in [0, 1] = 0.5")))
    assert found.verdict is Verdict.NOTE
    assert found.detail.startswith("extrapolation 0.5, not 1: beyond what is proved")


def test_a_long_step_within_a_schedule_names_its_phases() -> None:
    text = changed(
        "step_lista",
        (
            "per phase = 1 / L",
            "per phase = (1 + 1.5 * (k - 3) * (k - 2) * (k - 1) / 6 * (5 - k) * (6 - k) * (7 - k) * (8 - k) / 24) / L",
        ),
    )
    found = row(text)
    assert found.verdict is Verdict.NOTE
    assert found.detail.startswith("t * L < 2 on this instance, L = 2.89 in phase 4: beyond")


def test_a_negative_momentum_is_beyond_what_is_proved() -> None:
    found = row(changed("fista", (VELOCITY, VELOCITY.replace("x + (", "x - ("))))
    assert found.verdict is Verdict.NOTE
    assert "is not within 0 and 1" in found.detail


@pytest.mark.parametrize(("relaxation", "verdict"), [("1.9", Verdict.PASSED), ("2", Verdict.NOTE)])
def test_the_relaxation_is_below_2(relaxation: str, verdict: Verdict) -> None:
    text = changed("douglas_rachford", ("eta * (z - x)", f"{relaxation} * (z - x)"))
    assert row(text).verdict is verdict


@pytest.mark.parametrize(
    ("name", "step", "limit"), [("heavy_ball", 1.9, 20 / 9), ("nesterov", 1.0, 1.6)]
)
def test_limits_of_momenta_are_where_quadratic_forms_diverge(
    name: str, step: float, limit: float
) -> None:
    """By the eigenvalues of the iteration on one eigenvector of A'A."""
    found = held(changed(name))
    assert found.limit == pytest.approx(limit)
    b = {"heavy_ball": 1 / 9, "nesterov": 1 / 3}[name]

    def radius(s: float) -> float:
        rows = {"heavy_ball": [1 + b - s, -b], "nesterov": [(1 + b) * (1 - s), -b * (1 - s)]}
        return float(np.abs(np.linalg.eigvals(np.array([rows[name], [1, 0]]))).max())

    assert radius(0.999 * limit) < 1 < radius(1.001 * limit)


# ---- numbers that are made of data --------------------------------------------------------------

OF_DATA = """\
algorithm a
dims m = 3, n = 4
input y : vector[m]
input s, w : scalar
fixed A : matrix[m, n]
let L = norm(A)^2
minimize over x:
    1/2 * sumsq(A @ x - y) + 0.1 * norm1(x)
state x : vector[n] = 0
phase (8):
    x <- soft(x - STEP * A' @ (A @ x - y), 0.1 * STEP)
output x
loss (x_star : vector[n]):
    sumsq(x - x_star)
measure y = A @ x_star
"""


@pytest.mark.parametrize(
    ("step", "share"),
    [("1.5 / (L * norm_inf(y)) * norm_inf(y)", 1.5), ("abs(s) / L", None), ("1.5 / L", 1.5)],
)
def test_numbers_of_data_are_those_of_the_first_sample(step: str, share: float | None) -> None:
    spec = unroll_dsl.loads(OF_DATA.replace("STEP", f"({step})"), "page.unroll")
    instance = cases(spec, 0, None)[-1].instance
    found = followed(spec, instance)
    assert found is not None
    wanted = abs(float(instance.inputs[1][0])) if share is None else share
    assert condition(found).figure == pytest.approx(wanted)


def test_only_inputs_of_which_numbers_are_made_are_held() -> None:
    """An input that is a number is one of them."""
    spec = unroll_dsl.loads(OF_DATA.replace("STEP", "(abs(s) / L)"), "page.unroll")
    instance = cases(spec, 0, None)[-1].instance
    held = with_inputs_held(spec, instance)
    assert held is not None
    page, given = held
    assert [e.name for e in page.graph.inputs] == ["y"]
    assert float(given.bind["s"]) == float(instance.inputs[1][0])
    assert len(given.inputs) == 1 and not given.targets
    assert with_inputs_held(unroll_dsl.load("ista"), instance) is None
