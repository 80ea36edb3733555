"""Terms of an objective as functions: smooth ones that are no quadratic form, several rough ones, constants, inputs."""

import dataclasses
from typing import Any

import numpy as np
import pytest

import unroll_dsl
from unroll_dsl.verify import terms as terms_module
from unroll_dsl.verify.functions import Objective
from unroll_dsl.verify.instance import draw
from unroll_dsl.verify.minimum import minimum
from unroll_dsl.verify.terms import Terms, Unreadable

PAGE = """algorithm p
dims m, n
input y : {field}vector[m]
fixed A : matrix[m, n]
fixed c : scalar > 0 = 0.3
fixed g : scalar > 0 = 2
{more}let w = 3 * c
minimize over {over}:
    {objective}
state x : {field}vector[n] = 0
state z : vector[m] = 0
phase (2):
    x <- x + A' @ y
    z <- z + A @ real(x)
output x, z
"""
RNG = np.random.default_rng(2)
A, Y = RNG.standard_normal((3, 4)), RNG.standard_normal(3)
X, Z = RNG.standard_normal(4), RNG.standard_normal(3)


def made(objective: str, *, over: str = "x", more: str = "", field: str = "", y: Any = Y) -> Terms:
    spec = unroll_dsl.loads(PAGE.format(objective=objective, over=over, more=more, field=field))
    drawn = draw(spec.graph, dims={"m": 3, "n": 4}, batch=1)
    instance = dataclasses.replace(
        drawn, bind={**drawn.bind, "A": A}, inputs=(np.asarray(y)[None],)
    )
    return Terms(spec, instance, Objective(spec, instance).space)


def checked(found: Terms, point: Any, value: float, smooth: int, rough: int) -> None:
    """Values, slopes and curvatures, the latter two by differences of the former."""
    assert (len(found.smooth), len(found.rough)) == (smooth, rough)
    whole = found.value(point) + found.height(found.rough_at(point))
    assert whole == pytest.approx(value)
    steps = 1e-6 * np.eye(len(point))
    slope = [(found.value(point + s) - found.value(point - s)) / 2e-6 for s in steps]
    assert found.slope(point) == pytest.approx(np.array(slope), rel=1e-6, abs=1e-7)
    curvature = np.array([(found.slope(point + s) - found.slope(point - s)) / 2e-6 for s in steps])
    assert found.curvature(point) == pytest.approx(
        (curvature + curvature.T) / 2, rel=1e-4, abs=1e-5
    )


def test_a_smooth_term_that_is_no_quadratic_form() -> None:
    found = made("sum(A @ x - y + softplus(-2 * (A @ x - y)) - log(2)) + c * sumsq(x)")
    assert not found.quadratic
    value = np.log(np.cosh(A @ X - Y)).sum() + 0.3 * X @ X
    checked(found, X, value, 2, 0)
    exact = A.T @ np.diag(1 / np.cosh(A @ X - Y) ** 2) @ A + 0.6 * np.eye(4)
    assert found.curvature(X) == pytest.approx(exact, rel=1e-6, abs=1e-8)
    for scale in (1e-6, 20.0):  # differences of the size of the arguments
        far = found.curvature(scale * X)
        exact = A.T @ np.diag(1 / np.cosh(A @ (scale * X) - Y) ** 2) @ A + 0.6 * np.eye(4)
        assert far == pytest.approx(exact, rel=1e-4, abs=1e-4)


def test_weights_of_constants_lets_and_numbers() -> None:
    found = made("g / 2 * sumsq(A @ x - y) + w * norm1(x) + c * norm1(A @ x) / 4")
    value = ((A @ X - Y) ** 2).sum() + 0.9 * np.abs(X).sum() + 0.3 / 4 * np.abs(A @ X).sum()
    checked(found, X, value, 1, 2)
    assert found.rough_map.shape == (7, 4) and found.map.shape == (3, 4)
    assert found.map == pytest.approx(A) and found.offset == pytest.approx(-Y)
    assert found.rough_map == pytest.approx(np.concatenate([np.eye(4), A]))
    assert found.rough_offset == pytest.approx(np.zeros(7))
    z = RNG.standard_normal(7)
    levels = np.array([0.9] * 4 + [0.075] * 3)
    for scale, factor in ((1.0, 1.0), (0.5, 1.0), (0.5, 3.0)):
        found.factor = factor
        wanted = np.sign(z) * np.maximum(np.abs(z) - scale * factor * levels, 0)
        assert found.prox(z, scale) == pytest.approx(wanted)
        assert found.height(z) == pytest.approx(factor * (levels * np.abs(z)).sum())


