"""Good pages as one would write them in NumPy by hand.

`test_good.py` holds the backends against each other; what is built wrongly is built wrongly for both, and shows here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import unroll_dsl
from unroll_dsl.verify.instance import draw
from unroll_dsl.verify.networks import several

GOOD = Path(__file__).parent / "good"
Bound = dict[str, Any]
ByHand = Callable[[Bound, Any], tuple[Any, ...]]


def everything_once(bound: Bound, y: Any) -> tuple[Any, ...]:
    A = bound["A"]
    L = np.linalg.norm(A, 2) ** 2
    x = z = np.zeros(A.shape[1])
    for k in (1, 2, 3):
        v = z - A.T @ (A @ z - y) / L
        x, before = np.sign(v) * np.maximum(np.abs(v) - 0.1 / L, 0), x
        z = x + k / (k + 3) * (x - before)
    return (x,)


def matrix_plus_identity(bound: Bound, y: Any) -> tuple[Any, ...]:
    A, d = bound["A"], bound["d"]
    gram, one = A.T @ A, np.eye(A.shape[1])
    x = np.zeros(A.shape[1])
    for _ in range(2):
        x = np.linalg.solve(gram + 0.5 * one, A.T @ y + 0.5 * x) + 0.1 * np.linalg.solve(
            gram + np.diag(d) + one, x
        )
    return (x,)


def several_columns(bound: Bound, Y: Any) -> tuple[Any, ...]:
    A = bound["A"]
    X = np.zeros((A.shape[1], Y.shape[1]))
    for _ in range(2):
        X = np.linalg.solve(A.T @ A + np.eye(A.shape[1]), A.T @ Y + X)
    return (X,)


def truth_values(bound: Bound, y: Any) -> tuple[Any, ...]:
    x = y
    for _ in range(2):
        x = np.where(np.abs(x) < 0.2, 0.5 * x, x) + 0.1 * (y > 0)
    return (x,)


def complex_and_real(bound: Bound, y: Any) -> tuple[Any, ...]:
    A, C, j = bound["A"], bound["C"], bound["j"]
    x, r = np.zeros(A.shape[1], complex), np.zeros(A.shape[1])
    for _ in range(2):
        x = x - 0.1 * C.conj().T @ (C @ x - y) + j * r
        r = x.real + abs(j) * (A.T @ y.real)
    return x, r, j * (A.T @ y)


def broadcasts(bound: Bound, y: Any) -> tuple[Any, ...]:
    b, M = bound["b"][:, None, None], bound["M"]
    x = np.zeros_like(y)
    for _ in range(2):
        x = M * (x + b) / 2 + (1 - M) * y - b * y
    return x, np.where(x > 0, x, b * x)


def mask_composed_with_map(bound: Bound, y: Any) -> tuple[Any, ...]:
    M, g = bound["M"], bound["g"]

    def back(z: Any) -> Any:
        return np.fft.ifft2(M * z, norm="ortho")

    x = back(y)
    for _ in range(2):
        x = x - 0.5 * back(M * np.fft.fft2(x, norm="ortho") - y) + 0.1 * g * x
    return (x,)


def matrix_times_matrix(bound: Bound, Y: Any) -> tuple[Any, ...]:
    A, P = bound["A"], bound["P"]
    X = np.zeros((A.shape[1], Y.shape[1]))
    for _ in range(2):
        X = X - 0.1 * A.T @ (A @ X - Y) + 0.1 * (P.T @ P) @ X
    return X, A @ P @ X


def matrices_and_diagonals(bound: Bound, y: Any) -> tuple[Any, ...]:
    A, d = bound["A"], bound["d"]
    B = A @ np.diag(d)
    G = A.T @ A + 2 * np.eye(len(d)) - np.diag(d)
    x = np.zeros(len(d))
    for _ in range(2):
        x = x - 0.1 * B.T @ (B @ x - y) - 0.01 * G @ x
    return x, B @ x


def sums_and_multiples(bound: Bound, y: Any) -> tuple[Any, ...]:
    def T(x: Any) -> Any:
        turned = (np.roll(x, step, axis) for step in (1, -1) for axis in (-1, -2))
        return 0.3 * x + 4 * x - sum(turned) - bound["v"] / 2 * x

    x = np.zeros_like(y)
    for _ in range(2):
        x = x - 0.1 * (T(x) - y) - 0.05 * T(x)
    return (x,)


def over_values_and_maps(bound: Bound, y: Any) -> tuple[Any, ...]:
    A = bound["A"]
    x = np.zeros(A.shape[1])
    for _ in range(2):
        x = (x - 0.1 * A.T @ (A @ x - y)) / 2 + np.maximum(x, 0) / 2
    return x, x.size * x


BY_HAND: dict[str, ByHand] = {
    "arithmetic/broadcasts": broadcasts,
    "arithmetic/complex_and_real": complex_and_real,
    "arithmetic/truth_values": truth_values,
    "functions/over_values_and_maps": over_values_and_maps,
    "maps/mask_composed_with_map": mask_composed_with_map,
    "maps/matrices_and_diagonals": matrices_and_diagonals,
    "maps/matrix_times_matrix": matrix_times_matrix,
    "maps/sums_and_multiples": sums_and_multiples,
    "places/everything_once": everything_once,
    "systems/matrix_plus_identity": matrix_plus_identity,
    "systems/several_columns": several_columns,
}


@pytest.mark.parametrize("name", BY_HAND)
def test_a_page_is_what_one_would_write(name: str) -> None:
    spec = unroll_dsl.load(GOOD / f"{name}.unroll")
    instance = draw(spec.graph, seed=3, batch=2)
    found = several(spec.reference(**instance.arguments())(*instance.inputs))
    (data,) = instance.inputs
    for sample, y in enumerate(data):
        expected = BY_HAND[name](instance.bind, y)
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours[sample], theirs, rtol=1e-10, atol=1e-12)
