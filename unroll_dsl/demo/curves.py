"""Errors of classical iterations on patches, and how many iterations an encoder is worth."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from unroll_dsl.data import coding
from unroll_dsl.loading import load

_PART = 500  # patches at a time: all states of all iterations are held


def curve(
    name: str, X: Tensor, Z_star: Tensor, Wd: Tensor, alpha: float, count: int
) -> list[float]:
    """The error of a classical iteration after 1, 2, ... phases: mean ||Z - Z*||^2.

    `name` is "ista" or "fista", X [batch, n] patches, Z_star [batch, m] their codes in Wd [n, m].
    """
    net = load(name).compile(phases=count, bind={"A": Wd, "lambda": alpha})
    sums = [0.0] * count
    with torch.no_grad():
        for patches, codes in zip(torch.split(X, _PART), torch.split(Z_star, _PART), strict=True):
            states = net.trajectory(patches)  # type: ignore[operator]  # generated
            for k, values in enumerate(states):
                sums[k] += coding.error(values["x"], codes) * len(patches)
    return [total / len(X) for total in sums]


def reached(errors: Sequence[float], error: float) -> int | None:
    """The first iteration whose error is at most `error`, from 1; None: it takes more than there are."""
    return next((k for k, found in enumerate(errors, start=1) if found <= error), None)
