"""Right programs that a small slip in a rule of the compiler makes wrong. Each is run by the interpreter, at
all levels and frozen, and held against the same formula written here with dense matrices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl

Values = dict[str, Any]
Formula = Callable[[Values], np.ndarray]


@dataclass(frozen=True)
class Guard:
    """A program, the shapes of its values (complex ones marked), and what it computes."""

    text: str
    shapes: dict[str, tuple[int, ...]]
    complex: tuple[str, ...]
    formula: Formula

    def draw(self) -> Values:
        rng = np.random.default_rng(7)
        found: Values = {}
        for name, shape in self.shapes.items():
            scale = 1 / np.sqrt(shape[0]) if len(shape) == 2 else 1.0
            values = rng.standard_normal(shape) * scale
            if name in self.complex:
                values = values + 1j * rng.standard_normal(shape) * scale
            found[name] = values
        return found


def conjugate_of_a_diagonal(v: Values) -> np.ndarray:
    A, x = v["A"] @ np.diag(v["d"]), np.zeros(5, complex)
    for _ in range(2):
        x = x + A.conj().T @ (v["y"] - A @ x)
    return x


def complex_shift(v: Values) -> np.ndarray:
    x = np.zeros(5, complex)
    for k in (1, 2, 3):
        system = v["A"].T @ v["A"] + np.diag(v["d"]) + (0.5 + 0.1 * k) * np.eye(5)
        x = np.linalg.solve(system, v["y"] + x)
    return x


def complex_multiple(v: Values) -> np.ndarray:
    S, x = v["c"] * v["T"], np.zeros(5, complex)
    for _ in range(2):
        x = x + 0.1 * S.conj().T @ (v["y"] - S @ x)
    return x


def periodic(kernel: np.ndarray, h: int, w: int) -> np.ndarray:
    """The matrix [h w, h w] of periodic convolution with a centred kernel, tap by tap."""
    matrix = np.zeros((h, w, h, w))
    a, b = kernel.shape
    for i in range(h):
        for j in range(w):
            for p in range(a):
                for q in range(b):
                    matrix[i, j, (i - p + a // 2) % h, (j - q + b // 2) % w] += kernel[p, q]
    return matrix.reshape(h * w, h * w)


def blurred(v: Values) -> np.ndarray:
    B, y = periodic(v["K"], 5, 8), v["y"].ravel()
    x = y
    for _ in range(2):
        x = x - 0.1 * B.T @ (B @ x - y)
    return x.reshape(1, 5, 8)


def two_kernels(v: Values) -> np.ndarray:
    B, C, y = periodic(v["k1"], 8, 9), periodic(v["k2"], 8, 9), v["y"].ravel()
    x = y
    for _ in range(2):
        x = x - 0.1 * B.T @ (C @ x - y)
    return x.reshape(1, 8, 9)


def woodbury(v: Values) -> np.ndarray:
    x = np.zeros(7)
    for _ in range(3):
        x = np.linalg.solve(0.7 * v["A"].T @ v["A"] + np.eye(7), v["y"] + x)
    return x


def moving_sign(v: Values) -> np.ndarray:
    x = np.zeros(6)
    for k in (1, 2, 3):
        x = np.linalg.solve(np.eye(6) - (0.5 + 0.1 * k) * v["A"].T @ v["A"], v["y"] + x)
    return x


def difference(v: Values) -> np.ndarray:
    return v["A"].T @ (v["B"] @ v["y"])


def square(v: Values) -> np.ndarray:
    x = np.zeros(6)
    for _ in range(3):
        x = np.linalg.solve(v["T"] @ v["T"] + np.eye(6), v["y"] + x)
    return x


def two_negatives(v: Values) -> np.ndarray:
    x = np.zeros(5)
    for _ in range(3):
        r = (v["C"] @ x - v["y"]) + (v["C"].T @ x - 2 * v["y"])
        x = np.sign(r) * np.maximum(np.abs(r) - 0.1, 0)
    return x


def general_matrix_beside(v: Values) -> np.ndarray:
    x = np.zeros(5)
    for k in (1, 2, 3):
        system = v["A"].T @ v["A"] + v["B"] + (0.5 + 0.1 * k) * np.eye(5)
        x = np.linalg.solve(system, v["y"] + x)
    return x


def other_matrix(v: Values) -> np.ndarray:
    w, x = np.abs(v["w"]) + 0.1, np.zeros(4)
    for k in (1, 2, 3):
        system = (w[:, None] * v["F"]).T @ v["G"] + (0.5 + 0.1 * k) * np.eye(4)
        x = np.linalg.solve(system, v["y"] + x)
    return x


def moving_diagonal(v: Values) -> np.ndarray:
    x, d = np.zeros(5, complex), np.abs(v["d"]) + 0.1
    for k in (1, 2, 3):
        system = v["A"].conj().T @ v["A"] + (0.5 + 0.1 * k) * np.diag(d)
        x = np.linalg.solve(system, v["y"] + x)
    return x


def shift_by_a_quotient(v: Values) -> np.ndarray:
    x = np.zeros(7)
    for _ in range(3):
        x = np.linalg.solve(v["A"].T @ v["A"] + 0.7 / 1.9 * np.eye(7), v["y"] + x)
    return x


GUARDS = {
    "the adjoint of A @ diag(d) conjugates d": Guard(
        """algorithm complex_diagonal_in_a_product
