"""`gradient=`: derivatives of the fixed point, and through the last phases alone."""

from typing import Any

import pytest
import torch

import unroll_dsl
from unroll_dsl.diagnostics.raised import UnrollError


def lasso(name: str, phases: int, **options: Any) -> tuple[Any, torch.Tensor, torch.Tensor]:
    """A network that minimises |A x - y|^2 / 2 + lambda |x|_1, with A and y."""
    generator = torch.Generator().manual_seed(1)
    A = torch.randn(12, 8, dtype=torch.float64, generator=generator)
    y = torch.randn(3, 12, dtype=torch.float64, generator=generator)
    learn = {"lambda": "shared"}
    net = unroll_dsl.load(name).compile(
        phases, bind={"A": A}, init={"lambda": 3.0}, learn=learn, **options
    )
    return net, A, y


def gradients(net: Any, y: torch.Tensor) -> list[torch.Tensor]:
    y = y.clone().requires_grad_()
    net(y).square().sum().backward()
    assert y.grad is not None
    return [y.grad, *(p.grad for p in net.parameters())]


@pytest.mark.parametrize("name", ["ista", "admm_lasso"])
def test_the_derivative_of_the_lasso_is_that_of_its_support(name: str) -> None:
    """x_S = (A_S' A_S)^-1 (A_S' y - lambda sign(x_S)), hence dx_S / dlambda."""
    net, A, y = lasso(name, 3000, gradient="implicit")
    x = net(y[0])
    x.sum().backward()
    support = x.detach().nonzero().flatten()
    gram = A[:, support].mT @ A[:, support]
    expected = -torch.linalg.solve(gram, x.detach()[support].sign()).sum()
    assert 0 < len(support) < 8
    torch.testing.assert_close(net.lambda_.grad, expected, rtol=1e-8, atol=0)


@pytest.mark.parametrize("name", ["ista", "admm_lasso"])
def test_at_the_fixed_point_it_is_the_unrolled_one(name: str) -> None:
    net, _, y = lasso(name, 2000, gradient="implicit")
    unrolled, _, _ = lasso(name, 2000)
    for found, expected in zip(gradients(net, y), gradients(unrolled, y), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("gradient", ["implicit", 3])
def test_values_do_not_depend_on_it(gradient: Any) -> None:
    net, _, y = lasso("ista", 7, gradient=gradient)
    plain, _, _ = lasso("ista", 7)
    torch.testing.assert_close(net(y), plain(y), rtol=1e-14, atol=1e-14)
    with torch.no_grad():
        torch.testing.assert_close(net(y), plain(y), rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("name", ["ista", "fista", "admm_lasso"])
@pytest.mark.parametrize("through", [1, 3, 20])
def test_a_truncated_gradient_ends_at_a_phase(name: str, through: int) -> None:
    """Against the unrolled gradient of a network that is cut there by hand."""
    net, _, y = lasso(name, 8, gradient=through)
    found = gradients(net, y)
    cut, _, _ = lasso(name, 8)
    count = 0

    def detached(states: Any) -> Any:
        if isinstance(states, tuple):
            return tuple(map(detached, states))
        return states.detach() if isinstance(states, torch.Tensor) else states

    def counting(method: Any) -> Any:
        def run(*arguments: Any) -> Any:
            nonlocal count
            count += 1
            made = method(*arguments)
            return made if count > 8 - through else detached(made)

        return run

    for word in ("phase", "first_phase", "last_phase"):
        if hasattr(cut, word):
            setattr(cut, word, counting(getattr(cut, word)))
    for gradient, expected in zip(found, gradients(cut, y), strict=True):
        torch.testing.assert_close(gradient, expected, rtol=1e-12, atol=1e-14)
    assert count == 8


def test_memory_of_a_fixed_point_does_not_grow_with_phases() -> None:
    kept = []
    for phases in (5, 500):
        net, _, y = lasso("ista", phases, gradient="implicit")
        found: list[int] = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda t, found=found: found.append(t.numel()) or t,  # type: ignore[func-returns-value]
            lambda t: t,
        ):
            net(y)
        kept.append(sum(found))
    assert kept[0] == kept[1]


def test_where_no_fixed_point_is_near_it_says_so() -> None:
    text = """
algorithm growing
dims n
input y : vector[n]
learnable a : scalar = 3
state x : vector[n] = 0
phase (4):
    x <- a * x + y
output x
"""
    net: Any = unroll_dsl.loads(text).compile(gradient="implicit")
    with pytest.raises(RuntimeError, match="no fixed point is near"):
        net(torch.ones(2)).sum().backward()


@pytest.mark.parametrize(
    ("name", "gradient", "why"),
    [
        ("fista", "implicit", "`t` depends on no input"),
        ("fista_cd", "implicit", "depends on `k`"),
        ("lista", "implicit", "each phase has a `theta` of its own"),
        ("lista", 2, "each phase has a `theta` of its own"),
        ("baseline_tanh", 2, "it has no phases"),
    ],
)
def test_programs_without_such_a_gradient(name: str, gradient: Any, why: str) -> None:
    with pytest.raises(UnrollError, match=why) as caught:
        unroll_dsl.load(name).source(gradient=gradient)
    assert caught.value.diagnostics[0].code == "U0525"


def test_words_that_it_has_not() -> None:
    with pytest.raises(ValueError, match='"unroll", "implicit" or the number'):
        unroll_dsl.load("ista").source(gradient="deep")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="leave out checkpoint"):
        unroll_dsl.load("ista").source(gradient="implicit", checkpoint="phase")
    with pytest.raises(UnrollError, match="at least 1"):
        unroll_dsl.load("ista").source(gradient=0)


def test_no_fixed_point_has_a_sum_over_phases() -> None:
    """Its derivative knows the last phase alone, so that the terms of the others would be left out."""
    text = """
algorithm summed
dims n
input y : vector[n]
learnable t : scalar = 0.5
state x : vector[n] = 0
phase (9):
    x <- x + t * (y - x)
    trace seen = x
output x
loss (x_star : vector[n]):
    sumsq(x - x_star){more}
"""
    sums = unroll_dsl.loads(text.format(more=" + 0.1 * sum over phases sumsq(seen)"))
    with pytest.raises(UnrollError, match="its loss sums over phases") as caught:
        sums.source(gradient="implicit")
    assert caught.value.diagnostics[0].code == "U0525"
    assert unroll_dsl.loads(text.format(more="")).source(gradient="implicit")
