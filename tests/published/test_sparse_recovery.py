"""Sparse recovery as in Borgerding, Schniter, Rangan (2017) and Ito, Takabe, Wadayama (2019).

m = 250, n = 500, a tenth of the entries non-zero, noise at 40 dB; untrained networks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import unroll_dsl

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Recovery:
    """A with unit columns, signals [batch, n], measurements [batch, m], variance of the noise."""

    A: Numbers
    x: Numbers
    y: Numbers
    variance: float

    def decibels(self, estimate: torch.Tensor) -> float:
        errors = np.sum((estimate.numpy() - self.x) ** 2, axis=1) / np.sum(self.x**2, axis=1)
        return float(10 * np.log10(np.mean(errors)))


@pytest.fixture(scope="module")
def recovery() -> Recovery:
    rng = np.random.default_rng(0)
    m, n, batch = 250, 500, 40
    A = rng.standard_normal((m, n))
    A /= np.linalg.norm(A, axis=0)
    x = rng.standard_normal((batch, n)) * (rng.random((batch, n)) < 0.1)
    clean = x @ A.T
    variance = float(np.mean(clean**2)) / 1e4
    return Recovery(A, x, clean + np.sqrt(variance) * rng.standard_normal(clean.shape), variance)


def errors(
    name: str, state: str, phases: int, recovery: Recovery, bind: dict[str, Any]
) -> list[float]:
    """The normalised error, in decibels, after every phase."""
    net: Any = unroll_dsl.load(name).compile(phases=phases, bind=bind, dtype=torch.float64)
    with torch.no_grad():
        return [
            recovery.decibels(states[state])
            for states in net.trajectory(torch.as_tensor(recovery.y))
        ]


def first_below(decibels: list[float], level: float) -> int:
    return next(i for i, value in enumerate(decibels, start=1) if value < level)


def test_untrained_lamp_is_amp_and_takes_the_published_25_iterations(recovery: Recovery) -> None:
    """To -35 dB they count 25 iterations of AMP, 216 of FISTA and 4402 of ISTA."""
    found = errors("lamp", "x", 40, recovery, {"A": recovery.A})
    assert 22 <= first_below(found, -35) <= 28
    assert all(b < a for a, b in pairwise(found[:25]))


def test_fista_takes_many_times_more(recovery: Recovery) -> None:
    """Near the published 216, with a weight at which the lasso's error is about that of AMP."""
    found = errors("fista", "x", 250, recovery, {"A": recovery.A, "lambda": 0.003})
    assert 150 <= first_below(found, -35) <= 250


def test_untrained_tista_falls_steadily(recovery: Recovery) -> None:
    found = errors("tista", "s", 15, recovery, {"A": recovery.A, "sigma2": recovery.variance})
    assert all(b < a - 1 for a, b in pairwise(found))  # a decibel a phase
    assert found[9] < -22
    assert found[14] < -31
