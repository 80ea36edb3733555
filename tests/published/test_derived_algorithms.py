"""Each derived algorithm, run to its minimiser, against a solver that nobody here wrote: CVXPY with Clarabel.

The table says for each problem and method that serves it how many phases it is given and, where a penalty or a
step decides how fast it goes, with which value.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.derive import Options, derive, method_names
from unroll_dsl.diagnostics.raised import UnrollError
from unroll_dsl.resources import problem_names

cp = pytest.importorskip("cvxpy", reason="CVXPY is the outside solver")

RNG = np.random.default_rng(7)
A = RNG.standard_normal((12, 8)) / np.sqrt(12)
Y = A @ np.array([1.0, 0, 0, -2, 0, 0.5, 0, 0]) + 0.05 * RNG.standard_normal(12)
LABELS = np.where(RNG.random(12) < 0.5, -1.0, 1.0)
SIDE = 6
IMAGE = np.zeros((1, SIDE, SIDE))
IMAGE[0, 1:4, 2:5] = 1.0
KERNEL = np.outer([0.2, 0.6, 0.2], [0.3, 0.5, 0.2])
NOISY = IMAGE + 0.1 * RNG.standard_normal(IMAGE.shape)


def matrix_of(expression: str, side: int = SIDE) -> Any:
    """The matrix of a map of the language on images of side x side, column by column."""
    text = (
        f"algorithm columns\ndims h, w\ninput x : image[1, h, w]\nfixed kernel : matrix[3, 3] = 0\n"
        f"output {expression} @ x\n"
    )
    spec = unroll_dsl.loads(text)
    run = spec.reference(bind={"kernel": KERNEL}, dims={"h": side, "w": side})
    columns = [np.ravel(run(e.reshape(1, side, side))) for e in np.eye(side * side)]
    return np.stack(columns, axis=1)


def gradients(z: Any, D: Any) -> Any:
    """The isotropic total variation of an image as a vector."""
    d = cp.reshape(D @ z, (2, SIDE * SIDE), order="C")
    return cp.sum(cp.norm(d, 2, axis=0))


@dataclass(frozen=True)
class Outside:
    """A problem as CVXPY has it: what our page is given, and the variables in the order of its outputs."""

    bind: dict[str, Any]
    inputs: tuple[Any, ...]
    variables: tuple[Any, ...]
    objective: Any
    constraints: tuple[Any, ...] = ()
    page: str | None = None  # of a problem that does not come along
    side: int = SIDE  # of images

    def minimum(self) -> float:
        problem = cp.Problem(cp.Minimize(self.objective), list(self.constraints))
        with warnings.catch_warnings():  # it warns where 1e-10 is not reached: that is judged below
            warnings.simplefilter("ignore")
            problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10)
        assert problem.status.startswith("optimal")
        return float(problem.value)

    def at(self, values: tuple[Any, ...]) -> float:
        for variable, value in zip(self.variables, values, strict=True):
            variable.value = np.reshape(value, variable.shape)
        for constraint in self.constraints:
            assert constraint.violation().max() < 1e-9
        return float(self.objective.value)


def lasso() -> Outside:
    x = cp.Variable(8)
    return Outside({"A": A}, (Y,), (x,), 0.5 * cp.sum_squares(A @ x - Y) + 0.1 * cp.norm1(x))


def grouped_regression() -> Outside:
    X = cp.Variable((4, 2))
    fit = 0.5 * cp.sum_squares(A @ cp.vec(X, order="C") - Y)
    return Outside({"A": A}, (Y,), (X,), fit + 0.1 * cp.sum(cp.norm(X, 2, axis=1)))


def logistic_regression() -> Outside:
    x = cp.Variable(8)
    loss = cp.sum(cp.logistic(-cp.multiply(LABELS, A @ x)))
    return Outside({"A": A}, (LABELS,), (x,), loss + 0.5 * cp.norm1(x))


def robust_pca() -> Outside:
    M = np.outer([1.0, 2, -1, 0.5], [1, -1, 0.3, 2, 1]) + 0.1 * RNG.standard_normal((4, 5))
    M[1, 2] += 5
    L, S = cp.Variable((4, 5)), cp.Variable((4, 5))
    fit = 0.5 * cp.sum_squares(L + S - M)
    return Outside({}, (M,), (L, S), fit + cp.normNuc(L) + 0.3 * cp.sum(cp.abs(S)))


def tv_deblurring() -> Outside:
    K, D = matrix_of("blur(kernel, padding=circular)"), matrix_of("grad(padding=circular)")
    z = cp.Variable(SIDE * SIDE)
    value = 0.5 * cp.sum_squares(K @ z - NOISY.ravel()) + 0.01 * gradients(z, D)
    return Outside({"kernel": KERNEL}, (NOISY,), (z,), value)


def poisson_deblurring() -> Outside:
    K, D = matrix_of("blur(kernel, padding=circular)"), matrix_of("grad(padding=circular)")
    counts = np.random.default_rng(3).poisson(20 * (IMAGE + 0.2)) + 1.0
    z = cp.Variable(SIDE * SIDE)
    fit = cp.sum(K @ z - cp.multiply(counts.ravel(), cp.log(K @ z)))
    value = fit + 0.05 * gradients(z, D)
    return Outside({"kernel": KERNEL}, (counts,), (z,), value, (z >= 0,))


def block_cs() -> Outside:
    Phi = np.random.default_rng(5).standard_normal((20, SIDE * SIDE)) / np.sqrt(20)
    Psi = matrix_of("dct2")
    measured = Phi @ IMAGE.ravel()
    z = cp.Variable(SIDE * SIDE)
    value = 0.5 * cp.sum_squares(Phi @ z - measured) + 0.01 * cp.norm1(Psi @ z)
    return Outside({"Phi": Phi}, (measured,), (z,), value)


def emt() -> Outside:
    rng = np.random.default_rng(6)
    view = np.eye(SIDE * SIDE)[rng.permutation(SIDE * SIDE)[:20]]  # the pixels in view
    sensitivity = rng.standard_normal((14, 20)) / np.sqrt(14)
    measured = sensitivity @ view @ IMAGE.ravel()
    z = cp.Variable(SIDE * SIDE)
    fit = 0.5 * cp.sum_squares(sensitivity @ view @ z - measured)
    value = fit + 0.01 * cp.norm1(matrix_of("dct2") @ z)
    return Outside({"A": sensitivity, "M": view}, (measured,), (z,), value)


def cs_mri() -> Outside:
    """A complex unknown of 8 x 8, which a wavelet of three levels divides."""
    rng, side = np.random.default_rng(8), 8
    mask = (rng.random((side, side)) < 0.6).astype(float)
    mask[0, 0] = 1
    picture = np.kron(rng.random((4, 4)), np.ones((2, 2))) * np.exp(0.3j)
    F, W = matrix_of("fft2", side), matrix_of("wavelet(db4, 3)", side)
    measured = mask.ravel() * (F @ picture.ravel())
    z = cp.Variable(side * side, complex=True)
    fit = 0.5 * cp.sum_squares(cp.multiply(mask.ravel(), F @ z) - measured)
    value = fit + 0.005 * cp.norm1(W @ z)
    return Outside({"P": mask}, (measured.reshape(1, side, side),), (z,), value, side=side)


def own(objective: str) -> str:
    return (
        "problem own\ndims m, n\ninput y : vector[m]\nfixed A : matrix[m, n]\n"
        f"minimize over x : vector[n]:\n    1/2 * sumsq(A @ x - y) + {objective}\n"
    )


def ridge() -> Outside:
    x = cp.Variable(8)
    value = 0.5 * cp.sum_squares(A @ x - Y) + 0.05 * cp.sum_squares(x) + 0.1 * cp.sum(x)
    return Outside({"A": A}, (Y,), (x,), value, (), own("0.05 * sumsq(x) + 0.1 * sum(x)"))


def in_a_ball() -> Outside:
    x = cp.Variable(8)
    fit = 0.5 * cp.sum_squares(A @ x - Y)
    return Outside({"A": A}, (Y,), (x,), fit, (cp.norm1(x) <= 2,), own("indicator(norm1(x) <= 2)"))


def two_rough_terms() -> Outside:
    x = cp.Variable(8)
    value = 0.5 * cp.sum_squares(A @ x - Y) + 0.1 * cp.norm1(x) + 0.2 * cp.norm2(x)
    return Outside({"A": A}, (Y,), (x,), value, (), own("0.1 * norm1(x) + 0.2 * norm2(x)"))


def affine_set() -> Outside:
    x = cp.Variable(8)
    value = 0.5 * cp.sum_squares(A @ x - Y) + 0.1 * cp.norm1(x)
    page = own("0.1 * norm1(x) + indicator(min(x) >= -0.5 and max(x) <= 0.7)")
    return Outside({"A": A}, (Y,), (x,), value, (x >= -0.5, x <= 0.7), page)


BLOCK_NORM = {"L": "8"}
CASES: tuple[tuple[Callable[[], Outside], str, int, Mapping[str, str]], ...] = (
    (lasso, "ista", 1000, {}),
    (lasso, "fista", 500, {}),
    (lasso, "admm", 500, {}),
    (lasso, "hqs", 300, {}),
    (lasso, "linearised_admm", 500, {}),
    (lasso, "douglas_rachford", 500, {}),
    (grouped_regression, "ista", 3000, {}),
    (grouped_regression, "fista", 1000, {}),
    (grouped_regression, "admm", 500, {}),
    (grouped_regression, "douglas_rachford", 500, {}),
    (grouped_regression, "linearised_admm", 500, {}),
    (grouped_regression, "hqs", 300, {}),
    (logistic_regression, "ista", 3000, {}),
    (logistic_regression, "fista", 1000, {}),
    (robust_pca, "ista", 2000, {}),
    (robust_pca, "fista", 2000, {}),
    (robust_pca, "block_proximal", 600, {}),
    (ridge, "gradient", 600, {}),
    (ridge, "heavy_ball", 600, {}),
    (ridge, "nesterov", 600, {}),
    (in_a_ball, "projected_gradient", 600, {}),
    (in_a_ball, "frank_wolfe", 1000, {}),
    (two_rough_terms, "davis_yin", 600, {}),
    (two_rough_terms, "admm", 600, {}),
    (affine_set, "ista", 600, {}),
    (affine_set, "fista", 600, {}),
    (tv_deblurring, "admm", 600, {"rho": "0.1"}),
    (tv_deblurring, "linearised_admm", 6000, {"gamma": "5"}),
    (tv_deblurring, "pdhg", 6000, {"tau": "3"}),
    (tv_deblurring, "condat_vu", 6000, {"sigma": "0.01"}),
    (poisson_deblurring, "admm", 2000, {"rho": "0.1"}),
    (poisson_deblurring, "pdhg", 6000, {"tau": "3"}),
    (block_cs, "ista", 6000, BLOCK_NORM),
    (block_cs, "fista", 3000, BLOCK_NORM),
    (block_cs, "admm", 1001, {"rho": "0.1"}),
    (block_cs, "pdhg", 3000, {}),
    (block_cs, "douglas_rachford", 1001, {}),
    (block_cs, "condat_vu", 6000, {**BLOCK_NORM, "sigma": "0.1"}),
    (block_cs, "linearised_admm", 1001, {"gamma": "10"}),
    (block_cs, "hqs", 3000, {"rho": "0.01"}),
    (tv_deblurring, "hqs", 3000, {"rho": "0.01"}),
    (poisson_deblurring, "linearised_admm", 6000, {"gamma": "5"}),
    (poisson_deblurring, "hqs", 3000, {"rho": "0.01"}),
    (emt, "ista", 6000, {}),
    (emt, "fista", 3000, {}),
    (emt, "admm", 1001, {"rho": "0.1"}),
    (emt, "linearised_admm", 1001, {"gamma": "10"}),
    (emt, "pdhg", 3000, {"tau": "10"}),
    (emt, "douglas_rachford", 1001, {"gamma": "10"}),
    (emt, "condat_vu", 6000, {}),
    (emt, "hqs", 3000, {"rho": "0.01"}),
    (cs_mri, "ista", 3000, {}),
    (cs_mri, "fista", 1001, {}),
    (cs_mri, "admm", 1001, {"rho": "0.1"}),
    (cs_mri, "linearised_admm", 1001, {"gamma": "10"}),
    (cs_mri, "pdhg", 1001, {"tau": "10"}),
    (cs_mri, "douglas_rachford", 1001, {"gamma": "10"}),
    (cs_mri, "condat_vu", 3000, {}),
    (cs_mri, "hqs", 3000, {}),
)


@pytest.mark.slow
def test_every_derived_page_of_a_convex_problem_is_run() -> None:
    """The factorisation is not convex: its least value no outside solver knows."""
    run = {(make.__name__, method) for make, method, *_ in CASES}
    for problem in set(problem_names()) - {"nonnegative_factorisation"}:
        typed = unroll_dsl.load(problem).typed
        for method in method_names():
            try:
                derive(typed, method)
            except UnrollError:
                continue
            assert (problem, method) in run


_KNOWN: dict[str, tuple[Outside, float]] = {}


@pytest.mark.parametrize(
    ("make", "method", "phases", "values"),
    [
        pytest.param(
            *case, id=f"{case[0].__name__}-{case[1]}", marks=[pytest.mark.slow] * (case[2] > 1000)
        )
        for case in CASES
    ],
)
def test_runs_to_the_minimiser(
    make: Callable[[], Outside], method: str, phases: int, values: Mapping[str, str]
) -> None:
    problem = make.__name__
    if problem not in _KNOWN:
        outside = make()
        _KNOWN[problem] = outside, outside.minimum()
    outside, least = _KNOWN[problem]
    page = outside.page
    source = unroll_dsl.load(problem) if page is None else unroll_dsl.loads(page)
    derivation = derive(source.typed, method, Options(values=values))
    spec = unroll_dsl.loads(derivation.text)
    known = {"h": outside.side, "w": outside.side, "g": 4, "d": 2}
    sizes = {name: known[name] for name, _ in spec.graph.dims if name in known}
    net = spec.compile(phases=phases, bind=outside.bind, dtype=torch.float64, dims=sizes)
    with torch.no_grad():
        found = net(*(torch.as_tensor(x) for x in outside.inputs))
    values_found = tuple(v.numpy() for v in (found if isinstance(found, tuple) else (found,)))
    reached = outside.at(values_found)
    # a growing penalty never gets quite there, and steps of 2 / (k + 1) do slowly
    accuracy = 1e-3 if method in ("hqs", "frank_wolfe") else 1e-6
    assert abs(reached - least) <= accuracy * max(1.0, abs(least))
