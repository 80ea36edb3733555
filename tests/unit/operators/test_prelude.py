"""The prelude: every function is what its comment says, in both backends, for batches too."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.resources import grammar_path

Numbers = np.ndarray[Any, Any]

N = 7
PRELUDE = grammar_path("prelude.unroll").read_text("utf-8")
DEFINED = set(re.findall(r"^def (\w+)\(", PRELUDE, re.M))


def call(expression: str, v: Numbers, kind: str = "vector[n]", **fixed: Any) -> Numbers:
    """`expression` of an input v, by the reference; torch must agree, one by one and as a batch."""
    is_complex = np.iscomplexobj(v)
    lines = ["algorithm called", "dims n, g, h", f"input v : {'complex ' * is_complex}{kind}"]
    for name, value in fixed.items():
        shape = {0: "scalar", 1: "vector[g]"}[np.ndim(value)]
        lines.append(f"fixed {name} : {shape}")
    spec = unroll_dsl.loads("\n".join([*lines, f"output {expression}", ""]))
    expected = spec.reference(bind=fixed)(v)
    net = spec.compile(bind=fixed, dtype=torch.float64)
    with torch.no_grad():
        batch = net(torch.as_tensor(v)).resolve_conj().numpy()
        one = net(torch.as_tensor(v[0])).resolve_conj().numpy()
    np.testing.assert_allclose(batch, expected, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(one, expected[0], rtol=1e-12, atol=1e-13)
    return np.asarray(expected)


@pytest.fixture
def v() -> Numbers:
    """A batch of vectors, with zeros and with entries on both sides of each threshold below."""
    found = np.random.default_rng(0).normal(size=(5, N)) * 1.5
    found[0, :2] = 0.0
    return found


@pytest.fixture
def z(v: Numbers) -> Numbers:
    return v + 1j * np.random.default_rng(1).normal(size=v.shape) * (v != 0)


def assert_prox(value: Callable[[Numbers], Any], v: Numbers, found: Numbers) -> None:
    """`found` minimises `value(x) + 1/2 |x - v|^2` (convex): no step near it goes below it."""
    rng = np.random.default_rng(2)
    for one, x in zip(v, found, strict=True):
        least = value(x) + 0.5 * np.sum(np.abs(x - one) ** 2)
        for size in (1e-3, 1e-2, 0.1, 1.0):
            steps = rng.normal(size=(200, *x.shape)) * size
            if np.iscomplexobj(x):
                steps = steps + 1j * rng.normal(size=steps.shape) * size
            for step in (
                *steps,
                *(one * s for s in (-size, size)),
                *(x * s for s in (-size, size)),
            ):
                moved = x + step
                assert value(moved) + 0.5 * np.sum(np.abs(moved - one) ** 2) >= least - 1e-12


def assert_projection(inside: Callable[[Numbers], bool], v: Numbers, found: Numbers) -> None:
    """`found` lies in the set, at its nearest point; what lay in it is where it was."""
    for one, x in zip(v, found, strict=True):
        assert inside(x)
        if inside(one):
            np.testing.assert_allclose(x, one)
    assert_prox(lambda x: 0.0 if inside(x) else np.inf, v, found)


def test_every_function_has_a_comment_and_a_test() -> None:
    source = Path(__file__).read_text("utf-8")
    for name in DEFINED:
        assert re.search(rf'"{name}\(', source), f"`{name}` is not tested"
        assert re.search(rf"^#.*\.\ndef {name}\(", PRELUDE, re.M), f"`{name}` has no comment"


@pytest.mark.parametrize("field", ["v", "z"])
def test_soft_is_the_proximal_map_of_the_1_norm(field: str, request: Any) -> None:
    value = request.getfixturevalue(field)
    found = call("soft(v, t)", value, t=0.7)
    assert_prox(lambda x: 0.7 * np.abs(x).sum(), value, found)
    assert (found == 0).any() and (found != 0).any()


def test_soft_of_a_negative_threshold_keeps_to_its_formula(v: Numbers) -> None:
    """Published networks have learnt such thresholds."""
    np.testing.assert_allclose(call("soft(v, t)", v, t=-0.3), np.sign(v) * (np.abs(v) + 0.3))


@pytest.mark.parametrize("field", ["v", "z"])
def test_hard_keeps_what_is_above_the_threshold(field: str, request: Any) -> None:
    value = request.getfixturevalue(field)
    expected = np.where(np.abs(value) > 0.7, value, 0)
    np.testing.assert_array_equal(call("hard(v, t)", value, t=0.7), expected)


@pytest.mark.parametrize("field", ["v", "z"])
def test_firm_is_linear_between_its_thresholds(field: str, request: Any) -> None:
    value = request.getfixturevalue(field)
    found = call("firm(v, t, s)", value, t=0.5, s=1.5)
    modulus = np.interp(np.abs(value), [0, 0.5, 1.5, 100], [0, 0, 1.5, 100])
    np.testing.assert_allclose(np.abs(found), modulus)
    np.testing.assert_allclose(found * np.abs(value), value * modulus, atol=1e-14)


@pytest.mark.parametrize("field", ["v", "z"])
def test_garrote(field: str, request: Any) -> None:
    value = request.getfixturevalue(field)
    size = np.abs(value)
    factor = np.where(size > 0.7, 1 - 0.49 / np.where(size > 0, size, 1) ** 2, 0)
    np.testing.assert_allclose(call("garrote(v, t)", value, t=0.7), factor * value, atol=1e-14)


@pytest.mark.parametrize("field", ["v", "z"])
def test_block_soft_shrinks_the_rows_of_a_matrix(field: str, request: Any) -> None:
    value = request.getfixturevalue(field)
    V = np.stack([value, 0.3 * value[::-1], 2 * value])  # 3 samples of [5, 7]
    V[0, 0] = 0
    found = call("block_soft(v, t)", V, "matrix[g, n]", t=1.5)
    assert_prox(lambda X: 1.5 * np.linalg.norm(X, axis=1).sum(), V, found)
    thresholds = np.array([0.1, 0.5, 1.0, 2.0, 100.0])  # one for each row
    found = call("block_soft(v, t)", V, "matrix[g, n]", t=thresholds)
    assert_prox(lambda X: thresholds @ np.linalg.norm(X, axis=1), V, found)


@pytest.mark.parametrize("field", ["v", "z"])
def test_pixels_shrink_and_are_projected_together(field: str, request: Any) -> None:
    value = request.getfixturevalue(field)
    V = np.stack([value[:2], 0.3 * value[2:4], 2 * value[1:3]])[:, :, None]  # 3 of [2, 1, 7]
    V[0, :, 0, 0] = 0

    def longest(X: Numbers) -> Any:
        return np.linalg.norm(X, axis=0).max()

    shrunk = call("pixel_soft(v, t)", V, "image[g, h, n]", t=0.8)
    assert_prox(lambda X: 0.8 * np.linalg.norm(X, axis=0).sum(), V, shrunk)
    projected = call("pixel_ball(v, r)", V, "image[g, h, n]", r=0.8)
    assert_projection(lambda X: longest(X) <= 0.8 + 1e-12, V, projected)
    np.testing.assert_allclose(shrunk + projected, V, atol=1e-13)  # Moreau


def test_projections_onto_boxes(v: Numbers) -> None:
    np.testing.assert_array_equal(call("nonneg(v)", v), np.maximum(v, 0))
    np.testing.assert_array_equal(call("box(v, a, b)", v, a=-0.4, b=1.1), np.clip(v, -0.4, 1.1))
    found = call("soft_nonneg(v, t)", v, t=0.4)
    assert_prox(lambda x: 0.4 * x.sum() if (x >= 0).all() else np.inf, v, found)


@pytest.mark.parametrize("field", ["v", "z"])
def test_balls(field: str, request: Any) -> None:
    value = request.getfixturevalue(field)
    value[1] *= 0.01  # inside all of them
    assert_projection(
        lambda x: np.linalg.norm(x) <= 1.3 + 1e-12, value, call("l2_ball(v, r)", value, r=1.3)
    )
    assert_projection(
        lambda x: np.abs(x).max() <= 0.9 + 1e-12, value, call("linf_ball(v, r)", value, r=0.9)
    )
    assert_projection(lambda x: np.abs(x).sum() <= 1 + 1e-12, value, call("l1_ball(v)", value))


def test_simplex(v: Numbers) -> None:
    """Optimal if, for some tau, x = max(v - tau, 0) with sum(x) = 1 (the conditions of KKT)."""
    found = call("simplex(v)", v)
    np.testing.assert_allclose(found.sum(1), 1)
    for one, x in zip(v, found, strict=True):
        tau = (one - x)[x > 0]
        np.testing.assert_allclose(tau, tau[0], atol=1e-14)
        assert (one[x == 0] <= tau[0] + 1e-14).all() and (x >= 0).all()


@pytest.mark.parametrize("field", ["v", "z"])
def test_elastic_net(field: str, request: Any) -> None:
    value = request.getfixturevalue(field)
    found = call("elastic_net(v, t, s)", value, t=0.5, s=0.8)
    assert_prox(lambda x: 0.5 * np.abs(x).sum() + 0.4 * np.sum(np.abs(x) ** 2), value, found)


@pytest.mark.parametrize("field", ["v", "z"])
def test_huber(field: str, request: Any) -> None:
    value = request.getfixturevalue(field)
    found = call("huber(v, t, d)", value, t=0.8, d=0.5)

    def penalty(x: Numbers) -> float:
        size = np.abs(x)
        return float(np.sum(np.where(size <= 0.5, size**2 / 2, 0.5 * (size - 0.25))))

    assert_prox(lambda x: 0.8 * penalty(x), value, found)


def test_support_soft_trusts_the_largest() -> None:
    v = np.array([[3.0, -2.0, 1.0, 0.4, 0.1, -0.2, 0.0, 2.5, -0.5, 0.3, 0.6]])  # 11 entries
    soft = np.sign(v) * np.maximum(np.abs(v) - 0.45, 0)
    np.testing.assert_allclose(call("support_soft(v, t, q)", v, t=0.45, q=0.0), soft)
    trusted = np.isin(v, [3.0, -2.0, 2.5])  # above the quantile 0.7, which is the 4th largest
    expected = np.where(trusted, v, soft)
    np.testing.assert_allclose(call("support_soft(v, t, q)", v, t=0.45, q=0.3), expected)
    everything = call("support_soft(v, t, q)", v, t=0.45, q=1.0)
    np.testing.assert_allclose(everything, np.where(np.abs(v) > 0.45, v, 0))


@pytest.mark.parametrize("is_complex", [False, True])
def test_analytic_weight_is_the_least_coherent(is_complex: bool) -> None:
    """Column i of W minimises |A' w| subject to dot(w, a_i) = 1, found here by its Lagrangian."""
    rng = np.random.default_rng(4)
    A = rng.normal(size=(3, 4, 6)) + 1j * is_complex * rng.normal(size=(3, 4, 6))
    A = A if is_complex else A.real
    W = call("analytic_weight(v)", A, "matrix[n, g]")
    for dictionary, weights in zip(A, W, strict=True):
        G = dictionary @ dictionary.conj().T
        for a, w in zip(dictionary.T, weights.T, strict=True):
            system = np.block([[G, -a[:, None]], [a.conj()[None, :], np.zeros((1, 1))]])
            expected = np.linalg.solve(system, [0, 0, 0, 0, 1])[:4]
            np.testing.assert_allclose(w, expected, atol=1e-12)


