"""Least values of objectives whose minimisers have a formula, their certificates, and what is held against them."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.spec import Spec
from unroll_dsl.verify import Verdict, check, optimality
from unroll_dsl.verify.cases import Case
from unroll_dsl.verify.instance import Instance, draw
from unroll_dsl.verify.minimum import minimum
from unroll_dsl.verify.objective import _asks_for_more
from unroll_dsl.verify.optimality import Judge, RestingPlace
from unroll_dsl.verify.spaces import Space

TEXT = """algorithm page
dims m, n
input y : vector[m]
fixed A : matrix[m, n]
fixed c : scalar > 0 = 0.3
minimize over x:
    {objective}
state x : vector[n] = 0
phase (2):
    x <- x
output x
"""
RNG = np.random.default_rng(5)
Q = np.linalg.qr(RNG.standard_normal((6, 4)))[0]
S = np.array([0.5, 1.0, 1.5, 2.0])
A = Q * S  # orthogonal columns, so that entries are found one by one
Y = 3 * RNG.standard_normal(6)
B = A.T @ Y
C = 0.3


def shrunk(b: Any, by: float) -> Any:
    return np.sign(b) * np.maximum(np.abs(b) - by, 0)


# name: objective, its minimiser, its value
PROBLEMS: dict[str, tuple[str, Any, Any]] = {
    "lasso": (
        "1/2 * sumsq(A @ x - y) + c * norm1(x)",
        shrunk(B, C) / S**2,
        lambda x: 0.5 * ((A @ x - Y) ** 2).sum() + C * np.abs(x).sum(),
    ),
    "ridge": (
        "1/2 * sumsq(A @ x - y) + c * sumsq(x)",
        B / (S**2 + 2 * C),
        lambda x: 0.5 * ((A @ x - Y) ** 2).sum() + C * (x**2).sum(),
    ),
    "a rough term of a map": (
        "sumsq(x) / 2 + c * norm1(A' @ (A @ x - y))",
        None,
        lambda x: 0.5 * (x**2).sum() + C * np.abs(A.T @ (A @ x - Y)).sum(),
    ),
}
# entry by entry x^2 / 2 + c |s^2 x - b|: -c s^2 towards b / s^2, at most there
PROBLEMS["a rough term of a map"] = (
    PROBLEMS["a rough term of a map"][0],
    np.sign(B) * np.minimum(C * S**2, np.abs(B) / S**2),
    PROBLEMS["a rough term of a map"][2],
)


def judge(name: str) -> tuple[Judge, Spec, Instance]:
    spec = unroll_dsl.loads(TEXT.format(objective=PROBLEMS[name][0]), "page.unroll")
    drawn = draw(spec.graph, dims={"m": 6, "n": 4}, batch=1)
    instance = dataclasses.replace(drawn, bind={"A": A}, inputs=(Y[None],))
    return Judge(spec, instance, 0), spec, instance


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_least_value_is_found_and_certified(name: str) -> None:
    _, x, value = PROBLEMS[name]
    made = judge(name)[0]
    terms = made.terms
    assert terms is not None and made.unread == ""
    unit = value(np.zeros(4))
    found = minimum(terms, np.ones(4), unit)
    assert found.x == pytest.approx(x, abs=1e-6)
    assert found.value == pytest.approx(value(x), rel=1e-9)
    assert found.gap <= 2e-10 * unit and found.apart < 1e-8
    away = x + 0.3  # what is certified is below any value, wherever it is looked for
    assert found.value - found.gap <= value(away)


@pytest.mark.parametrize("name", PROBLEMS)
def test_terms_are_those_of_the_objective(name: str) -> None:
    value = PROBLEMS[name][2]
    made = judge(name)[0]
    terms = made.terms
    assert terms is not None and terms.quadratic
    for x in (np.zeros(4), np.array([1.0, -2.0, 0.5, 3.0])):
        whole = terms.value(x) + terms.height(terms.rough_at(x))
        assert whole == pytest.approx(value(x))
        assert made.objective.at({"x": x}) == pytest.approx(value(x))
        steps = 1e-6 * np.eye(4)
        slope = [(terms.value(x + s) - terms.value(x - s)) / 2e-6 for s in steps]
        assert terms.slope(x) == pytest.approx(slope, rel=1e-6, abs=1e-6)
        curvature = [(terms.slope(x + s) - terms.slope(x - s)) / 2e-6 for s in steps]
        assert terms.curvature(x) == pytest.approx(np.array(curvature), rel=1e-6, abs=1e-6)
    if len(terms.rough):
        z = np.array([1.0, -0.05, 0.4, -3.0])
        assert terms.prox(z, 0.5) == pytest.approx(shrunk(z, 0.5 * C))


def at(x: Any, positive: frozenset[str] = frozenset()) -> RestingPlace:
    return RestingPlace({"x": x}, (), (), True, positive)


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("away", [0.0, 1e-3, 1e-2])
def test_a_place_is_held_against_the_least_value(name: str, away: float) -> None:
    _, x, value = PROBLEMS[name]
    there = x + away
    decision = judge(name)[0].decide(at(there))
    unit = max(value(there), value(np.zeros(4)))
    assert decision.above == pytest.approx((value(there) - value(x)) / unit, rel=1e-3, abs=2e-10)
    if away:
        assert decision.verdict is Verdict.FAILED
        assert f"it is {decision.above:.1e} above the least value; it falls where" in decision.words
    else:
        assert decision.verdict is Verdict.PASSED
        assert decision.words.startswith("the least value, which duality gives to ")


@pytest.mark.parametrize(("factor", "weight"), [(0.5, "c / 2"), (2.0, "2 * c")])
def test_the_minimiser_for_another_weight_is_told(factor: float, weight: str) -> None:
    decision = judge("lasso")[0].decide(at(shrunk(B, factor * C) / S**2))
    assert decision.verdict is Verdict.FAILED
    assert f"it is the minimiser for {weight} * norm1(x), not for c * norm1(x)" in decision.words


def test_another_weight_is_told_where_its_least_value_is_certain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = judge("lasso")[0]
    x, unit = shrunk(B, 2 * C) / S**2, PROBLEMS["lasso"][2](np.zeros(4))
    assert made._of_another_weight(x, unit) != ""
    assert made.terms is not None and made.terms.factor == 1

    def uncertain(*arguments: Any) -> Any:
        return dataclasses.replace(minimum(*arguments), gap=1e-3 * unit)

    monkeypatch.setattr(optimality, "minimum", uncertain)
    assert made._of_another_weight(x, unit) == ""


def test_a_run_that_never_rests_has_no_end_that_is_its_fault() -> None:
    made, spec, instance = judge("lasso")
    x = PROBLEMS["lasso"][1]
    still = tuple({"x": x + k * 1e-3} for k in (3, 2, 1))
    before = tuple({"x": x + k * 1e-2} for k in (3, 2, 1))
    gains = [np.ptp(made.objective.along([*states])) for states in (still, before)]
    place = dataclasses.replace(at(x), rests=False, late=still, early=before)
    unit = PROBLEMS["lasso"][2](np.zeros(4))
    assert made._to_come(place, unit) == pytest.approx(10 * gains[0] / unit)
    back = dataclasses.replace(place, late=before, early=still)
    assert made._to_come(back, unit) == np.inf
    assert made._to_come(at(x), unit) == 0
    assert not made._rises(place, unit) and made._rises(back, unit)
    case = Case(instance, ())
    assert not _asks_for_more(spec, case, ["x"])  # it has no constants but the objective's


SPACE = Space(["a", "z", "s"], [(2, 3), (2,), ()], [False, True, False])


def test_arrays_as_one_vector_and_back() -> None:
    values = {
        "a": np.arange(6.0).reshape(2, 3),
        "z": np.array([6 + 8j, 7 + 9j]),
        "s": np.array(10.0),
    }
    flat = SPACE.flat(values)
    assert flat.tolist() == list(range(11)) and SPACE.size == 11
    points = torch.from_numpy(np.stack([flat, 2 * flat]))
    for point, factor in ((points, np.array([1, 2])), (points[0], 1)):
        for name, found in zip("azs", SPACE.tensors(point), strict=True):
            expected = np.multiply.outer(factor, values[name])
            assert np.array_equal(found.numpy(), expected)
    assert np.array_equal(SPACE.joined(SPACE.tensors(points), 2), points.numpy())
    assert SPACE.entries(frozenset("z")).nonzero()[0].tolist() == [6, 7, 8, 9]
    assert SPACE.entries(frozenset("as")).nonzero()[0].tolist() == [*range(6), 10]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (0, "`a[1, 1]` moves"),
        (5, "`a[2, 3]` moves"),
        (6, "`z[1]` moves"),
        (9, "`z[2]` moves"),
        (10, "`s` moves"),
    ],
)
def test_what_a_step_moves_most(place: int, words: str) -> None:
    step = np.zeros(11)
    step[place] = -0.25
    assert SPACE.words(step) == f"it falls where {words} by -2.5e-01"
    step[3 if place != 3 else 4] += 0.1
    assert words.replace(" moves", " and other entries moves") in SPACE.words(step)


def test_entries_are_counted_within_their_array() -> None:
    space = Space(["a", "b", "c", "d"], [(2,), (3,), (2, 2), (3,)], [False] * 4)
    found = [space.words(row).partition("`")[2].partition("`")[0] for row in np.eye(12)]
    assert found == [
        *("a[1]", "a[2]", "b[1]", "b[2]", "b[3]"),
        *("c[1, 1]", "c[1, 2]", "c[2, 1]", "c[2, 2]", "d[1]", "d[2]", "d[3]"),
    ]


def test_slopes_of_roots_at_0_are_none() -> None:
    text = TEXT.format(objective="1/2 * sumsq(A @ x - y) + {sign} c * sum(sqrt(x))")
    for sign in ("", "-"):
        spec = unroll_dsl.loads(text.replace("+ {sign}", sign or "+"), "page.unroll")
        drawn = draw(spec.graph, dims={"m": 6, "n": 4}, batch=1)
        instance = dataclasses.replace(drawn, bind={"A": A}, inputs=(Y[None],))
        slope = Judge(spec, instance, 0).objective.function.slope(np.zeros(4))
        assert slope == pytest.approx(np.zeros(4))


def test_a_scalar_may_be_the_variable() -> None:
    text = """algorithm number
