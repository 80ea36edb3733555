"""What is proved of a method, by its formulas: each limit from both sides, and what else breaks it."""

from types import SimpleNamespace
from typing import Any

import pytest

from unroll_dsl.oracle.methods import Admm, GradientMethod, Linearised, PrimalDual, Splitting
from unroll_dsl.verify.method import Condition, condition, within

L = 4.0


def known(method: Any, *, quadratic: bool = False, norms: tuple[float, ...] = ()) -> Any:
    return SimpleNamespace(method=method, lipschitz=L, norms=norms, quadratic=quadratic)


def gradients(
    steps: list[float], momenta: list[float], *, heavy: bool = False, proximal: bool = False
) -> GradientMethod:
    return GradientMethod(tuple(steps), tuple(momenta), heavy, proximal)


@pytest.mark.parametrize(
    ("figure", "strict", "holds"),
    [
        (1 - 1e-8, True, True),
        (1 - 1e-10, True, False),
        (1.0, True, False),
        (1.0, False, True),
        (1 + 1e-10, False, True),
        (1 + 1e-8, False, False),
    ],
)
def test_a_limit_is_kept_but_for_rounding(figure: float, strict: bool, holds: bool) -> None:
    assert within(figure, 1.0, strict) is holds
    for scale in (1e-3, 1e3):
        assert within(scale * figure, scale, strict) is holds


def held(method: Any, **more: Any) -> Condition:
    return condition(known(method, **more))


@pytest.mark.parametrize(
    ("method", "quadratic", "name", "limit", "strict"),
    [
        (gradients([0.1], []), False, "gradient descent", 2.0, True),
        (gradients([0.1, 0.1], [0.0], proximal=True), False, "proximal gradient", 2.0, True),
        (gradients([0.1] * 2, [0.25]), False, "accelerated gradient", 1.0, False),
        (
            gradients([0.1] * 2, [0.25], proximal=True),
            False,
            "accelerated proximal gradient",
            1.0,
            False,
        ),
        (
            gradients([0.1] * 2, [0.25], proximal=True),
            True,
            "accelerated proximal gradient",
            1.0,
            False,
        ),
        (gradients([0.1] * 3, [0.25] * 2), True, "accelerated gradient", 2.5 / 1.5, True),
        (gradients([0.1] * 3, [0.25, 0.5]), True, "accelerated gradient", 1.0, False),
        (gradients([0.1] * 3, [0.25] * 2, heavy=True), True, "heavy ball", 2.5, True),
        (gradients([0.1] * 3, [0.25, 0.5], heavy=True), True, "heavy ball", 1.0, True),
        (gradients([0.1] * 3, [0.25, 0.375], heavy=True), False, "heavy ball", 1.25, True),
        (gradients([0.1] * 3, [0.25] * 2, heavy=True), False, "heavy ball", 1.5, True),
    ],
)
def test_limits_of_gradient_methods(
    method: GradientMethod, quadratic: bool, name: str, limit: float, strict: bool
) -> None:
    found = held(method, quadratic=quadratic)
    assert (found.name, found.strict, found.formula) == (name, strict, "t * L")
    assert found.limit == pytest.approx(limit) and found.figure == pytest.approx(0.1 * L)
    assert found.holds and found.other == "" and found.phases == ()
    # in one of the phases, and in all
    for steps in (
        [limit / L * 1.01, *method.steps[1:]],
        [limit / L * 1.01] * len(method.steps),
    ):
        longer = held(
            gradients(steps, [*method.momenta], heavy=method.heavy, proximal=method.proximal),
            quadratic=quadratic,
        )
        assert not longer.holds and longer.figure == pytest.approx(1.01 * limit)
        assert longer.phases == ((1,) if len(set(steps)) > 1 else ())
    last = [*method.steps[:-1], 0.99 * limit / L]
    assert held(
        gradients(last, [*method.momenta], heavy=method.heavy, proximal=method.proximal),
        quadratic=quadratic,
    ).holds


@pytest.mark.parametrize(
    ("steps", "momenta", "other"),
    [
        ([0.1, -0.1], [0.0], "a step is not positive"),
        ([0.1, 0.0], [0.0], "a step is not positive"),
        ([0.1] * 3, [0.5, -0.2], "momentum -0.2 is not within 0 and 1"),
        ([0.1] * 3, [0.5, 1.25], "momentum 1.25 is not within 0 and 1"),
        ([0.1] * 4, [0.5, 1.5, -0.5], "momentum 1.5 is not within 0 and 1"),
        ([0.1] * 4, [0.5, -0.5, 1.5], "momentum -0.5 is not within 0 and 1"),
        ([-0.1] * 2, [1.5], "a step is not positive"),
        ([0.1] * 3, [0.0, 1.0], ""),
    ],
)
def test_what_breaks_a_gradient_method(
    steps: list[float], momenta: list[float], other: str
) -> None:
    found = held(gradients(steps, momenta))
    assert found.other == other and found.holds is (not other)


