"""Periodic convolution with kernels larger than the image, and `solve` with it: against the matrix that rolls
and sums, in both backends, at every level, frozen too."""

from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.verify.run import check

ROW = """algorithm tv_signal_of_one_row
dims h, w
input y : image[1, h, w]
fixed rho : scalar > 0 = 0.5
let D = grad(padding=circular)
state x : image[1, h, w] = 0
phase (1):
    x <- solve(rho * D' @ D + I, y)
output x
"""
HEAD = "algorithm a\ndims h, w, a, b\ninput y : image[1, h, w]\n"
BANK = "fixed B : tensor[2, a, b]\nlet C = filters(B, padding=circular)\n"
BLUR = "fixed K : matrix[a, b]\nlet C = blur(K, padding=circular)\n"
SYSTEMS = {
    "a bank of filters": HEAD + BANK + "output solve(C' @ C + 0.3 * I, y)\n",
    "a blur": HEAD + BLUR + "output solve(C' @ C + 0.3 * I, y)\n",
    "a blur and differences": HEAD
    + BLUR
    + "let D = grad(padding=circular)\noutput solve(C' @ C + 0.7 * D' @ D + 0.3 * I, y)\n",
}
DESCENT = (
    HEAD
    + BLUR
    + """state x : image[1, h, w] = y
phase (2):
    x <- x - 0.1 * C' @ (C @ x - y)
output x
"""
)
BANKED = (
    HEAD
    + BANK
    + """state x : image[1, h, w] = y
phase (2):
    x <- x - 0.1 * C' @ (C @ x) + 0.1 * y
output x
"""
)
IMAGES = [(1, 6), (6, 1), (2, 5), (1, 1)]
KERNELS = [(7, 7), (4, 6), (2, 9)]


def rolled(kernel: Any, h: int, w: int) -> Any:
    """The matrix of periodic convolution: a rolled image for each tap."""
    a, b = kernel.shape
    pixels = np.eye(h * w).reshape(-1, h, w)
    taps = [
        kernel[p, q] * np.roll(pixels, (p - a // 2, q - b // 2), (1, 2))
        for p in range(a)
        for q in range(b)
    ]
    return np.sum(taps, axis=0).reshape(h * w, h * w).T


def differences(h: int, w: int) -> Any:
    pixels = np.eye(h * w).reshape(-1, h, w)
    return np.concatenate(
        [(np.roll(pixels, -1, axis) - pixels).reshape(h * w, h * w).T for axis in (1, 2)]
    )


def agree(text: str, bind: Any, y: Any, expected: Any, sizes: Any) -> None:
    spec = unroll_dsl.loads(text)
    np.testing.assert_allclose(spec.reference(bind=bind)(y), expected, rtol=1e-10, atol=1e-12)
    for level in (0, 1, 2):
        net: Any = spec.compile(bind=bind, optimize=level, dims=sizes)
        found = net(torch.as_tensor(y)).detach()
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)
    frozen = net.freeze()(torch.as_tensor(y))
    np.testing.assert_allclose(frozen, expected, rtol=1e-10, atol=1e-12)


def test_a_signal_of_one_row() -> None:
    y = np.zeros((1, 1, 6))
    y[0, 0, 2] = 1
    expected = [[[0.0444, 0.1556, 0.5778, 0.1556, 0.0444, 0.0222]]]
    spec = unroll_dsl.loads(ROW)
    np.testing.assert_allclose(spec.reference()(y), expected, atol=5e-5)
    for level in (0, 1, 2):
        net = spec.compile(optimize=level, dims={"h": 1, "w": 6}, dtype=torch.float64)
        np.testing.assert_allclose(net(torch.as_tensor(y)).detach(), expected, atol=5e-5)


@pytest.mark.parametrize("shape", IMAGES)
def test_systems_are_those_of_the_matrix(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    kernel = KERNELS[IMAGES.index(shape) % len(KERNELS)]
    y = rng.standard_normal((1, *shape))
    bank = rng.standard_normal((2, *kernel)) / 5
    n = shape[0] * shape[1]
    sizes = dict(zip("hw", shape, strict=True))
    grams = [C.T @ C for C in (rolled(B, *shape) for B in bank)]
    D = differences(*shape)
    ours = {
        "a bank of filters": ({"B": bank}, grams[0] + grams[1]),
        "a blur": ({"K": bank[0]}, grams[0]),
        "a blur and differences": ({"K": bank[0]}, grams[0] + 0.7 * D.T @ D),
    }
    for name, (bind, gram) in ours.items():
        expected = np.linalg.solve(gram + 0.3 * np.eye(n), y.ravel()).reshape(y.shape)
        agree(SYSTEMS[name], bind, y, expected, sizes)


@pytest.mark.parametrize("shape", IMAGES)
def test_steps_of_descent_are_those_of_the_matrix(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    y = rng.standard_normal((1, *shape))
    sizes = dict(zip("hw", shape, strict=True))
    kernel = KERNELS[IMAGES.index(shape) % len(KERNELS)]
    bank = rng.standard_normal((2, *kernel)) / 5
    first, second = (rolled(B, *shape) for B in bank)
    x, z = y.ravel(), y.ravel()
    for _ in range(2):
        x = x - 0.1 * first.T @ (first @ x - y.ravel())
        z = z - 0.1 * (first.T @ first @ z + second.T @ second @ z) + 0.1 * y.ravel()
    agree(DESCENT, {"K": bank[0]}, y, x.reshape(y.shape), sizes)
    agree(BANKED, {"B": bank}, y, z.reshape(y.shape), sizes)


@pytest.mark.parametrize("dims", [{}, {"h": 12, "w": 10}, {"h": 1, "w": 8}], ids=str)
def test_check_passes_whether_or_not_the_kernel_fits(dims: dict[str, int]) -> None:
    text = (
        "algorithm deblur\ndims h, w, s = 9\ninput y : image[1, h, w]\nfixed B : matrix[s, s]\n"
        "fixed rho : scalar > 0 = 0.1\nlet H = blur(B, padding=circular)\n"
        "let D = grad(padding=circular)\nstate x : image[1, h, w] = y\nphase (2):\n"
        "    x <- solve(H' @ H + rho * D' @ D, H' @ y + rho * x)\noutput x\n"
    )
    assert check(unroll_dsl.loads(text), dims=dims).passed