def test_indicators_have_no_height_and_no_weight() -> None:
    found = made("sumsq(x - A' @ y) / 2 + indicator(min(x) >= 0)")
    assert found.height(-np.ones(4)) == 0
    z = np.array([1.0, -2.0, 0.5, -0.1])
    for scale in (0.1, 10.0):
        assert found.prox(z, scale).tolist() == [1.0, 0.0, 0.5, 0.0]


def test_several_variables() -> None:
    found = made("sumsq(A @ x - y - z) / 2 + c * norm1(z) + sumsq(x)", over="x, z")
    point = np.concatenate([X, Z])
    value = ((A @ X - Y - Z) ** 2).sum() / 2 + 0.3 * np.abs(Z).sum() + X @ X
    checked(found, point, value, 2, 1)
    assert found.map[:3] == pytest.approx(np.hstack([A, -np.eye(3)]))
    assert found.rough_map == pytest.approx(np.hstack([np.zeros((3, 4)), np.eye(3)]))


def test_complex_variables_are_two_parts() -> None:
    y = Y + 1j * RNG.standard_normal(3)
    found = made("sumsq(A @ x - y) / 2 + c * norm1(x)", field="complex ", y=y)
    assert found.quadratic
    point = RNG.standard_normal(8)
    x = point[:4] + 1j * point[4:]
    value = (np.abs(A @ x - y) ** 2).sum() / 2 + 0.3 * np.abs(x).sum()
    checked(found, point, value, 1, 1)
    z = found.prox(point, 1.0)
    shrunk = x * np.maximum(1 - 0.3 / np.abs(x), 0)
    assert z == pytest.approx(np.concatenate([shrunk.real, shrunk.imag]))


def test_without_smooth_terms_there_is_no_curvature() -> None:
    found = made("c * norm1(x - A' @ y) + norm1(x)")
    assert found.smooth == () and found.value(X) == 0
    assert found.curvature(X).tolist() == np.zeros((4, 4)).tolist()
    assert found.rough_offset == pytest.approx(np.concatenate([-A.T @ Y, np.zeros(4)]))
    least = minimum(found, X, 1.0)
    assert least.x == pytest.approx(np.zeros(4), abs=1e-7)  # the larger weight stands at 0


@pytest.mark.parametrize("away", [0.0, 0.1])
def test_least_values_where_newtons_steps_are_several(away: float) -> None:
    """Log-cosh and the l1 norm; at the minimiser 0 is in the subdifferential."""
    found = made("sum(A @ x - y + softplus(-2 * (A @ x - y)) - log(2)) + c * norm1(x)")
    least = minimum(found, away * np.ones(4), 3.0)
    x = least.x
    slope = A.T @ np.tanh(A @ x - Y)
    assert np.all(np.abs(slope) <= 0.3 * (1 + 1e-6))
    moved = np.abs(x) > 1e-6
    assert moved.any() and slope[moved] == pytest.approx(-0.3 * np.sign(x[moved]), rel=1e-5)
    assert least.gap <= 1e-8 and least.apart <= 1e-7


@pytest.mark.parametrize(
    ("objective", "why"),
    [
        ("sumsq(x) + norm0(x)", "`norm0(x)` is not convex"),
        ("sumsq(x) - norm1(x)", "not convex"),
    ],
)
def test_what_is_no_sum_of_convex_terms_says_why(objective: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why.replace("(", r"\(").replace(")", r"\)")):
        made(objective)


def test_what_is_too_large_is_not_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries of all arguments count: 3 of the smooth term and 4 of the other."""
    text = "sumsq(A @ x - y) + norm1(x)"
    monkeypatch.setattr(terms_module, "_MOST", 7)
    made(text)
    monkeypatch.setattr(terms_module, "_MOST", 6)
    with pytest.raises(Unreadable, match="it is too large"):
        made(text)


@pytest.mark.parametrize("name", ["smooth_1", "rough_2", "scale"])
def test_names_that_the_proof_needs(name: str) -> None:
    with pytest.raises(Unreadable, match="its names are those that the proof needs"):
        made(f"sumsq(A @ x - y) + {name} * norm1(x)", more=f"fixed {name} : scalar > 0 = 1\n")


def test_other_names_do_not_matter() -> None:
    found = made("sumsq(A @ x - y) + roughly * norm1(x)", more="fixed roughly : scalar > 0 = 1\n")
    assert len(found.rough) == 1
