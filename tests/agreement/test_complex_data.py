"""Complex data where a program, or what is bound to it, is real: against formulas written here."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl
from unroll_dsl.verify import check

RNG = np.random.default_rng(3)


def normal(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape)


def complex_normal(*shape: int) -> np.ndarray:
    return normal(*shape) + 1j * normal(*shape)


def everywhere(text: str, *inputs: np.ndarray, **bind: Any) -> list[np.ndarray]:
    """The output of the reference, of each level, and of the frozen network."""
    spec = unroll_dsl.loads(text)
    found = [spec.reference(bind=bind)(*inputs)]
    with torch.no_grad():
        for level in (0, 1, 2):
            net = spec.compile(bind=bind, dtype=torch.float64, optimize=level)
            tensors = [torch.as_tensor(x) for x in inputs]
            found.append(net(*tensors).resolve_conj().numpy())
        found.append(net.freeze()(*tensors).resolve_conj().numpy())
    return found


def assert_all(found: list[np.ndarray], expected: np.ndarray) -> None:
    for value in found:
        assert np.iscomplexobj(value) == np.iscomplexobj(expected)
        np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-12)


def test_a_complex_number_times_a_real_map_is_complex() -> None:
    text = """algorithm complex_scalar_times_map
dims h, w
input y : image[1, h, w]
fixed j : complex scalar
output grad @ y + j * grad @ y
"""
    y = normal(1, 5, 6)
    vertical, horizontal = np.zeros((5, 6)), np.zeros((5, 6))
    vertical[:-1], horizontal[:, :-1] = np.diff(y[0], axis=0), np.diff(y[0], axis=1)
    assert_all(everywhere(text, y, j=0.3 - 2j), (1.3 - 2j) * np.stack([vertical, horizontal]))


def test_a_mask_is_a_matrix_before_a_product() -> None:
    text = """algorithm mask_composed_with_map
