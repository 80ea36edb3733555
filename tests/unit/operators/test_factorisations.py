"""What passes rewrite `solve` to: factors are factors, and both backends agree on solutions."""

import numpy as np
import pytest
import torch

from unroll_dsl.operators.registry import function

SOLVERS = ("cholesky_solve", "triangular_solve", "solve_dense")


def _run(name, *arrays, rank=1):
    """The torch expression of a record, evaluated."""
    record = function(name)
    scope = {"torch": torch, "Tensor": torch.Tensor}
    exec(record.helper, scope)
    names = [p.name for p in record.parameters if not p.static]
    scope |= {n: torch.as_tensor(a) for n, a in zip(names, arrays, strict=True)}
    return eval(record.torch.replace("RANK", str(rank)), scope).resolve_conj().numpy()


def _matrix(rng, *shape, complex_=False):
    real = rng.normal(size=shape)
    return real + 1j * rng.normal(size=shape) if complex_ else real


def _factor(name, matrix):
    """A factor as a solver takes it, and the matrix of the system that it stands for."""
    match name:
        case "cholesky_solve":
            lower = np.linalg.cholesky(
                matrix @ np.conj(np.swapaxes(matrix, -1, -2)) + np.eye(matrix.shape[-1])
            )
            return lower, lower @ np.conj(np.swapaxes(lower, -1, -2))
        case "triangular_solve":
            upper = matrix + 4 * np.eye(matrix.shape[-1])
            return upper, np.triu(upper)
        case _:
            return matrix, matrix


@pytest.mark.parametrize("complex_factor", [False, True])
@pytest.mark.parametrize("complex_side", [False, True])
@pytest.mark.parametrize("name", SOLVERS)
def test_solutions_solve_their_system_for_vectors_columns_and_batches(
    name, complex_side, complex_factor
):
    rng = np.random.default_rng(0)
    factor, system = _factor(name, _matrix(rng, 4, 4, complex_=complex_factor))
    for shape, rank in (((4,), 1), ((2, 3, 4), 1), ((4, 5), 2), ((2, 3, 4, 5), 2)):
        b = _matrix(rng, *shape, complex_=complex_side)
        x = _run(name, b, factor, rank=rank)
        subscripts = "ij,...j->...i" if rank == 1 else "ij,...jk->...ik"
        np.testing.assert_allclose(np.einsum(subscripts, system, x), b, atol=1e-12)
        if b.ndim == rank:
            np.testing.assert_allclose(function(name).numpy(b, factor), x, atol=1e-12)


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("batch", [(), (3,)])
def test_a_factor_for_each_sample(name, batch):
    rng = np.random.default_rng(1)
    factor, system = _factor(name, _matrix(rng, 3, 4, 4))
    b = np.broadcast_to(_matrix(rng, *batch, 4), (*batch, 4)).copy()
    x = _run(name, b, factor)
    np.testing.assert_allclose(np.einsum("bij,bj->bi", system, x) - b, 0, atol=1e-12)


@pytest.mark.parametrize("complex_", [False, True])
def test_factors(complex_):
    rng = np.random.default_rng(2)
    square = _matrix(rng, 4, 4, complex_=complex_)
    definite = square @ np.conj(square.T) + np.eye(4)
    for run in (_run, lambda name, *a: function(name).numpy(*a)):
        lower = run("cholesky", definite)
        np.testing.assert_allclose(lower @ np.conj(lower.T), definite, atol=1e-12)
        q = run("orthogonal_factor", square)
        np.testing.assert_allclose(np.conj(q.T) @ q, np.eye(4), atol=1e-12)
        np.testing.assert_allclose(np.tril(np.conj(q.T) @ square, -1), 0, atol=1e-12)
        v = run("symmetric_eigenvectors", definite)
        diagonal = np.conj(v.T) @ definite @ v
        np.testing.assert_allclose(diagonal, np.diag(np.diag(diagonal)), atol=1e-12)


@pytest.mark.parametrize("complex_", [False, True])
def test_right_singular_vectors_span_the_rows(complex_):
    wide = _matrix(np.random.default_rng(3), 3, 5, complex_=complex_)
    for v in (
        _run("right_singular_vectors", wide),
        function("right_singular_vectors").numpy(wide, count=3),
    ):
        assert v.shape == (5, 3)
        np.testing.assert_allclose(np.conj(v.T) @ v, np.eye(3), atol=1e-12)
        np.testing.assert_allclose(wide @ v @ np.conj(v.T), wide, atol=1e-12)