def splitting(steps: list[float], relaxations: list[float], gradient: bool) -> Condition:
    return held(Splitting(tuple(steps), tuple(relaxations), gradient))


def test_relaxations_of_splittings() -> None:
    found = splitting([3.0, 3.0], [1.0, 1.9], False)
    assert (found.name, found.figure, found.limit) == ("Douglas-Rachford or ADMM", 1.9, 2.0)
    assert found.formula == "relaxation" and found.strict and found.holds
    assert not splitting([3.0, 3.0], [1.0, 2.0], False).holds
    assert splitting([3.0, 3.1], [1.0, 1.0], False).other == "the step changes, from 3 to 3.1"
    assert splitting([3.1, 3.0], [-1.0, 1.0], False).other == "the step changes, from 3 to 3.1"
    assert splitting([3.0, 3.0 * (1 + 1e-10)], [1.0, 1.0], False).holds
    for relaxation in (0.0, -0.5):
        found = splitting([3.0, 3.0], [1.0, relaxation], False)
        assert found.other == f"relaxation {relaxation:.3g} is not positive" and not found.holds
    assert splitting([3.0], [0.1], False).holds


def test_davis_and_yin_bound_step_and_relaxation() -> None:
    """t L = 1.6 leaves relaxations below 2 - 0.8."""
    found = splitting([0.4, 0.4], [1.0, 1.1], True)
    assert (found.name, found.formula, found.strict) == ("Davis-Yin", "relaxation", True)
    assert found.figure == 1.1 and found.limit == pytest.approx(1.2) and found.holds
    assert not splitting([0.4, 0.4], [1.0, 1.2], True).holds
    found = splitting([0.5, 0.5], [1.0, 1.0], True)
    assert (found.formula, found.figure, found.limit, found.holds) == ("t * L", 2.0, 2.0, False)
    assert splitting([0.6, 0.6], [0.1, 0.1], True).figure == pytest.approx(2.4)


def test_primal_dual_steps() -> None:
    """Without a gradient tau (sigma_1 |K_1|^2 + sigma_2 |K_2|^2), with one L / 2 besides."""
    norms = (9.0, 4.0)
    found = held(PrimalDual(0.1, (0.5, 0.25), 1.0, False), norms=norms)
    assert (found.name, found.limit, found.strict) == ("primal-dual hybrid gradient", 1.0, False)
    assert found.figure == pytest.approx(0.1 * (0.5 * 9 + 0.25 * 4)) and found.holds
    assert found.formula == "tau * sigma * |K|^2"
    found = held(PrimalDual(0.1, (0.5, 0.25), 1.0, True), norms=norms)
    assert found.name == "Condat-Vu" and found.formula == "tau * (sigma * |K|^2 + L / 2)"
    assert found.figure == pytest.approx(0.1 * (0.5 * 9 + 0.25 * 4 + 2)) and found.holds
    assert (found.limit, found.strict) == (1.0, False)
    for gradient in (False, True):
        found = held(PrimalDual(0.1, (0.5, 0.25), 0.5, gradient), norms=norms)
        assert found.other == "extrapolation 0.5, not 1" and not found.holds
        assert held(PrimalDual(0.1, (0.5, 0.25), 1 + 1e-10, gradient), norms=norms).holds
    assert not held(PrimalDual(1.0, (0.5, 0.25), 1.0, False), norms=norms).holds


def test_the_share_of_linearised_admm() -> None:
    """Maps of several splittings stand above each other: their squared norms add up."""
    found = held(Linearised(0.2), norms=(2.0, 3.0))
    assert (found.name, found.formula) == ("linearised ADMM", "mu / lambda * |K|^2")
    assert (found.figure, found.limit, found.strict, found.holds) == (1.0, 1.0, False, True)
    assert not held(Linearised(0.21), norms=(5.0,)).holds
    assert not held(Linearised(0.2), norms=(2.0, 3.1)).holds


def test_admm_is_told_by_its_relaxation() -> None:
    found = held(Admm((3.0, 3.0), (1.0, 1.9)))
    assert (found.name, found.figure, found.limit, found.holds) == ("ADMM", 1.9, 2.0, True)
    assert not held(Admm((3.0, 3.0), (1.0, 2.0))).holds
    assert held(Admm((3.0, 3.1), (1.0,))).other == "the step changes, from 3 to 3.1"
    assert held(Admm((), (1.0,))).holds  # of constraints alone no step can be told
