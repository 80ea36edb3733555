"""Solutions of systems that are definite and move: derivatives of every kind are those of `torch.linalg.solve`."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

import unroll_dsl
from unroll_dsl.operators.registry import function


def solver() -> Callable[[Tensor, Tensor, Tensor, int], Tensor]:
    scope: dict[str, Any] = {"torch": torch, "Tensor": Tensor}
    exec(function("definite_solve").helper, scope)
    found: Callable[[Tensor, Tensor, Tensor, int], Tensor] = scope["definite_solve"]
    return found


SOLVE = solver()
DTYPES = [torch.float64, torch.complex128]
# axes of b before those of a sample, of M before its two
BATCHES = [((), ()), ((3,), ()), ((3,), (3,)), ((2, 3), (3,)), ((), (3,)), ((2, 1), (1, 3))]


def ours(b: Tensor, A: Tensor, rank: int) -> Tensor:
    M = A @ A.mH + torch.eye(A.shape[-1], dtype=A.dtype)
    return SOLVE(b, M, torch.linalg.cholesky(M), rank)


def theirs(b: Tensor, A: Tensor, rank: int) -> Tensor:
    M = A @ A.mH + torch.eye(A.shape[-1], dtype=A.dtype)
    return torch.linalg.solve(M, b[..., None])[..., 0] if rank == 1 else torch.linalg.solve(M, b)


def given(rank: int, dtype: torch.dtype, batches: Any = ((), ())) -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    of_b, of_matrix = batches
    b = torch.randn(*of_b, *(4, 2)[:rank], dtype=dtype)
    return b.requires_grad_(), torch.randn(*of_matrix, 4, 4, dtype=dtype).requires_grad_()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batches", BATCHES, ids=str)
@pytest.mark.parametrize("rank", [1, 2])
def test_values_and_gradients(rank: int, batches: Any, dtype: torch.dtype) -> None:
    b, A = given(rank, dtype, batches)
    found, expected = ours(b, A, rank), theirs(b, A, rank)
    torch.testing.assert_close(found, expected)
    weight = torch.randn_like(expected)
    for mine, other in zip(
        *(
            torch.autograd.grad((x * weight).abs().square().sum(), (b, A))
            for x in (found, expected)
        ),
        strict=True,
    ):
        torch.testing.assert_close(mine, other)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rank", [1, 2])
def test_second_derivatives(rank: int, dtype: torch.dtype) -> None:
    assert torch.autograd.gradgradcheck(lambda b, A: ours(b, A, rank), given(rank, dtype))


@pytest.mark.parametrize("rank", [1, 2])
def test_forward_derivatives(rank: int) -> None:
    primals = tuple(v.detach() for v in given(rank, torch.float64))
    tangents = tuple(torch.randn_like(v) for v in primals)
    mine, other = (
        torch.func.jvp(lambda b, A, f=f: f(b, A, rank), primals, tangents) for f in (ours, theirs)
    )
    torch.testing.assert_close(mine, other)


def test_gradients_of_samples_that_are_mapped_over() -> None:
    b, A = (v.detach() for v in given(1, torch.float64, ((3,), (3,))))
    mine, other = (
        torch.func.vmap(torch.func.grad(lambda A, b, f=f: f(b, A, 1).square().sum()))(A, b)
        for f in (ours, theirs)
    )
    torch.testing.assert_close(mine, other)


PAGE = (
    "algorithm a\ndims m, n\ninput y : vector[m]\nlearnable A : matrix[m, n]\nlearnable r : scalar > 0 per phase = 0.5\n"
    "state x : vector[n] = 0\nphase (3):\n    x <- solve(A' @ A + r * I, A' @ y + r * tanh(x))\noutput x\n"
)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6)], ids=["tall", "wide"])
def test_a_network_takes_it_where_its_system_moves(shape: tuple[int, int]) -> None:
    """At level 2, the default; level 1 differentiates the factor, level 0 the dense solution."""
    torch.manual_seed(0)
    spec = unroll_dsl.loads(PAGE)
    A, y = torch.randn(shape, dtype=torch.float64), torch.randn(2, shape[0], dtype=torch.float64)
    gradients = []
    for level in (0, 1, 2):
        net = spec.compile(init={"A": A}, optimize=level, dtype=torch.float64)
        assert ("definite_solve" in type(net).forward.__globals__) == (level == 2)
        net(y).square().sum().backward()
        gradients.append([p.grad for p in net.parameters()])
    for found in gradients[:2]:
        torch.testing.assert_close(found, gradients[2])
