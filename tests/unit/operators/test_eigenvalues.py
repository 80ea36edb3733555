"""Functions of eigenvalues: their derivatives where eigenvalues are equal, 0, or of both signs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import Tensor

from unroll_dsl.operators.registry import function


def of(name: str) -> Callable[[Tensor], Tensor]:
    scope: dict[str, Any] = {"torch": torch, "Tensor": Tensor}
    exec(function(name).helper, scope)
    found: Callable[[Tensor], Tensor] = scope[name]
    return found


def with_eigenvalues(values: list[float], *, is_complex: bool = False) -> Tensor:
    rng = np.random.default_rng(0)
    drawn = rng.standard_normal((2, len(values), len(values)))
    q, _ = np.linalg.qr(drawn[0] + 1j * drawn[1] if is_complex else drawn[0])
    return torch.as_tensor((q * np.asarray(values)) @ np.conj(q.T))


SPECTRA = [[3.0, 2.0, 0.5], [2.0, 2.0, 2.0], [4.0, 1.0, 1.0]]


@pytest.mark.parametrize("is_complex", [False, True], ids=["real", "complex"])
@pytest.mark.parametrize("values", SPECTRA, ids=str)
def test_a_root_is_that_of_scipy_and_has_its_derivative(
    values: list[float], is_complex: bool
) -> None:
    """The derivative R of a root R in a direction E solves R' R + R R' = E, equal eigenvalues or not."""
    M, sqrtm = with_eigenvalues(values, is_complex=is_complex), of("sqrtm")
    root = sqrtm(M).numpy()
    np.testing.assert_allclose(root, scipy.linalg.sqrtm(M.numpy()), atol=1e-12)
    np.testing.assert_allclose(function("sqrtm").numpy(M.numpy()), root, atol=1e-12)
    E = with_eigenvalues([1.0, -2.0, 0.3], is_complex=is_complex)
    _, moved = torch.func.jvp(sqrtm, (M,), (E,))
    expected = scipy.linalg.solve_sylvester(root, root, E.numpy())
    np.testing.assert_allclose(moved.numpy(), expected, atol=1e-12)
    weights = with_eigenvalues([0.2, 1.0, -1.5], is_complex=is_complex)
    at = M.clone().requires_grad_()
    (weights.conj() * sqrtm(at)).sum().real.backward()
    slope = torch.as_tensor(np.vdot(weights.numpy(), expected).real)
    torch.testing.assert_close((at.grad.conj() * E).sum().real, slope)


@pytest.mark.parametrize("values", [[3.0, -2.0, 0.5], [2.0, 2.0, -1.0], [-1.0, -1.0, 2.0]], ids=str)
def test_the_derivative_of_a_positive_part_is_that_of_differences(values: list[float]) -> None:
    M, psd_part = with_eigenvalues(values), of("psd_part")
    E, step = with_eigenvalues([1.0, -2.0, 0.3]), 1e-6
    _, moved = torch.func.jvp(psd_part, (M,), (E,))
    differences = (psd_part(M + step * E) - psd_part(M - step * E)) / (2 * step)
    torch.testing.assert_close(moved, differences, rtol=1e-7, atol=1e-8)
    at = M.clone().requires_grad_()
    (E * psd_part(at)).sum().backward()
    torch.testing.assert_close((at.grad * E).sum(), (E * moved).sum())


@pytest.mark.parametrize("name", ["sqrtm", "psd_part"])
def test_at_0_derivatives_are_finite_and_samples_may_be_mapped_over(name: str) -> None:
    run = of(name)
    zero = torch.zeros(3, 3, dtype=torch.float64, requires_grad=True)
    run(zero).sum().backward()
    assert zero.grad.isfinite().all()
    several = torch.stack([with_eigenvalues(values) for values in SPECTRA])
    mapped = torch.func.vmap(torch.func.grad(lambda M: run(M).square().sum()))(several)
    for M, found in zip(several, mapped, strict=True):
        alone = M.clone().requires_grad_()
        run(alone).square().sum().backward()
        torch.testing.assert_close(found, alone.grad)


def test_a_root_of_negative_eigenvalues_is_none() -> None:
    M = with_eigenvalues([1.0, -0.5, 2.0])
    assert of("sqrtm")(M).isnan().any() and np.isnan(function("sqrtm").numpy(M.numpy())).any()
    rounding = with_eigenvalues([1.0, -1e-17, 2.0])
    assert of("sqrtm")(rounding).isfinite().all()


@pytest.mark.parametrize("name", ["sqrtm", "psd_part"])
@pytest.mark.parametrize("values", [[3.0, 2.0, 0.5], [2.0, 2.0, 0.5]], ids=str)
def test_second_derivatives(name: str, values: list[float]) -> None:
    M = with_eigenvalues(values).requires_grad_()
    assert torch.autograd.gradgradcheck(of(name), (M,))


def test_second_derivatives_by_forward_and_reverse_mode_agree() -> None:
    M, E = with_eigenvalues([2.0, 2.0, 0.5]), with_eigenvalues([1.0, -2.0, 0.3])

    def slope(M: Tensor) -> Tensor:
        return torch.func.grad(lambda v: of("sqrtm")(v).pow(3).sum())(M)

    _, forward = torch.func.jvp(slope, (M,), (E,))
    reverse = torch.func.grad(lambda v: (slope(v) * E).sum())(M)
    torch.testing.assert_close(forward, reverse)
