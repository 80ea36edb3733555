"""Divisions by 0 and the like in what no input changes are the author's mistake, told with place and phase,
wherever they are met first: checking, compiling, freezing, or by the interpreter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl

TEXT = """algorithm q
dims n
input y : vector[n]
fixed a : scalar = 0.7
fixed b : scalar = 0.7
{}
state x : vector[n] = 0
phase (4):
    x <- soft(x - s * y, 0.1)
output x
"""

# seen when values are known: what is declared, how many phases, and the words
LATE = {
    "let s = 1 / (a - b)": (4, "`1 / (a - b)` is infinite or no number"),
    "learnable s : scalar = 1 / (a - b)": (4, "`1 / (a - b)` is infinite or no number"),
    "learnable s : scalar per phase = 1 / (k - 4 * a / b)": (4, "no number in phase 4"),
    "fixed s : scalar per phase = 1 / (k - 4 * a / b)": (4, "no number in phase 4"),
    "fixed s : scalar = log(a - b)": (4, "`log(a - b)` is infinite or no number"),
    "let s = sqrt(a - 2 * b)": (4, "`sqrt(a - 2 * b)` is infinite or no number"),
    "learnable s : vector[n] = a / (b - b)": (4, "`a / (b - b)` is infinite or no number"),
    "let s = 1 / (k - a / b)": (4, "`1 / (k - a / b)` is infinite or no number in phase 1"),
    "let s = exp(1000 * a * k)": (4, "in phase 2"),
    "let s = 1 / (k - 12)": (12, "`1 / (k - 12)` is infinite or no number in phase 12"),
    "learnable s : scalar per phase = 1 / (k - n)": (4, "no number in phase 3"),
    "let s = 1 / (n - 3)": (4, "`1 / (n - 3)` is infinite or no number"),
}


@pytest.mark.parametrize("declared", LATE)
def test_faults_of_values(declared: str) -> None:
    phases, words = LATE[declared]
    spec = unroll_dsl.loads(TEXT.format(declared))
    for run in (
        lambda: spec.reference(phases, dims={"n": 3})(np.ones(3)),
        lambda: spec.compile(phases, dims={"n": 3}),
    ):
        with pytest.raises(unroll_dsl.UnrollError) as caught:
            run()
        (problem,) = caught.value.diagnostics
        assert problem.code == "U0530"
        assert words in problem.message()
        assert problem.labels()[0].span.text in declared


MAP = """algorithm q
dims h, w
input y : image[1, h, w]
fixed a : scalar = 0
fixed v : mask[h, w]
state x : image[1, h, w] = 0
phase (2):
    x <- x + {}
output x
"""
MADE_OF = {
    "a quotient": ("(grad' @ (grad / a)) @ y", "`grad / a`"),
    "a multiple": ("(2 / a * grad)' @ (grad @ y)", "`2 / a`"),
    "a diagonal": ("(v / a * grad)' @ (grad @ y)", "`v / a`"),
    "a system": ("solve(grad' @ grad / a + I, y)", "`grad' @ grad / a`"),
    "a blur": ("blur(v / a) @ y", "`v / a`"),
}


@pytest.mark.parametrize("name", MADE_OF)
def test_faults_in_what_a_map_is_made_of(name: str) -> None:
    product, words = MADE_OF[name]
    spec = unroll_dsl.loads(MAP.format(product))
    bind, dims = {"v": np.ones((3, 3))}, {"h": 3, "w": 3}
    for run in (
        lambda: spec.reference(bind=bind)(np.ones((1, 3, 3))),
        lambda: spec.compile(bind=bind, dims=dims),
    ):
        with pytest.raises(unroll_dsl.UnrollError) as caught:
            run()
        (problem,) = caught.value.diagnostics
        assert problem.code == "U0530" and words in problem.message()
    for finite in ({**bind, "a": 0.5}, {**bind, "a": np.float64(-2.5)}):
        assert np.isfinite(spec.reference(bind=finite)(np.ones((1, 3, 3)))).all()


@pytest.mark.parametrize(
    "declared",
    [
        "let s = where(a > b, 1 / (a - b), 2)",  # a guard
        "let s = 1 / (a - b + 1) + 0 * k",
        "learnable s : scalar per phase = 1 / k + k^2 / 10",
        "let s = 2^(-k) + log(k) + sqrt(k - 1)",
    ],
)
def test_what_is_finite_where_it_counts_runs(declared: str) -> None:
    spec = unroll_dsl.loads(TEXT.format(declared))
    y = np.array([1.0, -2.0, 3.0])
    net = spec.compile(dims={"n": 3}, dtype=torch.float64)
    expected = spec.reference(dims={"n": 3})(y)
    assert np.isfinite(expected).all()
    for found in (net, net.freeze()):
        with torch.no_grad():
            np.testing.assert_allclose(found(torch.as_tensor(y)), expected, rtol=1e-12)


def test_a_value_with_fewer_axes_is_repeated_along_the_first_even_where_sizes_agree() -> None:
    text = """algorithm rows
dims n
input y : vector[n]
fixed v : vector[n]
learnable W : matrix[n, n] = v
learnable V : tensor[n, n, n] = W
output W @ y, V @ y
"""
    spec = unroll_dsl.loads(text)
    v, y = np.array([1.0, 2.0, -3.0]), np.array([0.5, 1.0, 2.0])
    W = np.tile(v, (3, 1))
    expected = [W @ y, np.broadcast_to(W, (3, 3, 3)) @ y]

    def same(found: Any) -> None:
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12)

    same(spec.reference(bind={"v": v})(y))
    for level in (0, 1, 2):
        net = spec.compile(bind={"v": v}, dtype=torch.float64, optimize=level)
        with torch.no_grad():
            same(net(torch.as_tensor(y)))
