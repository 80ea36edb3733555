"""Conjugate gradients one sample at a time, by torch.vmap: what a batch gives."""

from typing import Any

import pytest
import torch

import unroll_dsl

HEAD = "algorithm a\ndims h, w\ninput y : image[1, h, w]\nfixed K : matrix[3, 3]\n"
SYSTEM = "solve(blur(K)' @ blur(K) + 0.5 * I, y{0})"


def net(limits: str) -> Any:
    spec = unroll_dsl.loads(f"{HEAD}output {SYSTEM.format(limits)}\n")
    K = torch.rand(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return spec.compile(bind={"K": K})


def test_values_and_derivatives() -> None:
    solve, y = net(""), torch.randn(2, 4, 1, 5, 6, dtype=torch.float64)
    expected = solve(y)
    torch.testing.assert_close(torch.vmap(solve)(y), expected)
    torch.testing.assert_close(torch.vmap(torch.vmap(solve))(y), expected)
    t = torch.randn_like(y)
    found = torch.func.jvp(solve, (y,), (t,))[1]
    torch.testing.assert_close(found, solve(t))


def test_iterations_that_run_out_are_told() -> None:
    y = torch.randn(4, 1, 5, 6, dtype=torch.float64)
    with pytest.warns(RuntimeWarning, match="ran out of iterations"):
        torch.vmap(net(", tolerance=1e-12, iterations=2"))(y)