dims h, w
input     y : complex vector[w]
fixed     P : mask[h, w]
fixed     M : linear vector[h] -> vector[h]
let       A = M @ P
state x : complex vector[h] = 0
phase (3):
    x <- x - 0.1 * A @ (A' @ x - y)
output x
"""
    P, M, y = (normal(4, 5) > 0).astype(float), normal(4, 4), complex_normal(5)
    x = np.zeros(4, complex)
    for _ in range(3):
        x = x - 0.1 * M @ P @ (P.T @ M.T @ x - y)
    assert_all(everywhere(text, y, P=P, M=M), x)


class Blur(torch.nn.Module):
    """A real map that is no matrix, and takes real tensors alone."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        assert not x.is_complex()
        return x.flatten(-3).cumsum(-1)

    def adjoint(self, y: torch.Tensor) -> torch.Tensor:
        assert not y.is_complex()
        return y.flip(-1).cumsum(-1).flip(-1).reshape(*y.shape[:-1], 2, 3, 4)


@pytest.mark.parametrize("kind", ["matrix", "module"])
def test_a_real_map_acts_on_complex_data(kind: str) -> None:
    text = """algorithm real_map_on_complex_data
dims c = 2, h = 3, w = 4, m = 24
input y : complex image[c, h, w]
fixed P : mask[h, w]
fixed A : linear image[c, h, w] -> vector[m]
fixed b : vector[m]
state x : complex image[c, h, w] = 0
phase (3):
    x <- x - 0.1 * fft2' @ (P * (fft2 @ x) - y) - 0.01 * A' @ (A @ x - b)
output x
"""
    dense = np.tril(np.ones((24, 24)))
    y, P, b = complex_normal(2, 3, 4), (normal(3, 4) > 0).astype(float), normal(24)
    x = np.zeros((2, 3, 4), complex)
    for _ in range(3):
        step = np.fft.ifft2(P * np.fft.fft2(x, norm="ortho") - y, norm="ortho")
        x = x - 0.1 * step - 0.01 * (dense.T @ (dense @ x.ravel() - b)).reshape(x.shape)
    assert_all(everywhere(text, y, P=P, b=b, A=dense if kind == "matrix" else Blur()), x)


def test_a_complex_state_begins_at_complex_zero() -> None:
    text = """algorithm complex_state_from_zero
dims m, n
input y : complex vector[m]
fixed A : complex matrix[m, n]
state x : complex vector[n] = 0
phase (2):
    x <- 0.5 * (A' @ (A @ x))
output x
"""
    A = complex_normal(3, 4)
    assert_all(everywhere(text, complex_normal(3), A=A), np.zeros(4, complex))


STARTS = ("0", "1", "a", "b", "t", "2 * a", "r", "y", "A @ r", "real(y)")
UPDATES = (
    "0.5 * (C' @ (C @ x))", "A @ x + r", "real(x)", "T @ x", "soft(x - A' @ (A @ x - r), t)",
    "solve(A' @ A + I, r)", "0", "r", "t", "real(y) > 0",
)  # fmt: skip


@pytest.mark.parametrize(
    ("start", "update"),
    [
        *zip(STARTS, UPDATES, strict=True),
        *(
            pytest.param(*pair, marks=pytest.mark.slow)
            for pair in itertools.product(STARTS, UPDATES)
        ),
    ],
)
def test_real_values_of_complex_states(start: str, update: str) -> None:
    """Read in the phase again, by a matrix and by a map from outside, and afterwards."""
    report = check(
        unroll_dsl.loads(f"""algorithm real_values
dims m, n
input y : complex vector[n]
input r : vector[n]
fixed A : matrix[n, n]
fixed C : complex matrix[n, n]
fixed T : linear vector[n] -> vector[n]
fixed a : scalar = 0.7
fixed b : scalar
learnable t : scalar = 0.3
state x : complex vector[n] = {start}
phase (2):
    x <- {update}
    z = A @ x
    x <- z + C @ (T @ x)
output x, T @ x
""")
    )
    assert report.passed, [row for row in report.rows if row.verdict.value == "failed"]


@pytest.mark.parametrize(
    "declared",
    [
        "fixed c : complex vector[n] = a",
        "fixed c : vector[n] = a",
        "fixed c : complex matrix[n, n] = A",
        "learnable c : complex vector[n] per phase = k",
        "learnable c : complex matrix[n, n] = 2 * I",
        "fixed c : complex scalar per phase = k",
    ],
)
def test_real_classical_values_of_constants(declared: str) -> None:
    sign = "@" if "matrix" in declared else "*"
    report = check(
        unroll_dsl.loads(f"""algorithm real_values
dims n
input r : vector[n]
fixed A : matrix[n, n]
fixed a : scalar = 0.7
{declared}
state x : complex vector[n] = r
phase (2):
    x <- 0.1 * (c {sign} x) + r
output x
""")
    )
    assert report.passed, [row for row in report.rows if row.verdict.value == "failed"]


def test_diagonals_of_channels_and_of_planes_are_not_multiplied() -> None:
    """As many channels as rows: the product of the two would be taken for a number a row."""
    text = """algorithm two_diagonals
dims h, w
input y : image[h, h, w]
fixed v : vector[h]
fixed P : mask[h, w]
output (diag(v) @ diag(P)) @ y
"""
    y, v, P = normal(3, 3, 4), normal(3), (normal(3, 4) > 0).astype(float)
    assert_all(everywhere(text, y, v=v, P=P), v[:, None, None] * P * y)


# ---- soft thresholding of tiny complex values ---------------------------------------------------

SOFT = """algorithm shrunk
dims n
input v : complex vector[n]
learnable t : scalar = 0.3
output soft(v, t)
"""
TINY = np.array(
    [0, 5e-324, 5e-324 + 5e-324j, 3e-310 - 1e-310j, 1e-308, 2.3e-308j, 1e-200 + 1e-200j]
)
PLAIN = np.array([0.2 + 0.1j, 1 + 2j, -3, 1e200 + 1e200j, 1e308 + 1e308j])


@pytest.mark.parametrize("t", [0.3, 0.0])
@pytest.mark.parametrize("level", [0, 1, 2])
def test_soft_thresholding_of_tiny_complex_values(t: float, level: int) -> None:
    v = np.concatenate([TINY, PLAIN])
    modulus = np.hypot(v.real, v.imag)
    expected = np.where(modulus > t, (1 - t / np.where(modulus > t, modulus, 1)) * v, 0)
    spec = unroll_dsl.loads(SOFT)
    given = {"init": {"t": t}, "dims": {"n": v.size}}
    np.testing.assert_allclose(spec.reference(**given)(v), expected, rtol=1e-12, atol=1e-307)
    net = spec.compile(**given, dtype=torch.float64, optimize=level)
    values = torch.tensor(v, requires_grad=True)
    found = net(values)
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-12, atol=1e-307)
    # of the sum of real parts: -Re(v / |v|) for each value above the threshold
    found[: len(TINY) + 3].real.sum().backward()
    assert torch.isfinite(torch.view_as_real(values.grad)).all()
    plain = modulus > max(t, 2.3e-308)
    plain[len(TINY) + 3 :] = False
    wanted = -(v[plain] / modulus[plain]).real.sum()
    assert net.t.grad.item() == pytest.approx(wanted, abs=1e-12 if t else 0.9)
    assert np.isfinite(net.t.grad.item())


