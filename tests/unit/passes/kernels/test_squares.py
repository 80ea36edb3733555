"""Sums of squares that only a loss reads: one kernel, the same derivatives."""

import pytest
import torch

import unroll_dsl
from unroll_dsl.operators.registry import function

PROGRAM = """algorithm a
dims n, m
input y : matrix[n, m]
learnable s : scalar = 0.5
state x : matrix[n, m] = 0
phase (3):
    x <- s * x + y / (1 + sumsq(y))
    trace r = x - y
output x
loss (target : matrix[n, m]):
    mean((x - target)^2) + sumsq(x) + sum((x + target)^2) + sum over phases mean(r^2)
"""


def test_only_the_loss_has_them() -> None:
    text = unroll_dsl.loads(PROGRAM).source()
    assert "y.square().sum((-2, -1))" in text  # the output reads this one
    body = text[text.index("class A(") : text.index("\n\n\ndef ")]
    assert body.count("square_mean(") == 2 and body.count("square_sum(") == 2


def test_what_states_begin_with_is_no_loss() -> None:
    begun = PROGRAM.replace("= 0\n", "= y / (1 + sumsq(y))\n").replace(
        " + y / (1 + sumsq(y))\n    t", "\n    t"
    )
    assert begun.count("sumsq(y)") == 1
    assert "y.square().sum((-2, -1))" in unroll_dsl.loads(begun).source()


@pytest.mark.parametrize(
    ("word", "formula"),
    [
        ("square_sum", lambda v: (v**2).sum((-2, -1))),
        ("square_mean", lambda v: (v**2).mean((-2, -1))),
    ],
)
def test_derivatives_are_those_of_the_formula(word: str, formula) -> None:
    """First and second ones, also of a sample of zeros, where a norm has none; under vmap too."""
    space: dict = {"torch": torch, "Tensor": torch.Tensor}
    exec(function(word).helper, space)
    kernel = lambda v: space[word](v, (-2, -1))  # noqa: E731
    v = torch.randn(3, 2, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    v[1] = 0
    v.requires_grad_()
    torch.testing.assert_close(kernel(v), formula(v))
    (first,) = torch.autograd.grad(kernel(v).pow(2).sum(), v, create_graph=True)
    (expected,) = torch.autograd.grad(formula(v).pow(2).sum(), v, create_graph=True)
    torch.testing.assert_close(first, expected)
    second, wanted = (torch.autograd.grad(g[0, 0, 0], v)[0] for g in (first, expected))
    torch.testing.assert_close(second, wanted)
    torch.testing.assert_close(torch.func.vmap(kernel)(v), formula(v))
