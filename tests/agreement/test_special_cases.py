"""Learned algorithms at their classical values are the classical ones, phase by phase.

Both sides run in the torch backend, whose agreement with NumPy is tested beside this.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize

import unroll_dsl

M, N, K = 12, 20, 9
LAMBDA = 0.07
Numbers = NDArray[np.float64]


@pytest.fixture(scope="module")
def problem() -> tuple[Numbers, Numbers]:
    """A dictionary [M, N] and a batch of measurements [5, M]."""
    rng = np.random.default_rng(5)
    A = rng.standard_normal((M, N)) / np.sqrt(M)
    codes = rng.standard_normal((5, N)) * (rng.random((5, N)) < 0.2)
    return A, codes @ A.T + 0.01 * rng.standard_normal((5, M))


def iterates(
    name: str, state: str, y: Numbers, bind: dict[str, Any], init: dict[str, Any] | None = None
) -> Numbers:
    """The state after each of K phases, [K, batch, ...]."""
    net: Any = unroll_dsl.load(name).compile(
        phases=K, bind=bind, init=init or {}, dtype=torch.float64
    )
    with torch.no_grad():
        states = net.trajectory(torch.as_tensor(y))
    return np.stack([s[state].numpy() for s in states])


def assert_same(found: Numbers, expected: Numbers) -> None:
    assert np.linalg.norm(expected[-1]) > 0.1  # something to compare
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("learned", "state", "bind", "classical"),
    [
        ("lista_cp", "x", {}, "ista"),
        ("lista_cpss", "x", {"p": 0.0}, "ista"),
        ("lista_cpss", "x", {"p": 0.0}, "lista_cp"),
        ("glista", "x", {}, "ista"),
        ("step_lista", "x", {}, "ista"),
        ("lfista", "x", {}, "fista_cd"),
        ("lfista", "x", {"a": 5.0}, "fista_cd"),
    ],
)
def test_classical_values_give_the_classical_algorithm(
    learned: str,
    state: str,
    bind: dict[str, Any],
    classical: str,
    problem: tuple[Numbers, Numbers],
) -> None:
    A, y = problem
    common = {"A": A, "lambda": LAMBDA}
    parent = common | ({"a": bind["a"]} if "a" in bind else {})
    assert_same(iterates(learned, state, y, common | bind), iterates(classical, "x", y, parent))


def test_lista_is_ista_with_its_own_bound_for_the_step(problem: tuple[Numbers, Numbers]) -> None:
    """ISTA by hand, with L above the largest eigenvalue, as Gregor and LeCun want it."""
    A, y = problem
    L = 1.01 * np.linalg.norm(A, 2) ** 2
    Z = np.zeros((len(y), N))
    expected = []
    for _ in range(K):
        r = Z - (Z @ A.T - y) @ A / L
        Z = np.sign(r) * np.maximum(np.abs(r) - LAMBDA / L, 0)
        expected.append(Z)
    assert_same(iterates("lista", "Z", y, {"Wd": A, "alpha": LAMBDA}), np.stack(expected))


def test_lista_with_the_same_step_is_ista(problem: tuple[Numbers, Numbers]) -> None:
    A, y = problem
    L = np.linalg.norm(A, 2) ** 2
    init = {"We": A.T / L, "S": np.eye(N) - A.T @ A / L, "theta": LAMBDA / L}
    assert_same(
        iterates("lista", "Z", y, {"Wd": A, "alpha": LAMBDA}, init),
        iterates("ista", "x", y, {"A": A, "lambda": LAMBDA}),
    )


def test_lfista_can_be_the_fista_of_beck_and_teboulle(problem: tuple[Numbers, Numbers]) -> None:
    A, y = problem
    L = np.linalg.norm(A, 2) ** 2
    S = np.eye(N) - A.T @ A / L
    t, beta = 1.0, [0.0]
    for _ in range(K - 1):
        following = (1 + np.sqrt(1 + 4 * t**2)) / 2
        beta.append((t - 1) / following)
        t = following
    init = {
        "Wg": np.stack([(1 + b) * S for b in beta]),
        "Wm": np.stack([-b * S for b in beta]),
    }
    common = {"A": A, "lambda": LAMBDA}
    assert_same(iterates("lfista", "x", y, common, init), iterates("fista", "x", y, common))


def test_lista_cpss_trusts_more_entries_in_later_phases(problem: tuple[Numbers, Numbers]) -> None:
    """min(p * k, p_max) of the entries, those above the threshold among them, pass as they are."""
    A, y = problem
    L = np.linalg.norm(A, 2) ** 2
    theta = LAMBDA / L
    common = {"A": A, "lambda": LAMBDA, "p": 0.1, "p_max": 0.3}
    found = iterates("lista_cpss", "x", y, common)
    x = np.zeros((len(y), N))
    for k in range(1, K + 1):
        v = x + (y - x @ A.T) @ A / L
        x = found[k - 1]
        kept = np.abs(x - v) < theta / 2  # shrinkage moves an entry above the threshold by theta
        kept &= np.abs(v) > theta
        trusted = round(min(0.1 * k, 0.3) * N)
        largest = np.argsort(-np.abs(v), axis=1)[:, :trusted]
        for row, columns, values in zip(kept, largest, v, strict=True):
            expected = {c for c in columns if abs(values[c]) > theta}
            assert set(np.flatnonzero(row)) == expected
        shrunk = np.sign(v) * np.maximum(np.abs(v) - theta, 0)
        np.testing.assert_allclose(x[~kept], shrunk[~kept], rtol=0, atol=1e-14)


# ---- ALISTA's weight against its definition -----------------------------------------------------


def alista_weight(A: Numbers) -> Numbers:
    """W [M, N], read off one phase with step 1 and no threshold: from zero it is W'y."""
    net = unroll_dsl.load("alista").compile(
        phases=1, bind={"A": A}, init={"gamma": 1.0, "theta": 0.0}, dtype=torch.float64
    )
    with torch.no_grad():
        return np.asarray(net(torch.eye(A.shape[0], dtype=torch.float64)).numpy())