dims m, n
input y : complex vector[m]
fixed A : complex matrix[m, n]
fixed d : complex vector[n]
state x : complex vector[n] = 0
phase (2):
    x <- x + (A @ diag(d))' @ (y - (A @ diag(d)) @ x)
output x
""",
        {"y": (4,), "A": (4, 5), "d": (5,)},
        ("y", "A", "d"),
        conjugate_of_a_diagonal,
    ),
    "a complex diagonal is not Hermitian": Guard(
        """algorithm complex_diagonal_is_not_hermitian
dims m, n
input y : complex vector[n]
fixed A : matrix[m, n]
fixed d : complex vector[n]
learnable rho : scalar > 0 per phase = 0.5 + 0.1 * k
state x : complex vector[n] = 0
phase (3):
    x <- solve(A' @ A + diag(d) + rho * I, y + x)
output x
""",
        {"y": (5,), "A": (4, 5), "d": (5,)},
        ("y", "d"),
        complex_shift,
    ),
    "the adjoint of c * T conjugates c": Guard(
        """algorithm complex_scale_of_a_map
dims m, n
input y : complex vector[m]
fixed T : linear complex vector[n] -> complex vector[m]
fixed c : complex scalar
let S = c * T
state x : complex vector[n] = 0
phase (2):
    x <- x + 0.1 * S' @ (y - S @ x)
output x
""",
        {"y": (4,), "T": (4, 5), "c": ()},
        ("y", "T", "c"),
        complex_multiple,
    ),
    "a kernel larger than the image wraps": Guard(
        """algorithm kernel_above_the_image
dims h, w
input y : image[1, h, w]
fixed K : matrix[7, 7]
state x : image[1, h, w] = y
phase (2):
    x <- x - 0.1 * blur(K, padding=circular)' @ (blur(K, padding=circular) @ x - y)
output x
""",
        {"y": (1, 5, 8), "K": (7, 7)},
        (),
        blurred,
    ),
    "the factor of a Gram matrix on the small side": Guard(
        """algorithm scaled_gram_on_the_small_side
dims m, n
input y : vector[n]
fixed A : matrix[m, n]
fixed c : scalar > 0 = 0.7
state x : vector[n] = 0
phase (3):
    x <- solve(c * A' @ A + I, y + x)
output x
""",
        {"y": (7,), "A": (2, 7)},
        (),
        woodbury,
    ),
    "a sign is counted once, not in the fixed and in the moving part": Guard(
        """algorithm shift_with_a_moving_sign
dims m, n
input y : vector[n]
fixed A : matrix[m, n]
learnable rho : scalar > 0 per phase = 0.5 + 0.1 * k
state x : vector[n] = 0
phase (3):
    x <- solve(I - rho * A' @ A, y + x)
output x
""",
        {"y": (6,), "A": (4, 6)},
        (),
        moving_sign,
    ),
    "a basis is of Hermitian matrices, all of them": Guard(
        """algorithm general_matrix_beside_a_gram_matrix
dims m, n
input y : vector[n]
fixed A : matrix[m, n]
fixed B : matrix[n, n]
learnable rho : scalar > 0 per phase = 0.5 + 0.1 * k
state x : vector[n] = 0
phase (3):
    x <- solve(A' @ A + B + rho * I, y + x)
output x
""",
        {"y": (5,), "A": (4, 5), "B": (5, 5)},
        (),
        general_matrix_beside,
    ),
    "(w * F)' @ G is no Gram matrix": Guard(
        """algorithm two_factors
dims m, n
input y : vector[n]
fixed F, G : matrix[m, n]
fixed w : vector[m]
learnable rho : scalar > 0 per phase = 0.5 + 0.1 * k
state x : vector[n] = 0
phase (3):
    x <- solve((diag(abs(w) + 0.1) @ F)' @ G + rho * I, y + x)
output x
""",
        {"y": (4,), "F": (6, 4), "G": (6, 4), "w": (6,)},
        (),
        other_matrix,
    ),
    "a diagonal that moves as a whole is divided by on either side": Guard(
        """algorithm moving_diagonal
dims m, n
input y : complex vector[n]
fixed A : complex matrix[m, n]
fixed d : vector[n]
learnable rho : scalar > 0 per phase = 0.5 + 0.1 * k
state x : complex vector[n] = 0
phase (3):
    x <- solve(A' @ A + rho * diag(abs(d) + 0.1), y + x)
output x
""",
        {"y": (5,), "A": (4, 5), "d": (5,)},
        ("y", "A"),
        moving_diagonal,
    ),
    "a shift by c / d is no shift by 1 / d": Guard(
        """algorithm shift_by_a_quotient
dims m, n
input y : vector[n]
fixed A : matrix[m, n]
fixed c : scalar > 0 = 0.7
fixed d : scalar > 0 = 1.9
state x : vector[n] = 0
phase (3):
    x <- solve(A' @ A + (c / d) * I, y + x)
output x
""",
        {"y": (7,), "A": (2, 7)},
        (),
        shift_by_a_quotient,
    ),
    "a size that is a difference": Guard(
        """algorithm size_that_is_a_difference
dims m, n
input y : vector[n - m]
fixed A : matrix[m, n]
fixed B : matrix[m, n - m]
output A' @ (B @ y)
""",
        {"y": (4,), "A": (3, 7), "B": (3, 4)},
        (),
        difference,
    ),
    "T @ T is not T' @ T": Guard(
        """algorithm square_of_a_bound_map
dims n
input y : vector[n]
fixed T : linear vector[n] -> vector[n]
state x : vector[n] = 0
phase (3):
    x <- solve(T @ T + I, y + x)
output x
""",
        {"y": (6,), "T": (6, 6)},
        (),
        square,
    ),
    "a sum of two negatives, where x = 0": Guard(
        """algorithm sum_of_two_negatives
dims m, n
input y : vector[n]
fixed A : matrix[m, n]
fixed C : matrix[n, n]
learnable W : matrix[n, n] = C
state x : vector[n] = 0
phase (3):
    x <- soft((W @ x - y) + (W' @ x - 2 * y), 0.1)
output x
""",
        {"y": (5,), "C": (5, 5)},
        (),
        two_negatives,
    ),
    "two different blurs are no gradient of one": Guard(
        """algorithm two_different_kernels
dims h, w
input y : image[1, h, w]
fixed k1, k2 : matrix[5, 5]
let B = blur(k1, padding=circular)
let C = blur(k2, padding=circular)
state x : image[1, h, w] = y
phase (2):
    x <- x - 0.1 * B' @ (C @ x - y)
output x
""",
        {"y": (1, 8, 9), "k1": (5, 5), "k2": (5, 5)},
        (),
        two_kernels,
    ),
}


@pytest.mark.parametrize("guard", GUARDS.values(), ids=GUARDS.keys())
def test_guard(guard: Guard) -> None:
    values = guard.draw()
    expected = guard.formula(values)
    spec = unroll_dsl.loads(guard.text)
    bind = {name: value for name, value in values.items() if name != "y"}
    # known sizes of images choose routes
    dims = dict(zip("hw", values["y"].shape[1:], strict=True)) if values["y"].ndim == 3 else {}
    scale = max(float(np.abs(expected).max()), 1)
    y = torch.as_tensor(values["y"])
    found = {"interpreter": spec.reference(bind=bind, dims=dims)(values["y"])}
    with torch.no_grad():
        for level in (0, 1, 2):
            net = spec.compile(bind=bind, dims=dims, dtype=torch.float64, optimize=level)
            found[f"level {level}"] = net(y).numpy()
        found["frozen"] = net.freeze()(y).numpy()
    for where, value in found.items():
        assert np.abs(value - expected).max() <= 1e-11 * scale, where