def test_mmse_bg_is_the_mean_over_a_grid(v: Numbers) -> None:
    found = call("mmse_bg(v, s, p, a)", v, s=0.3, p=0.2, a=1.5)
    x = np.linspace(-20, 20, 400_001)
    prior = 0.2 * np.exp(-(x**2) / 3) / np.sqrt(3 * np.pi) * (x[1] - x[0])
    prior[x.size // 2] += 0.8
    for y, mean in zip(v.ravel()[:8], found.ravel(), strict=False):
        posterior = prior * np.exp(-((y - x) ** 2) / 0.6)
        assert mean == pytest.approx(posterior @ x / posterior.sum(), abs=1e-8)


def test_a_parameter_is_not_the_let_of_its_name() -> None:
    spec = unroll_dsl.loads(
        "algorithm a\ninput y : scalar\nlet s = 0\ndef f(s) = 1 / s\noutput f(y) + s\n"
    )
    assert spec.reference()(np.asarray(2.0)) == 0.5


@pytest.mark.parametrize(
    ("shrink", "penalty", "parameters"),
    [
        ("log_shrink(v, t, e)", "sum(log(1 + abs(v) / e))", {"t": 0.4, "e": 0.3}),
        ("log_shrink(v, t, e)", "sum(log(1 + abs(v) / e))", {"t": 0.1, "e": 1.0}),
        ("scad_shrink(v, t, l, a)", "scad_sum(v, l, a)", {"t": 0.7, "l": 0.5, "a": 3.7}),
        ("firm(v, t * l, c * l)", "mcp_sum(v, l, c)", {"t": 0.7, "l": 0.5, "c": 2.5}),
        ("half_shrink(v, t)", "sum(sqrt(abs(v)))", {"t": 0.4}),
        ("poisson_shrink(v, t, b)", "sum(where(v > 0, v - b * log(max(v, 1e-300)), 1e9))", {"t": 0.4, "b": 0.8}),
        ("huber(v, t, d)", "huber_sum(v, d)", {"t": 0.7, "d": 0.4}),
    ],
)  # fmt: skip
def test_penalties_have_their_proximal_maps(
    shrink: str, penalty: str, parameters: dict[str, float]
) -> None:
    """On a grid of points, against brute force on a finer grid: global minimisers."""
    v = np.linspace(-4, 4, 49)[:, None]
    found = call(shrink, v, "vector[n]", **parameters)[:, 0]
    z = np.linspace(-4.2, 4.2, 1401)[:, None]
    rest = {k: p for k, p in parameters.items() if re.search(rf"\b{k}\b", penalty)}
    values = parameters["t"] * call(penalty, z, "vector[n]", **rest)
    at_found = parameters["t"] * call(penalty, found[:, None], "vector[n]", **rest)
    best = np.min(0.5 * (z[:, 0] - v) ** 2 + values, axis=1)
    reached = 0.5 * (found - v[:, 0]) ** 2 + at_found
    assert np.all(reached <= best + 1e-12)
    assert np.any(found == 0) or shrink.startswith(("huber(", "poisson"))
