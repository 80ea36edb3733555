"""Maps that are positive semidefinite by their form: plain conjugate gradients; what is left is told."""

import warnings
from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.passes.routes import routes
from unroll_dsl.verify.iterations import solved
from unroll_dsl.verify.report import Row, Verdict, judged
from unroll_dsl.verify.run import check

HEAD = (
    "algorithm a\ndims h, w, m\ninput y : vector[m]\nfixed A : linear image[1, h, w] -> vector[m]\n"
    "fixed g : mask[h, w] >= 0 = 1\nfixed r : scalar >= 0 = 0.3\nfixed s : scalar = 0.3\n"
)
PLAIN = {
    "a sum of squares": "A' @ A + 0.1 * grad' @ grad",
    "weights that may vanish": "A' @ A + grad' @ diag(g) @ grad + r * I",
    "a multiple that may vanish": "r * A' @ A + 2 * grad' @ grad / 3",
    "a sum between a map and its adjoint": "A' @ A + grad' @ (grad @ grad' + r * I) @ grad",
    "numbers within": "A' @ (r * A) + (2 * grad)' @ (grad * 3)",
    "the transform and its inverse": "A' @ A + ifft2 @ diag(g) @ fft2",
}
NORMAL = {
    "a number of any sign": "A' @ A + s * grad' @ grad",
    "a difference": "A' @ A - 0.1 * grad' @ grad",
    "no square": "A' @ A + blur(g) + r * I",
    "a number of any sign within": "A' @ (s * A) + grad' @ grad",
    "the transform twice": "A' @ A + fft2 @ diag(g) @ fft2",
}
SUM = HEAD + "output solve(A' @ A + 0.1 * grad' @ grad, A' @ y)\n"


def plan(system: str) -> str:
    spec = unroll_dsl.loads(HEAD + f"output solve({system}, A' @ y)\n")
    (route,) = routes(spec.graph)
    assert route.name == "conjugate gradients"
    return route.reason


@pytest.mark.parametrize("name", PLAIN)
def test_no_normal_equations_where_the_form_tells(name: str) -> None:
    assert "normal equations" not in plan(PLAIN[name])


@pytest.mark.parametrize("name", NORMAL)
def test_normal_equations_where_it_does_not(name: str) -> None:
    assert "normal equations" in plan(NORMAL[name])


def instance() -> tuple[Any, Any, Any]:
    """16 x 16, m = 80, of condition number 145; with the solution of the matrix that is written out."""
    rng = np.random.default_rng(0)
    A, y = rng.standard_normal((80, 256)) / 80**0.5, rng.standard_normal(80)
    pixels = np.eye(256).reshape(-1, 16, 16)
    down = np.diff(pixels, axis=1).reshape(256, -1).T
    right = np.diff(pixels, axis=2).reshape(256, -1).T
    system = A.T @ A + 0.1 * (down.T @ down + right.T @ right)
    return A, y, np.linalg.solve(system, A.T @ y).reshape(1, 16, 16)


def test_a_sum_of_squares_is_solved() -> None:
    A, y, expected = instance()
    spec = unroll_dsl.loads(SUM)
    dims = {"h": 16, "w": 16}
    for level in (0, 1, 2):
        net = spec.compile(bind={"A": A}, dims=dims, optimize=level)
        found = net(torch.as_tensor(y)).detach().numpy()
        assert np.abs(found - expected).max() < 1e-8 * np.abs(expected).max()
    found = spec.reference(bind={"A": A}, dims=dims)(y)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ("tolerance=1e-6, iterations=5", True),
        ("tolerance=1e-6", False),
        ("iterations=5", False),  # so many steps are what the author wants
        ("iterations=500", False),
    ],
)
def test_iterations_that_run_out_are_told(
    limits: str, told: bool, recwarn: pytest.WarningsRecorder
) -> None:
    A, y, _ = instance()
    text = SUM.replace("A' @ y)", f"A' @ y, {limits})")
    net = unroll_dsl.loads(text).compile(bind={"A": A}, dims={"h": 16, "w": 16})
    warnings_before = len(recwarn)
    net(torch.as_tensor(y))
    found = [str(w.message) for w in recwarn.list[warnings_before:]]
    assert bool(found) is told, found
    if told:
        assert "a residual of" in found[0] and "iterations=" in found[0]


def test_a_system_without_solution_is_told() -> None:
    """The mean of what differences make is 0, that of y is not."""
    text = "algorithm a\ndims h, w\ninput y : image[1, h, w]\noutput solve(grad' @ grad, y)\n"
    net = unroll_dsl.loads(text).compile(dtype=torch.float64)
    with pytest.warns(RuntimeWarning, match="a residual of"):
        net(torch.ones(1, 5, 6, dtype=torch.float64))


def test_nothing_is_told_of_zeros(recwarn: pytest.WarningsRecorder) -> None:
    text = "algorithm a\ndims h, w\ninput y : image[1, h, w]\noutput solve(grad' @ grad, y)\n"
    net = unroll_dsl.loads(text).compile(dtype=torch.float64)
    assert not net(torch.zeros(2, 1, 5, 6, dtype=torch.float64)).any()
    assert not recwarn.list


def test_check_passes_and_names_what_is_left() -> None:
    """Two iterations do not solve it: a note, and no failure."""
    for limits, told in ((")", False), (", tolerance=1e-6, iterations=2)", True)):
        report = check(unroll_dsl.loads(SUM.replace("A' @ y)", f"A' @ y{limits}")))
        assert report.passed, report
        notes = [row.detail for row in report.rows if row.group == "systems"]
        assert bool(notes) is told
        assert all("a residual of" in note for note in notes)


def test_what_cannot_be_solved_is_no_failure_of_the_compiler() -> None:
    def unsolved() -> list[Row]:
        warnings.warn("conjugate gradients ran out", RuntimeWarning, stacklevel=1)
        return [judged("torch against NumPy", "outputs", 1.0, 1e-5)]

    (row,) = solved(unsolved)
    assert row.verdict is Verdict.SKIPPED and row.detail == "conjugate gradients ran out"
    (row,) = solved(lambda: [judged("torch against NumPy", "outputs", 1.0, 1e-5)])
    assert row.verdict is Verdict.FAILED
    with pytest.warns(UserWarning, match="something else"):
        solved(lambda: warnings.warn("something else", UserWarning, stacklevel=1) or [])