def constrained_minimiser(A: Numbers) -> Numbers:
    """min ||W'A||_F^2 subject to w_i'a_i = 1, column by column, from the optimality conditions
    2 A A' w + nu a = 0, a'w = 1."""
    m, n = A.shape
    W = np.zeros_like(A)
    for i, a in enumerate(A.T):
        system = np.block([[2 * A @ A.T, a[:, None]], [a[None, :], np.zeros((1, 1))]])
        W[:, i] = np.linalg.solve(system, np.append(np.zeros(m), 1.0))[:m]
    assert W.shape == (m, n)
    return W


@pytest.mark.parametrize("unit_columns", [True, False])
def test_alista_weight_solves_its_problem(
    unit_columns: bool, problem: tuple[Numbers, Numbers]
) -> None:
    A = problem[0]
    if unit_columns:
        A = A / np.linalg.norm(A, axis=0)
    W = alista_weight(A)
    np.testing.assert_allclose(W, constrained_minimiser(A), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(np.sum(W * A, axis=0), 1, rtol=1e-12)


def test_alista_weight_is_what_a_general_solver_finds(problem: tuple[Numbers, Numbers]) -> None:
    A = problem[0]
    W = alista_weight(A)
    for i in (0, 7):
        found = _by_search(A, i)
        np.testing.assert_allclose(W[:, i], found, atol=1e-6)


def _by_search(A: Numbers, i: int) -> Numbers:
    a = A[:, i]
    along: Any = {"type": "eq", "fun": lambda w: w @ a - 1, "jac": lambda w: a}
    result = minimize(  # type: ignore[call-overload]  # its stubs know no lists of dictionaries
        lambda w: float(np.sum((A.T @ w) ** 2)),
        a / (a @ a),
        jac=lambda w: 2 * A @ (A.T @ w),
        method="SLSQP",
        constraints=along,
        options={"ftol": 1e-15, "maxiter": 500},
    )
    return np.asarray(result.x)