input y : scalar
fixed c : scalar > 0 = 0.3
minimize over x:
    1/2 * sumsq(x - y) + c * norm1(x)
state x : scalar = 0
phase (20):
    x <- soft(x - 0.5 * (x - y), 0.5 * c)
output x
"""
    rows = {row.name: row for row in check(unroll_dsl.loads(text, "number.unroll")).rows}
    assert rows["rests at the minimiser"].verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("below", "rests", "verdict", "words"),
    [
        (1e-3, True, Verdict.FAILED, "violates"),
        (1e-3, False, Verdict.UNDECIDED, "and moves on"),  # it may keep to it in the limit
        (1e-8, True, Verdict.FAILED, "violates"),
        (1e-8, False, Verdict.PASSED, "; its constraints are kept to but for 1e-08"),
        (1e-17, True, Verdict.PASSED, "duality"),  # it does, but for the last bits
    ],
)
def test_constraints_that_are_split_off(
    below: float, rests: bool, verdict: Verdict, words: str
) -> None:
    text = TEXT.format(objective="1/2 * sumsq(x - A' @ y) + indicator(min(x) >= 0)")
    spec = unroll_dsl.loads(text, "page.unroll")
    drawn = draw(spec.graph, dims={"m": 6, "n": 4}, batch=1)
    instance = dataclasses.replace(drawn, bind={"A": A}, inputs=(Y[None],))
    assert (A.T @ Y < 0).any()
    last = {"x": np.maximum(A.T @ Y, -below)}
    before = {"x": np.maximum(A.T @ Y, 0) * (1 + 1e-9) - 1.1 * below}
    early = {"x": np.maximum(A.T @ Y, 0) * (1 + 1e-8) - 2 * below}
    place = RestingPlace(last, (before, last), (early, before), rests, frozenset())
    found = Judge(spec, instance, 0).decide(place)
    assert found.verdict is verdict and words in found.words
    assert found.words.endswith(words) == words.startswith((";", "and"))
