"""Systems of the reference: written out once, right when what is bound has changed, told when not solved."""

from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl

TEXT = """algorithm a
dims n
input y : vector[n]
fixed T : linear vector[n] -> vector[n]
fixed rho : scalar > 0 = 0.5
state x : vector[n] = 0
phase (6):
    x <- solve(T' @ T + rho * I, y + k * x)
output x
"""


class Counted(torch.nn.Module):
    """A matrix as a map that counts what it, and the copies of it, are applied to."""

    count = 0

    def __init__(self, matrix: Any) -> None:
        super().__init__()
        self.matrix = matrix

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        Counted.count += 1
        return x @ self.matrix.to(x.dtype).mT

    def adjoint(self, y: torch.Tensor) -> torch.Tensor:
        Counted.count += 1
        return y @ self.matrix.to(y.dtype)


def iterated(matrix: Any, y: Any) -> Any:
    system = matrix.T @ matrix + 0.5 * np.eye(len(y))
    x = np.zeros_like(y)
    for k in range(1, 7):
        x = np.linalg.solve(system, y + k * x)
    return x


def test_a_map_is_written_out_once_for_all_phases_and_samples() -> None:
    rng = np.random.default_rng(0)
    map_ = Counted(torch.as_tensor(rng.standard_normal((20, 20))))
    ys = rng.standard_normal((3, 20))
    reference = unroll_dsl.loads(TEXT).reference(bind={"T": map_}, dims={"n": 20})
    Counted.count = 0
    reference(ys[0])
    assert 40 <= Counted.count <= 120  # two of 20 columns, probes, and the test for an adjoint
    Counted.count = 0
    found = reference(ys)
    expected = np.stack([iterated(map_.matrix.numpy(), y) for y in ys])
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10)
    assert Counted.count <= 20  # probes


def test_a_bound_map_that_has_changed_is_written_out_again() -> None:
    rng = np.random.default_rng(1)
    map_ = Counted(torch.as_tensor(rng.standard_normal((8, 8))))
    y = rng.standard_normal(8)
    reference = unroll_dsl.loads(TEXT).reference(bind={"T": map_}, dims={"n": 8})
    reference(y)
    map_.matrix.mul_(1.5)
    found = reference(y)
    np.testing.assert_allclose(found, iterated(map_.matrix.numpy(), y), rtol=1e-9, atol=1e-10)


def test_iterations_that_run_out_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unroll_dsl.backends.numpy.systems._DENSE", 10)
    monkeypatch.setattr("unroll_dsl.backends.numpy.systems._MOST", 3)
    rng = np.random.default_rng(2)
    map_ = Counted(torch.as_tensor(rng.standard_normal((20, 20))))
    reference = unroll_dsl.loads(TEXT).reference(1, bind={"T": map_}, dims={"n": 20})
    with pytest.warns(RuntimeWarning, match=r"leave a residual of [1-9]\.\de-\d\d"):
        reference(rng.standard_normal(20))


def test_what_is_too_large_to_write_out_is_iterated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unroll_dsl.backends.numpy.systems._DENSE", 10)
    rng = np.random.default_rng(3)
    map_ = Counted(torch.as_tensor(rng.standard_normal((20, 20))))
    y = rng.standard_normal(20)
    reference = unroll_dsl.loads(TEXT).reference(bind={"T": map_}, dims={"n": 20})
    np.testing.assert_allclose(
        reference(y), iterated(map_.matrix.numpy(), y), rtol=1e-8, atol=1e-10
    )


def test_a_map_that_only_changes_shapes_is_not_taken_for_the_identity() -> None:
    """`vec` makes the entries of a matrix a vector: the same numbers, in another space."""
    spec = unroll_dsl.loads(
        "algorithm a\ndims m, g, d\ninput W : matrix[g, d]\nfixed A : matrix[m, g * d]\n"
        "let V = vec(g, d)\nlet B = A @ V\noutput solve(I + B' @ B, W)\n"
    )
    rng = np.random.default_rng(0)
    A, W = rng.standard_normal((3, 8)), rng.standard_normal((4, 2))
    found = spec.reference(bind={"A": A}, dims={"g": 4, "d": 2})(W)
    expected = np.linalg.solve(np.eye(8) + A.T @ A, W.ravel()).reshape(4, 2)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
