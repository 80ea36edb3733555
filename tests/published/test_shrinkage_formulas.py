"""Shrinkage functions of the prelude against what defines them, computed by SciPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm

import unroll_dsl

SPEC = """# Posterior mean.
algorithm posterior_mean
dims n
input y      : vector[n]
fixed tau2   : scalar > 0
fixed p      : scalar in (0, 1)
fixed alpha2 : scalar > 0
output mmse_bg(y, tau2, p, alpha2)
"""


def posterior_mean(y: float, tau2: float, p: float, alpha2: float) -> float:
    """E[x | y] for y = x + noise(tau2), x = 0 with probability 1 - p, else normal(0, alpha2)."""

    def weight(x: float) -> float:
        return float(norm.pdf(x, scale=alpha2**0.5) * norm.pdf(y - x, scale=tau2**0.5))

    peak = y * alpha2 / (alpha2 + tau2)
    width = (alpha2 * tau2 / (alpha2 + tau2)) ** 0.5
    limits = (peak - 12 * width, peak + 12 * width)
    first, _ = quad(lambda x: x * weight(x), *limits, epsabs=0, epsrel=1e-11)
    mass, _ = quad(weight, *limits, epsabs=0, epsrel=1e-11)
    return p * first / ((1 - p) * float(norm.pdf(y, scale=tau2**0.5)) + p * mass)


@pytest.mark.parametrize(
    ("tau2", "p", "alpha2"), [(0.1, 0.1, 1.0), (0.01, 0.2, 1.0), (1.0, 0.5, 4.0), (0.3, 0.02, 0.5)]
)
def test_mmse_bg_is_the_posterior_mean(tau2: float, p: float, alpha2: float) -> None:
    bind = {"tau2": tau2, "p": p, "alpha2": alpha2}
    y = np.array([-3.0, -1.2, -0.5, -0.05, 0.1, 0.3, 0.8, 1.7, 2.5])
    expected = np.array([posterior_mean(float(v), tau2, p, alpha2) for v in y])
    spec = unroll_dsl.loads(SPEC)
    given: dict[str, Any] = {"bind": bind, "dims": {"n": len(y)}}
    np.testing.assert_allclose(spec.reference(**given)(y), expected, rtol=1e-9)
    with torch.no_grad():
        found = spec.compile(**given, dtype=torch.float64)(torch.as_tensor(y))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_mmse_bg_survives_large_and_nearly_noiseless_values(dtype: torch.dtype) -> None:
    """Both densities underflow there; the posterior mean is then linear in y."""
    bind = {"tau2": 1e-9, "p": 0.1, "alpha2": 1.0}
    y = torch.tensor([-100.0, -1.0, 0.0, 0.5, 60.0], dtype=dtype, requires_grad=True)
    found = unroll_dsl.loads(SPEC).compile(bind=bind, dims={"n": len(y)}, dtype=dtype)(y)
    torch.testing.assert_close(found, y / (1 + 1e-9))
    (slope,) = torch.autograd.grad(found.sum(), y)
    assert slope.isfinite().all()
