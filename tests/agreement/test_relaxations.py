"""Relaxations: those that say so start as the algorithm that they come from, phase by phase."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import unroll_dsl
from unroll_dsl.relax import relax, split_options
from unroll_dsl.relax.run import relaxations
from unroll_dsl.verify.instance import draw

PHASES = 4
FILTERED = ("cs_mri", "admm", {"statements": "let D = filters(dct_basis(3), padding=circular)"})
CASES: tuple[tuple[str | tuple[Any, ...], str, str], ...] = (
    ("ista", "step", "x"),
    ("ista", "step(shared, letter=tau)", "x"),
    ("gradient_descent", "step", "x"),
    ("tv_pdhg", "step", "x"),
    ("ista", "threshold", "x"),
    ("ista", "threshold(entrywise)", "x"),
    ("group_lasso", "threshold(shared)", "X"),
    ("wavelet_ista", "step,threshold", "x"),
    ("admm_lasso", "penalty", "z"),
    ("tv_admm", "penalty,rate", "x"),
    ("admm_lasso", "rate(shared)", "z"),
    ("douglas_rachford", "learn(gamma, eta)", "z"),
    ("fista_cd", "momentum", "x"),
    ("ista", "matrices", "x"),
    ("ista", "matrices(untied),threshold(entrywise)", "x"),
    ("ista", "gradient,threshold", "x"),
    ("fista", "gradient(shared)", "x"),
    ("ista", "shrinkage", "x"),
    ("ista", "step,shrinkage(knots=8)", "x"),
    ("admm_lasso", "shrinkage(shared, knots=3)", "z"),
    ("admm_lasso", "penalty,shrinkage", "z"),
    (("block_cs", "ista", {}), "shrinkage", "x"),
    (FILTERED, "filters", "x"),
    (FILTERED, "filters(untied, shared),penalty(channels),rate(channels)", "x"),
)


def page_of(source: str | tuple[Any, ...]) -> Any:
    if isinstance(source, str):
        return unroll_dsl.load(source)
    problem, method, options = source
    return unroll_dsl.load(problem).derive(method, **options).spec


def states_of(spec: Any, instance: Any, state: str) -> Any:
    known = {c.name for c in spec.graph.constants}
    bind = {k: v for k, v in instance.bind.items() if k in known}
    dims = {k: v for k, v in instance.sizes.items() if k in dict(spec.graph.dims)}
    reference = spec.reference(PHASES, bind=bind, dims=dims)
    return np.array([states[state] for states in reference.trajectory(*instance.inputs)])


@pytest.mark.parametrize(("source", "asked", "state"), CASES, ids=lambda v: str(v)[:40])
def test_starts_at_the_classical_values(
    source: str | tuple[Any, ...], asked: str, state: str
) -> None:
    page = page_of(source)
    network = unroll_dsl.loads(relax(page.typed, split_options(asked))[-1].text)
    assert len(network.graph.parameters) > len(page.graph.parameters)
    instance = draw(page.graph, seed=6, batch=2)
    expected = states_of(page, instance, state)
    found = states_of(network, instance, state)
    assert np.abs(expected[-1]).max() > 1e-3
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_shrinkage_starts_at_the_curve() -> None:
    """Linear between knots: equal to soft thresholding where a knot lies at the threshold."""
    source = (
        "algorithm a\ndims c, h, w\ninput y : image[c, h, w]\nstate x : image[c, h, w] = 0\n"
        "phase (3):\n    x <- soft(0.5 * x + y, 0.1)\noutput x\n"
    )
    before = unroll_dsl.loads(source)
    after = unroll_dsl.loads(relax(before.typed, ["shrinkage(knots=21)"])[-1].text)
    y = np.random.default_rng(0).uniform(-2, 2, (2, 3, 4, 5))
    sizes = {"c": 3, "h": 4, "w": 5}
    np.testing.assert_allclose(
        after.reference(dims=sizes)(y), before.reference(dims=sizes)(y), atol=1e-13
    )


def test_shrinkage_between_knots_is_off_by_no_more_than_it_says() -> None:
    """One curve, a threshold that is given halfway between two of 11 knots: off by a quarter of their distance 0.2."""
    source = (
        "algorithm a\ndims n\ninput y : vector[n]\nstate x : vector[n] = 0\n"
        "phase (1):\n    x <- soft(y, 0.3)\noutput x\n"
    )
    before = unroll_dsl.loads(source)
    (step,) = relax(before.typed, ["shrinkage(knots=11, value=0.3)"])
    y = np.linspace(-1.5, 1.5, 3001)
    found = unroll_dsl.loads(step.text).reference(dims={"n": 3001})(y)
    off = np.abs(found - before.reference(dims={"n": 3001})(y)).max()
    assert off == pytest.approx(0.05)
    assert step.notes[0].endswith("by up to 0.05 off between two")


def test_knots_are_laid_on_the_threshold() -> None:
    """Soft thresholding is linear between knots one of which is the threshold, whatever that is bound to."""
    source = (
        "algorithm a\ndims n\ninput y : vector[n]\nfixed lambda : scalar > 0 = 0.3\n"
        "state x : vector[n] = 0\nphase (1):\n    x <- soft(y, lambda)\noutput x\n"
    )
    before = unroll_dsl.loads(source)
    (step,) = relax(before.typed, ["shrinkage"])
    assert not step.notes
    after, y = unroll_dsl.loads(step.text), np.linspace(-50, 50, 3001)
    for value in (1e-3, 0.3, 7.0):
        known = {"bind": {"lambda": value}, "dims": {"n": 3001}}
        np.testing.assert_allclose(
            after.reference(**known)(y), before.reference(**known)(y), rtol=0, atol=1e-12
        )


@pytest.mark.parametrize(
    ("declared", "called", "words"),
    [
        ("scalar >= 0 = 0.3", "soft", "by up to 0.005 off between two"),
        ("scalar > 0 = 0.3", "hard", "which `hard` is not"),
    ],
)
def test_where_no_knot_can_be_laid_on_the_threshold_it_says_so(
    declared: str, called: str, words: str
) -> None:
    """A threshold that may be 0 is no unit, and a jump is no piece of a line."""
    source = (
        f"algorithm a\ndims n\ninput y : vector[n]\nfixed lambda : {declared}\n"
        f"state x : vector[n] = 0\nphase (1):\n    x <- {called}(y, lambda)\noutput x\n"
    )
    (step,) = relax(unroll_dsl.loads(source).typed, ["shrinkage"])
    assert step.notes[0].endswith(words)
    assert "x <- plf(y, q)" in step.text


@pytest.mark.parametrize(
    ("source", "asked", "line"),
    [
        ("fista", "momentum", "v <- x + beta * (x - prev(x))"),
        ("ista", "gradient(analytic)", "x <- soft(x - W' @ (A @ x - y), lambda / L)"),
        (
            "ista",
            "step,threshold,support",
            "x <- support_soft(x - mu * A' @ (A @ x - y), theta, p_k)",
        ),
        ("fista_cd", "step,schedule", "x <- soft(v - mu * A' @ (A @ v - y), lambda / L)"),
        ("wavelet_ista", "transform", "x <- Ft(soft(F(r), lambda))"),
        ("wavelet_ista", "residual(bias, nonneg)", "x <- relu(r + G(Ht(soft(H(d), lambda))))"),
    ],
)
def test_others_say_so_and_check(source: str, asked: str, line: str) -> None:
    steps = relax(unroll_dsl.load(source).typed, split_options(asked))
    assert not all(step.relaxation.classical for step in steps) or steps[-1].notes
    assert f"    {line}\n" in steps[-1].text


def test_every_relaxation_is_tried() -> None:
    from pathlib import Path

    from unroll_dsl.derive.deck import deck

    tried = " ".join(asked for _, asked, _ in CASES) + Path(__file__).read_text("utf-8")
    tried += " ".join(word for entry in deck().values() for word in entry.get("relax", ()))
    assert [name for name in relaxations() if name not in tried] == []


def test_from_python() -> None:
    network = (
        unroll_dsl.load("cs_mri")
        .derive(
            "admm", split="z = D @ x", statements="let D = filters(dct_basis(3), padding=circular)"
        )
        .relax("real", "filters", "shrinkage(value=0.05)")
    )
    assert "plf(D @ x + u, q)" in network.text
    assert [p.name for p in network.spec.graph.parameters] == ["gamma_D", "q"]


def test_a_letter_of_ones_own_reaches_the_objective() -> None:
    """A threshold that is a constant of the objective takes its new name there as well."""
    page = unroll_dsl.load("cs_mri").derive("ista").relax("threshold(letter=theta)")
    assert "lambda" not in page.text
    assert "1/2 * sumsq(A @ x - y) + theta * g(D @ x)" in page.text


PENALISED = """algorithm penalised
dims m, n
input y : vector[m]
fixed A : matrix[m, n]
fixed lambda : scalar > 0 = 0.1
fixed rho : scalar > 0 = 1
def g(rho, v) = rho * v
learnable theta : scalar per phase = lambda / rho
state x, u : vector[n] = rho * (A' @ y)
phase (5):
    z = solve(A' @ A + rho * I, A' @ y + g(rho, x - u))
    x <- soft(z + u, theta)
    u <- u + z - x
output rho * x
loss (x_star : vector[n]):
    sumsq(x - x_star) + rho * sumsq(x)
measure y = A @ x_star + 0.001 * rho * noise
"""


def test_a_letter_of_ones_own_reaches_every_statement() -> None:
    """Starts, outputs and the loss read the learnt constant under its name; what starts at a value
    made of it keeps that value. Data are made with the constant: their line goes, as with `learn=`."""
    page = unroll_dsl.loads(PENALISED)
    text = relax(page.typed, ["penalty(shared, letter=beta)"])[-1].text
    assert text.startswith("# Relaxed.\n")
    for line in (
        "def g(rho, v) = rho * v\n",
        "A' @ y + g(beta, x - u))\n",
        "learnable beta  : scalar > 0 = 1                # penalty\n",
        "learnable theta : scalar per phase = lambda\n",
        "state x, u : vector[n] = beta * (A' @ y)\n",
        "output beta * x\n",
        "    sumsq(x - x_star) + beta * sumsq(x)\n",
    ):
        assert line in text, line
    assert "measure" not in text


def test_the_step_of_a_mask_and_one_that_is_given() -> None:
    """Of `x - P * (P * x - y)`; a step that is another for each sample takes a value of its own."""
    page = unroll_dsl.loads(
        "problem holes\ndims h, w\ninput y : image[1, h, w]\nfixed P : mask[h, w]\n"
        "let W = wavelet(haar, 1)\nminimize over x : image[1, h, w]:\n"
        "    1/2 * sumsq(P * x - y) + 0.1 * norm1(W @ x)\n"
    )
    text = page.derive("ista").relax("step").text
    assert "learnable mu : scalar > 0 per phase = 1" in text
    assert "x <- W' @ soft(W @ (x - mu * P * (P * x - y)), 0.1)\n" in text
    steps = unroll_dsl.load("logistic_regression").derive("ista").relax("step(value=0.1)")
    assert "    x <- soft(x + mu * A' @ (y * sigmoid(-y * (A @ x))), lambda / L)\n" in steps.text
