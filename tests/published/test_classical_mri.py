"""Classical reconstructions from k-space against plain NumPy, other libraries, and each other."""

from typing import Any

import numpy as np
import pytest
import pywt
import torch
from scipy.optimize import minimize
from skimage.data import shepp_logan_phantom
from skimage.transform import resize

import unroll_dsl

Numbers = np.ndarray[Any, Any]
SIDE = 32


@pytest.fixture(scope="module")
def mask() -> Numbers:
    rng = np.random.default_rng(0)
    found = (rng.uniform(size=(SIDE, SIDE)) < 0.35).astype(float)
    found[:3, :3] = 1
    return found


@pytest.fixture(scope="module")
def image() -> Numbers:
    return np.asarray(resize(shepp_logan_phantom(), (SIDE, SIDE)), float)


@pytest.fixture(scope="module")
def y(mask: Numbers, image: Numbers) -> Numbers:
    return np.asarray(mask * np.fft.fft2(image, norm="ortho"))[None, None]


def run(name: str, y: Numbers, phases: int | None = None, **bind: Any) -> Numbers:
    net = unroll_dsl.load(name).compile(phases, bind=bind)
    with torch.no_grad():
        return np.asarray(net(torch.as_tensor(y))[0, 0])


def convolved(x: Numbers, kernel: Numbers) -> Numbers:
    """Periodic convolution with a kernel of 3 x 3, written out."""
    return sum(
        kernel[i, j] * np.roll(x, (i - 1, j - 1), (-2, -1)) for i in range(3) for j in range(3)
    )


def test_untrained_admm_net_is_admm_in_numpy_at_every_stage(mask: Numbers, y: Numbers) -> None:
    """ADMM written out with dense matrices of the problem, without a line of the compiler."""
    net: Any = unroll_dsl.load("admm_net").compile(6, bind={"P": mask})
    with torch.no_grad():
        states = net.trajectory(torch.as_tensor(y))
    d = np.sqrt(2 / 3) * np.cos(np.pi * (2 * np.arange(3) + 1) * np.arange(3)[:, None] / 6)
    d[0] /= np.sqrt(2)
    filters = [np.outer(d[b], d[a]) for a in range(3) for b in range(3)][1:]
    rho, eta, knots = 0.2, 1.6, np.linspace(-1, 1, 101)
    values = np.sign(knots) * np.maximum(np.abs(knots) - 0.05, 0)
    units = np.eye(SIDE**2).reshape(-1, SIDE, SIDE)
    matrices = [convolved(units, f).reshape(SIDE**2, -1).T for f in filters]
    F = np.fft.fft2(units, norm="ortho").reshape(SIDE**2, -1).T
    data = (F.conj().T * mask.ravel() ** 2) @ F
    system = np.linalg.inv(data + rho * sum(D.T @ D for D in matrices))
    right = F.conj().T @ (mask * y[0, 0]).ravel()
    z = beta = np.zeros((8, SIDE**2))
    for found in states[:-1]:
        x = (
            system @ (right + rho * sum(D.T @ v for D, v in zip(matrices, z - beta, strict=True)))
        ).real
        c = np.stack([D @ x for D in matrices])
        a = c + beta
        inside = np.interp(a, knots, values)
        z = np.where(a < -1, a + 1 + values[0], np.where(a > 1, a - 1 + values[-1], inside))
        beta = beta + eta * (c - z)
        for name, expected in (("x", x), ("z", z), ("beta", beta)):
            ours = found[name][0].numpy().reshape(expected.shape)
            np.testing.assert_allclose(ours, expected, atol=1e-11)


def test_init_net_is_untrained_admm_net(mask: Numbers, y: Numbers) -> None:
    np.testing.assert_allclose(run("init_net", y, P=mask), run("admm_net", y, P=mask), atol=1e-13)


