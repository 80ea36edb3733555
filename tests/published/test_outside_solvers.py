"""The classical algorithms against solvers that we did not write: minimisers to 1e-8, and iterates
against pyproximal where it runs the same iteration in the same order."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pylops
import pyproximal
import pytest
import torch
from numpy.typing import NDArray
from pyproximal.optimization.primal import ADMM, DouglasRachfordSplitting, ProximalGradient
from pyproximal.optimization.primaldual import PrimalDual
from scipy.optimize import lsq_linear, nnls
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, Lasso

import unroll_dsl

Numbers = NDArray[np.float64]
LAMBDA = 0.2
BATCH = 3
TALL, WIDE = (45, 15), (16, 24)  # more measurements than unknowns, and fewer


def problem(shape: tuple[int, int]) -> tuple[Numbers, Numbers]:
    """A matrix and a batch of measurements of sparse vectors, with noise."""
    m, n = shape
    rng = np.random.default_rng(11)
    A = rng.standard_normal((m, n)) / np.sqrt(m)
    x = rng.standard_normal((BATCH, n)) * (rng.random((BATCH, n)) < 0.4)
    return A, x @ A.T + 0.1 * rng.standard_normal((BATCH, m))


def run(name: str, phases: int, bind: dict[str, Any], dims: dict[str, int] | None = None) -> Any:
    return unroll_dsl.load(name).compile(phases=phases, bind=bind, dims=dims, dtype=torch.float64)


def solved(
    name: str,
    phases: int,
    y: Numbers,
    bind: dict[str, Any],
    dims: dict[str, int] | None = None,
) -> Numbers:
    """The output for a batch."""
    net = run(name, phases, bind, dims)
    with torch.no_grad():
        return np.asarray(net(torch.as_tensor(y)).numpy())


def states(
    name: str,
    phases: int,
    y: Numbers,
    bind: dict[str, Any],
    dims: dict[str, int] | None = None,
) -> list[dict[str, Numbers]]:
    """The states of one sample after every phase."""
    net = run(name, phases, bind, dims)
    with torch.no_grad():
        return [
            {key: value.numpy() for key, value in phase.items()}
            for phase in net.trajectory(torch.as_tensor(y))
        ]


def fitted(model: Any, A: Numbers, y: Numbers) -> Numbers:
    with warnings.catch_warnings():  # its tolerance is below what rounding lets it certify
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.stack([model.fit(A, sample).coef_.copy() for sample in y])


def assert_minimiser(found: Numbers, expected: Numbers) -> None:
    assert np.linalg.norm(expected) > 0.1
    assert np.linalg.norm(found - expected) <= 1e-8 * np.linalg.norm(expected)


# ---- minimisers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [TALL, WIDE])
@pytest.mark.parametrize(
    ("name", "phases", "constants"),
    [
        ("ista", 900, {}),
        ("fista", 900, {}),
        ("fista_cd", 900, {}),
        ("fista_cd", 300, {"a": 20.0}),
        ("admm_lasso", 300, {}),
        ("admm_lasso", 300, {"rho": 0.3}),
        ("douglas_rachford", 300, {}),
        ("douglas_rachford", 300, {"gamma": 3.0, "eta": 1.5}),
    ],
)
def test_lasso(name: str, phases: int, constants: dict[str, float], shape: tuple[int, int]) -> None:
    A, y = problem(shape)
    model = Lasso(alpha=LAMBDA / len(A), fit_intercept=False, tol=1e-18, max_iter=200_000)
    expected = fitted(model, A, y)
    assert np.any(expected == 0)
    found = solved(name, phases, y, {"A": A, "lambda": LAMBDA, **constants})
    assert_minimiser(found, expected)
    assert np.array_equal(found != 0, expected != 0)


@pytest.mark.parametrize("shape", [TALL, WIDE])
def test_elastic_net(shape: tuple[int, int]) -> None:
    A, y = problem(shape)
    first, second = 0.2, 0.15
    model = ElasticNet(
        alpha=(first + second) / len(A),
        l1_ratio=first / (first + second),
        fit_intercept=False,
        tol=1e-18,
        max_iter=200_000,
    )
    found = solved("elastic_net", 400, y, {"A": A, "lambda1": first, "lambda2": second})
    assert_minimiser(found, fitted(model, A, y))


def test_nonneg_least_squares() -> None:
    A, y = problem(TALL)
    expected = np.stack([nnls(A, sample)[0] for sample in y])
    found = solved("nonneg_least_squares", 400, y, {"A": A})
    assert_minimiser(found, expected)
    assert (found >= 0).all()
    assert (found == 0).any()


@pytest.mark.parametrize("shape", [TALL, WIDE])
@pytest.mark.parametrize(
    ("name", "phases"), [("gradient_descent", 500), ("nesterov", 150), ("heavy_ball", 150)]
)
def test_least_squares_of_least_norm(name: str, phases: int, shape: tuple[int, int]) -> None:
    A, y = problem(shape)
    expected = np.stack([np.linalg.lstsq(A, sample, rcond=None)[0] for sample in y])
    assert_minimiser(solved(name, phases, y, {"A": A}), expected)


def test_least_squares_of_a_rank_deficient_matrix() -> None:
    """The momentum comes from the smallest eigenvalue above zero, so no rank is too low."""
    A, y = problem(TALL)
    A = np.concatenate([A[:, :6], A[:, :6] @ np.ones((6, 2))], axis=1)
    expected = np.stack([np.linalg.lstsq(A, sample, rcond=None)[0] for sample in y])
    for name in ("nesterov", "heavy_ball"):
        assert_minimiser(solved(name, 300, y, {"A": A}), expected)


def test_total_variation() -> None:
    """The dual is least squares in a box: min ||K'p - y|| over |p| <= lambda, and x = y - K'p."""
    rng = np.random.default_rng(12)
    n = 20
    K = np.diff(np.eye(n), axis=0)
    y = np.repeat(rng.standard_normal((BATCH, 4)), 5, axis=1) + 0.1 * rng.standard_normal(
        (BATCH, n)
    )
    expected = []
    for sample in y:
        dual = lsq_linear(K.T, sample, bounds=(-LAMBDA, LAMBDA), method="bvls", tol=1e-15)
        expected.append(sample - K.T @ dual.x)
    found = solved("pdhg", 500, y, {"K": K, "lambda": LAMBDA})
    assert_minimiser(found, np.stack(expected))
    assert (np.abs(found @ K.T) < 1e-9).any()  # piecewise constant


def test_group_lasso() -> None:
    """The optimality conditions, group by group."""
    g, d, weight = 8, 3, 0.6
    A, y = problem((30, g * d))
    found = solved("group_lasso", 500, y, {"A": A, "lambda": weight}, {"d": d})
    assert found.shape == (BATCH, g, d)
    norms = np.linalg.norm(found, axis=2)
    assert (norms == 0).any()
    assert (norms > 0).any()
    residual = found.reshape(BATCH, -1) @ A.T - y
    gradient = (residual @ A).reshape(BATCH, g, d)
    zero = norms == 0
    assert (np.linalg.norm(gradient[zero], axis=1) <= weight).all()
    direction = found[~zero] / norms[~zero][:, None]
    np.testing.assert_allclose(gradient[~zero], -weight * direction, atol=1e-8)


# ---- iterates, as pyproximal computes them ------------------------------------------------------

STEPS = 25
WEIGHT = 0.05


def unit_problem(shape: tuple[int, int]) -> tuple[Numbers, Numbers]:
    """A problem whose gradient has Lipschitz constant 1: pyproximal keeps its steps in float32."""
    A, y = problem(shape)
    scale = np.linalg.norm(A, 2)
    return A / scale, y / scale


def recorded(run: Callable[[Callable[..., None]], object]) -> list[tuple[Numbers, ...]]:
    """What a solver passes to its callback."""
    seen: list[tuple[Numbers, ...]] = []
    run(lambda *vectors: seen.append(tuple(np.array(v) for v in vectors)))
    assert len(seen) == STEPS
    return seen


def assert_iterates(found: list[Numbers], expected: list[Numbers]) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


@pytest.fixture
def sample() -> tuple[Numbers, Numbers, Any, Any]:
    """A, one y, and the two terms of the lasso for pyproximal."""
    A, y = unit_problem(WIDE)
    data = pyproximal.L2(Op=pylops.MatrixMult(A), b=y[0], densesolver="numpy")
    return A, y[0], data, pyproximal.L1(sigma=WEIGHT)


@pytest.mark.parametrize(
    ("name", "constants", "acceleration"),
    [("ista", {}, None), ("fista", {}, "fista"), ("fista_cd", {"a": 2.0}, "vandenberghe")],
)
def test_iterates_of_proximal_gradient(
    name: str, constants: dict[str, float], acceleration: str | None, sample: Any
) -> None:
    A, y, data, penalty = sample
    expected = recorded(
        lambda callback: ProximalGradient(
            data,
            penalty,
            np.zeros(A.shape[1]),
            tau=1.0,
            niter=STEPS,
            acceleration=acceleration,
            callback=callback,
        )
    )
    found = states(name, STEPS, y, {"A": A, "lambda": WEIGHT, **constants})
    assert_iterates([s["x"] for s in found], [x for (x,) in expected])


def test_iterates_of_admm(sample: Any) -> None:
    A, y, data, penalty = sample
    rho = 0.7
    expected = recorded(
        lambda callback: ADMM(
            data,
            penalty,
            np.zeros(A.shape[1]),
            tau=1 / rho,
            niter=STEPS,
            z0=np.zeros(A.shape[1]),
            callback=callback,
            callbackz=True,
        )
    )
    found = states("admm_lasso", STEPS, y, {"A": A, "lambda": WEIGHT, "rho": rho})
    assert_iterates([s["z"] for s in found], [z for _, z in expected])


@pytest.mark.parametrize("eta", [1.0, 1.6])
def test_iterates_of_douglas_rachford(eta: float, sample: Any) -> None:
    A, y, data, penalty = sample
    constants = {"A": A, "lambda": WEIGHT, "gamma": 0.8, "eta": eta}
    found = states("douglas_rachford", STEPS + 1, y, constants)  # the last keeps no `w`
    for steps in (1, 2, STEPS):
        _, expected = DouglasRachfordSplitting(
            data, penalty, np.zeros(A.shape[1]), tau=0.8, eta=eta, niter=steps, gfirst=False
        )
        np.testing.assert_allclose(found[steps - 1]["w"], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("theta", [1.0, 0.5])
def test_iterates_of_pdhg(theta: float) -> None:
    rng = np.random.default_rng(13)
    n = 20
    K, y = np.diff(np.eye(n), axis=0), rng.standard_normal(n)
    sigma, tau = 0.625, 0.375  # exact in float32, in which pyproximal keeps them
    expected = recorded(
        lambda callback: PrimalDual(
            pyproximal.L2(b=y),
            pyproximal.L1(sigma=LAMBDA),
            pylops.MatrixMult(K),
            np.zeros(n),
            tau=tau,
            mu=sigma,
            theta=theta,
            niter=STEPS,
            callback=callback,
            callbacky=True,
        )
    )
    constants = {"K": K, "lambda": LAMBDA, "sigma": sigma, "tau": tau, "theta": theta}
    found = states("pdhg", STEPS, y, constants)
    assert_iterates([s["x"] for s in found], [x for x, _ in expected])
    assert_iterates([s["p"] for s in found], [p for _, p in expected])


def test_iterates_of_the_group_lasso() -> None:
    """pyproximal keeps the members of a group a stride apart, so the columns of A are reordered."""
    g, d, weight = 8, 3, 0.2
    A, batch = unit_problem((30, g * d))
    y = batch[0]
    stacked = A.reshape(-1, g, d).transpose(0, 2, 1).reshape(-1, g * d)
    expected = recorded(
        lambda callback: ProximalGradient(
            pyproximal.L2(Op=pylops.MatrixMult(stacked), b=y),
            pyproximal.L21(ndim=d, sigma=weight),
            np.zeros(g * d),
            tau=1.0,
            niter=STEPS,
            acceleration="fista",
            callback=callback,
        )
    )
    found = states("group_lasso", STEPS, y, {"A": A, "lambda": weight}, {"d": d})
    assert_iterates([s["X"] for s in found], [x.reshape(d, g).T for (x,) in expected])


@pytest.mark.parametrize("shape", [TALL, WIDE])
def test_iterates_of_nonneg_least_squares(shape: tuple[int, int]) -> None:
    A, batch = unit_problem(shape)
    y = batch[0]
    expected = recorded(
        lambda callback: ProximalGradient(
            pyproximal.L2(Op=pylops.MatrixMult(A), b=y),
            pyproximal.Box(lower=0),
            np.zeros(A.shape[1]),
            tau=1.0,
            niter=STEPS,
            callback=callback,
        )
    )
    found = states("nonneg_least_squares", STEPS, y, {"A": A})
    assert_iterates([s["x"] for s in found], [x for (x,) in expected])