def test_the_derivative_of_soft_thresholding_at_zero_is_zero() -> None:
    net = unroll_dsl.loads(SOFT).compile(init={"t": 0.0}, dims={"n": 3}, dtype=torch.float64)
    net(torch.tensor([0, 5e-324j, 1e-320 + 0j], dtype=torch.complex128)).real.sum().backward()
    assert abs(net.t.grad.item()) < 1e-6


@pytest.mark.parametrize("t", [0.3, 0.0])
@pytest.mark.parametrize("level", [0, 2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_tiny_complex_values_have_finite_derivatives(t: float, level: int, dtype: Any) -> None:
    """However many there are: what torch computes several at a time it divides otherwise."""
    tiny = 0.05 * torch.finfo(dtype).tiny
    net = unroll_dsl.loads(SOFT).compile(init={"t": t}, dtype=dtype, optimize=level)
    for n in (1, 3, 9):
        v = torch.full((n,), tiny + tiny * 1j, dtype=dtype.to_complex(), requires_grad=True)
        found = net(v)
        (found.real.sum() + found.imag.sum()).backward()
        assert torch.isfinite(torch.view_as_real(v.grad)).all()
        assert net.t.grad.isfinite()


def test_complex_numbers_times_a_map_are_conjugated_in_its_adjoint() -> None:
    text = """algorithm scaled
input y : complex image[1, 3, 4]
let G = 1i * grad
state x : complex image[1, 3, 4] = 0
phase (2):
    x <- x - 0.1 * k * ((2 - 1i * k) * G)' @ ((2 - 1i * k) * G @ (x - y))
output x
"""
    y = normal(2, 1, 3, 4) + 1j * normal(2, 1, 3, 4)
    spec = unroll_dsl.loads(text)
    expected = spec.reference()(y)
    for level in (0, 1, 2):
        net = spec.compile(dtype=torch.float64, optimize=level)
        np.testing.assert_allclose(net(torch.as_tensor(y)), expected, atol=1e-12)


def test_states_that_start_at_complex_zeros_are_traced() -> None:
    """By Dynamo, which knows few methods of a dtype."""
    text = """algorithm complex_zeros
dims m, n
input y : vector[m]
fixed A : complex matrix[m, n]
state x : complex vector[n] = 0
state s : complex vector[m] = 0.5
phase (2):
    x <- 0.3 * x + A' @ (y + 0.1 * s)
    s <- s + A @ x
output x, s
"""
    spec = unroll_dsl.loads(text)
    for level, dtype, width in (
        (0, torch.float64, torch.complex128),
        (2, torch.float32, torch.complex64),
    ):
        net: Any = spec.compile(bind={"A": complex_normal(3, 4)}, dtype=dtype, optimize=level)
        y = torch.as_tensor(normal(2, 3)).to(dtype)
        expected = net(y)
        assert {value.dtype for value in expected} == {width}
        exported = torch.export.export(net, (y,), strict=True).module()
        compiled = torch.compile(net, fullgraph=True, backend="eager")
        for traced in (exported, compiled):
            torch.testing.assert_close(traced(y), expected)
