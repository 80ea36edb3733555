"""Objectives as atoms of affine maps: what is read, and that the terms add up to what is written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import unroll_dsl
from unroll_dsl.diagnostics import UnrollError
from unroll_dsl.objectives import read
from unroll_dsl.objectives.facts import Facts
from unroll_dsl.syntax.printer import expression_text

HEAD = """\
problem page
dims m, n, g = 2, d = 3
input y : vector[m]
fixed A : matrix[m, n]
fixed D : matrix[g, n]
fixed c : vector[n]
fixed s : scalar = 2
fixed W0 : matrix[g, d]
"""


def form_of(objective: str, variables: str = "x : vector[n]", extra: str = "") -> Any:
    text = f"{HEAD}{extra}minimize over {variables}:\n    {objective}\n"
    return read(unroll_dsl.loads(text).typed)


def shown(form: Any) -> list[tuple[str, str, str]]:
    return [
        (expression_text(t.weight.expr()), t.atom.name, expression_text(t.argument.expr))
        for t in form.terms
    ]


@pytest.mark.parametrize(
    ("objective", "terms"),
    [
        ("1/2 * sumsq(A @ x - y)", [("1 / 2", "sumsq", "A @ x - y")]),
        ("sumsq(x - c) / (2 * s)", [("1 / (2 * s)", "sumsq", "x - c")]),
        ("s * (norm1(x) + 3 * norm2(D @ x))", [("s", "norm1", "x"), ("3 * s", "norm2", "D @ x")]),
        ("sum(abs(x)) - dot(c, x)", [("1", "norm1", "x"), ("-1", "linear", "x")]),
        ("sumsq(A @ x - y) + s^2", [("1", "sumsq", "A @ x - y")]),  # a constant moves no minimiser
        ("indicator(min(x) >= 0) + norm1(c * x)", [("1", "nonneg", "x"), ("1", "norm1", "c * x")]),
        ("sum(log(1 + exp(-y * (A @ x))))", [("1", "logistic", "-y * (A @ x)")]),
        ("sum(softplus(A @ x) - y * (A @ x))", [("1", "cross_entropy", "A @ x")]),
        ("sum(A @ x - y * log(A @ x))", [("1", "poisson", "A @ x")]),
        ("sum(relu(1 - y * (A @ x)))", [("1", "positive_part", "1 - y * (A @ x)")]),
    ],
)
def test_terms(objective: str, terms: list[tuple[str, str, str]]) -> None:
    assert shown(form_of(objective)) == terms


def test_functions_of_the_page_are_written_out() -> None:
    form = form_of("phi(D @ x, s)", extra="def phi(v, t) = t * norm1(v - 1)\n")
    assert shown(form) == [("s", "norm1", "D @ x - 1")]


def test_products_of_variables_are_affine_in_each() -> None:
    form = form_of("1/2 * sumsq(W @ H - W0)", "W : matrix[g, n], H : matrix[n, d]")
    (term,) = form.terms
    assert term.argument.blocks and term.variables == ("W", "H")
    gradient = term.gradient(form.variables[0], {})
    assert expression_text(gradient) == "(W @ H - W0) @ H'"


@pytest.mark.parametrize(
    ("objective", "code"),
    [("sum(sin(x))", "U0602"), ("norm1(x^2)", "U0603"), ("norm1(x) + sumsq(x * x)", "U0603")],
)
def test_what_is_no_term_is_named(objective: str, code: str) -> None:
    with pytest.raises(UnrollError) as caught:
        form_of(objective)
    assert [d.code for d in caught.value.diagnostics] == [code]


def test_gradients_are_those_of_differences() -> None:
    """Of the whole objective, at a random point: the sum of the terms' gradients."""
    objective = (
        "1/2 * sumsq(A @ x - y) + s / 4 * sumsq(c * x) + sum(softplus(-(D @ x) / s)) - dot(c, x)"
    )
    form = form_of(objective)
    gradients = [expression_text(t.gradient(form.variables[0], {})) for t in form.terms]
    page = HEAD.replace("problem page", "algorithm page") + "input x : vector[n]\n"
    rng = np.random.default_rng(0)
    bind = {
        "A": rng.standard_normal((4, 5)), "D": rng.standard_normal((2, 5)),
        "c": rng.standard_normal(5), "W0": np.zeros((2, 3)),
    }  # fmt: skip
    value = unroll_dsl.loads(f"{page}output {objective}\n").reference(bind=bind)
    whole = " + ".join(f"({g})" for g in gradients)
    found = unroll_dsl.loads(f"{page}output {whole}\n").reference(bind=bind)
    y, x = rng.standard_normal(4), rng.standard_normal(5)
    for i in range(5):
        e = np.zeros(5)
        e[i] = 1e-6
        slope = (value(y, x + e) - value(y, x - e)) / 2e-6
        assert found(y, x)[i] == pytest.approx(slope, abs=1e-7)


@pytest.mark.parametrize(
    ("map_", "squared"),
    [
        ("fft2", "1"), ("wavelet(db4, 2)", "1"), ("grad", "8"), ("grad(padding=circular)", "8"),
        ("blur(kernel)", "norm1(kernel)^2"), ("P * fft2", "1"),
        ("2 * blur(kernel, padding=circular)", "4 * norm1(kernel)^2"),
        ("filters(B)", "norm1(B)^2"), ("grad @ blur(kernel)", "8 * norm1(kernel)^2"),
    ],
)  # fmt: skip
def test_norms_bound_the_maps(map_: str, squared: str) -> None:
    """The bound is what a page would say, and power iteration keeps to it."""
    head = (
        "dims h = 8, w = 8\nfixed kernel : matrix[3, 3]\nfixed B : tensor[2, 3, 3]\n"
        f"fixed P : mask[h, w]\nlet M = {map_}\n"
    )
    problem = f"problem p\n{head}minimize over x : image[1, h, w]:\n    norm1(M @ x)\n"
    form = read(unroll_dsl.loads(problem).typed)
    (link,) = form.terms[0].maps("x")
    bound = Facts(form).squared_norm(link)
    assert bound is not None and expression_text(bound.expr()) == squared
    rng = np.random.default_rng(1)
    bind = {
        "kernel": rng.standard_normal((3, 3)), "B": rng.standard_normal((2, 3, 3)),
        "P": (rng.random((8, 8)) < 0.5) * 1.0,
    }  # fmt: skip
    step = unroll_dsl.loads(
        f"algorithm a\n{head}input x : image[1, h, w]\n"
        f"output real(M' @ (M @ x)), {squared} + 0 * sum(x)\n"
    ).reference(bind=bind)
    x = rng.standard_normal((1, 8, 8))
    for _ in range(40):
        x, limit = step(x / np.linalg.norm(x))
    assert np.linalg.norm(x) <= float(limit) * (1 + 1e-12)