@pytest.mark.slow
def test_both_methods_find_the_same_total_variation(mask: Numbers, y: Numbers) -> None:
    settings = {"P": mask, "lambda": 0.02}
    admm = run("tv_admm", y, 3000, **settings, rho=0.1)
    pdhg = run("tv_pdhg", y, 6000, **settings, tau=1.0)
    np.testing.assert_allclose(admm, pdhg, atol=1e-4)


def test_total_variation_is_that_of_a_general_solver(mask: Numbers, y: Numbers) -> None:
    """A smoothed objective, by L-BFGS: it may not lie below the minimum that ADMM has found."""
    weight = 0.02

    def objective(x: Numbers) -> float:
        down, right = np.roll(x, -1, 0) - x, np.roll(x, -1, 1) - x
        fit = mask * np.fft.fft2(x, norm="ortho") - y[0, 0]
        variation = np.sqrt(np.abs(down) ** 2 + np.abs(right) ** 2).sum()
        return float(0.5 * (np.abs(fit) ** 2).sum() + weight * variation)

    def smooth(flat: Numbers) -> tuple[float, Numbers]:
        x = torch.tensor(flat.reshape(2, SIDE, SIDE), requires_grad=True)
        u = torch.complex(x[0], x[1])
        down, right = u.roll(-1, 0) - u, u.roll(-1, 1) - u
        fit = torch.as_tensor(mask) * torch.fft.fft2(u, norm="ortho") - torch.as_tensor(y[0, 0])
        value = fit.abs().square().sum() / 2
        value = value + weight * (down.abs().square() + right.abs().square() + 1e-10).sqrt().sum()
        value.backward()
        return value.item(), x.grad.numpy().ravel()

    spec = unroll_dsl.load("tv_admm")
    net: Any = spec.compile(3000, bind={"P": mask, "lambda": weight, "rho": 0.1})
    with torch.no_grad():
        ours = net.trajectory(torch.as_tensor(y))[-1]["x"][0, 0].numpy()
    begin = np.stack([ours.real, ours.imag]).ravel()
    found = minimize(smooth, begin, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    other = found.reshape(2, SIDE, SIDE)
    least = objective(other[0] + 1j * other[1])
    assert objective(ours) <= least * (1 + 1e-6)
    assert objective(np.fft.ifft2(y[0, 0], norm="ortho")) > 1.05 * least


def test_wavelet_fista_finds_what_ista_does_with_another_wavelet_library(
    mask: Numbers, y: Numbers
) -> None:
    """ISTA by PyWavelets; FISTA converges to the same image."""
    weight, x = 0.02, np.zeros((SIDE, SIDE))
    for _ in range(3000):
        step = x + np.fft.ifft2(y[0, 0] - mask * np.fft.fft2(x, norm="ortho"), norm="ortho").real
        coefficients = pywt.wavedec2(step, "haar", mode="periodization", level=2)
        array, slices = pywt.coeffs_to_array(coefficients)
        array = pywt.threshold(array, weight, "soft")
        shrunk = pywt.array_to_coeffs(array, slices, output_format="wavedec2")
        x = pywt.waverec2(shrunk, "haar", mode="periodization")
    spec = unroll_dsl.load("wavelet_fista").program
    text = spec.file.text.replace("wavelet(db4, 3)", "wavelet(haar, 2)")
    net: Any = unroll_dsl.loads(text).compile(1000, bind={"P": mask, "lambda": weight})
    with torch.no_grad():
        found = net(torch.as_tensor(y))[0, 0].numpy()
    np.testing.assert_allclose(found, x, atol=1e-6)


def test_every_method_beats_zero_filling(mask: Numbers, image: Numbers, y: Numbers) -> None:
    def error(name: str) -> float:
        return float(np.linalg.norm(run(name, y, P=mask) - image))

    least = error("zero_filling")
    for name in ("tv_admm", "tv_pdhg", "wavelet_ista", "wavelet_fista"):
        assert error(name) < least
