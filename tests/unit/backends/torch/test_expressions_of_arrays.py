"""What generated code computes of arrays, against NumPy: each expression with any batch axes, real and complex."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl

RNG = np.random.default_rng(0)
M, N, C, H, W = 3, 4, 2, 4, 6


def normal(*shape: int) -> Any:
    return np.asarray(RNG.standard_normal(shape))


def complex_normal(*shape: int) -> Any:
    return normal(*shape) + 1j * normal(*shape)


HEAD = """algorithm e
dims m, n, c, h, w
input y : vector[n]
input v : vector[m]
input z : complex vector[n]
input Y : matrix[m, n]
input x : image[c, h, w]
input r : scalar
fixed A, B : matrix[m, n]
fixed K : complex matrix[m, n]
fixed d : vector[n]
fixed e : complex vector[n]
fixed T : tensor[m, 2, n]
fixed a : vector[c]
fixed s : scalar = 2.5
fixed q : complex scalar = 1
output {}
"""
INPUTS = {
    "y": normal(N), "v": normal(M), "z": complex_normal(N), "Y": normal(M, N), "x": normal(C, H, W),
    "r": normal(),
}  # fmt: skip
FIXED = {
    "A": normal(M, N), "B": normal(M, N), "K": complex_normal(M, N), "d": normal(N),
    "e": complex_normal(N), "T": normal(M, 2, N), "a": normal(C), "s": np.asarray(-0.75),
    "q": np.asarray(0.5 - 2j),
}  # fmt: skip

# an expression, and what it is of one sample
CASES: dict[str, Callable[..., Any]] = {
    # products
    "A @ y": lambda i: i.A @ i.y,
    "A' @ v": lambda i: i.A.T @ i.v,
    "K @ y": lambda i: i.K @ i.y,
    "K' @ v": lambda i: i.K.conj().T @ i.v,
    "A @ z": lambda i: i.A @ i.z,
    "K @ z": lambda i: i.K @ i.z,
    "K' @ (K @ z)": lambda i: i.K.conj().T @ (i.K @ i.z),
    "Y @ y": lambda i: i.Y @ i.y,
    "Y' @ v": lambda i: i.Y.T @ i.v,
    "Y @ z": lambda i: i.Y @ i.z,
    "Y @ d": lambda i: i.Y @ i.d,
    "Y @ K'": lambda i: i.Y @ i.K.conj().T,
    "K @ Y'": lambda i: i.K @ i.Y.T,
    "A @ Y'": lambda i: i.A @ i.Y.T,
    "Y @ Y'": lambda i: i.Y @ i.Y.T,
    "A' @ B": lambda i: i.A.T @ i.B,
    "A @ d": lambda i: i.A @ i.d,
    "T @ y": lambda i: np.tensordot(i.T, i.y, 1),
    "T @ z": lambda i: np.tensordot(i.T, i.z, 1),
    "T @ Y'": lambda i: np.tensordot(i.T, i.Y.T, 1),
    "T @ K'": lambda i: np.tensordot(i.T, i.K.conj().T, 1),
    "dot(z, y)": lambda i: np.vdot(i.z, i.y),
    "dot(y, d)": lambda i: i.y @ i.d,
    "outer(v, y)": lambda i: np.outer(i.v, i.y),
    # maps
    "(A @ diag(d) + s * B) @ y": lambda i: i.A @ (i.d * i.y) + i.s * i.B @ i.y,
    "(A @ diag(d) - s * B)' @ v": lambda i: i.d * (i.A.T @ i.v) - i.s * i.B.T @ i.v,
    "(q * K @ diag(e))' @ v": lambda i: (i.q * i.K @ np.diag(i.e)).conj().T @ i.v,
    "(K @ diag(e) + A) @ y": lambda i: i.K @ (i.e * i.y) + i.A @ i.y,
    "(I - s * A' @ B) @ y": lambda i: i.y - i.s * i.A.T @ (i.B @ i.y),
    "diag(y)' @ z": lambda i: i.y * i.z,
    "diag(z)' @ y": lambda i: i.z.conj() * i.y,
    "(r * A) @ y": lambda i: i.r * i.A @ i.y,
    "diag(a) @ x": lambda i: i.a[:, None, None] * i.x,
    # entry by entry
    "y + r": lambda i: i.y + i.r,
    "r - y": lambda i: i.r - i.y,
    "y / r": lambda i: i.y / i.r,
    "r * z": lambda i: i.r * i.z,
    "a * x": lambda i: i.a[:, None, None] * i.x,
    "x / a - s": lambda i: i.x / i.a[:, None, None] - i.s,
    "v * Y": lambda i: i.v[:, None] * i.Y,
    "Y - v": lambda i: i.Y - i.v[:, None],
    "y^2 - s^3": lambda i: i.y**2 - i.s**3,
    "2^y": lambda i: 2**i.y,
    "-y": lambda i: -i.y,
    "max(y, 0)": lambda i: np.maximum(i.y, 0),
    "min(0.5, y)": lambda i: np.minimum(0.5, i.y),
    "max(y, r)": lambda i: np.maximum(i.y, i.r),
    "min(y, s)": lambda i: np.minimum(i.y, i.s),
    "max(y, d)": lambda i: np.maximum(i.y, i.d),
    "(y > 0) + (y > d)": lambda i: (i.y > 0) * 1.0 + (i.y > i.d),
    "where(y > d, y, 0)": lambda i: np.where(i.y > i.d, i.y, 0),
    "where(y > d, 1, 2)": lambda i: np.where(i.y > i.d, 1, 2),
    "where(y > 0 and not (d > 0), r, y)": lambda i: np.where((i.y > 0) & ~(i.d > 0), i.r, i.y),
    "sqrt(abs(y)) + exp(-y)": lambda i: np.sqrt(abs(i.y)) + np.exp(-i.y),
    "complex(y, d)": lambda i: i.y + 1j * i.d,
    "complex(y, 2)": lambda i: i.y + 2j,
    "complex(0, y)": lambda i: 1j * i.y,
    "complex(1, r) * y": lambda i: (1 + 1j * i.r) * i.y,
    "real(z) + imag(z)": lambda i: i.z.real + i.z.imag,
    "conj(z) * y": lambda i: i.z.conj() * i.y,
    "abs(z)": lambda i: abs(i.z),
    "sign(y) * soft(y, 0.3)": lambda i: np.maximum(abs(i.y) - 0.3, 0),
    "soft(z, 0.5)": lambda i: i.z * np.maximum(1 - 0.5 / abs(i.z), 0),
    "soft(y, d^2)": lambda i: np.sign(i.y) * np.maximum(abs(i.y) - i.d**2, 0),
    # sums, and what is taken of arrays
    "sum(y)": lambda i: i.y.sum(),
    "sum(Y, axis=1)": lambda i: i.Y.sum(0),
    "sum(Y, axis=2)": lambda i: i.Y.sum(1),
    "mean(x)": lambda i: i.x.mean(),
    "sum(r)": lambda i: i.r,
    "norm(z)": lambda i: np.linalg.norm(i.z),
    "sumsq(Y) + sumsq(z)": lambda i: (i.Y**2).sum() + (abs(i.z) ** 2).sum(),
    "norm1(y)": lambda i: abs(i.y).sum(),
    "y[2]": lambda i: i.y[1],
    "y[2:3]": lambda i: i.y[1:3],
    "Y[1, 2:4]": lambda i: i.Y[0, 1:4],
    "Y[:, n]": lambda i: i.Y[:, -1],
    "Y[2:m, :]": lambda i: i.Y[1:],
    "x[:, 2:h - 1, 1]": lambda i: i.x[:, 1 : H - 1, 0],
    "concat(y, d)": lambda i: np.concatenate([i.y, i.d]),
    "concat(d, d)": lambda i: np.concatenate([i.d, i.d]),
    "concat(Y, A, axis=1)": lambda i: np.concatenate([i.Y, i.A], 0),
    "stack(y, d)": lambda i: np.stack([i.y, i.d]),
    # shared values
    "norm(A)^2 * y": lambda i: np.linalg.norm(i.A, 2) ** 2 * i.y,
    "(A' @ A) @ y + (A' @ A) @ d": lambda i: i.A.T @ i.A @ (i.y + i.d),
    "solve(A' @ A + 2 * I, y)": lambda i: np.linalg.solve(i.A.T @ i.A + 2 * np.eye(N), i.y),
    "solve(K' @ K + I, z)": lambda i: np.linalg.solve(i.K.conj().T @ i.K + np.eye(N), i.z),
    "solve(A' @ A + exp(r) * I, y)": lambda i: np.linalg.solve(
        i.A.T @ i.A + np.exp(i.r) * np.eye(N), i.y
    ),
    "m * y + n": lambda i: M * i.y + N,
}  # fmt: skip


class Sample:
    def __init__(self, **values: Any) -> None:
        vars(self).update(values)


BATCHES = ((), (2,), (2, 3))
# pages of some outputs each: more of them are one module, and what is shared between them is found
GROUPS = [list(CASES)[i : i + 11] for i in range(0, len(CASES), 11)]


def drawn(batch: tuple[int, ...]) -> list[Any]:
    """Inputs with those batch axes, no two samples alike."""
    found = []
    for name, value in INPUTS.items():
        shape = (*batch, *np.shape(value))
        found.append(complex_normal(*shape) if name == "z" else normal(*shape))
    return found


def expected(text: str, batch: tuple[int, ...], inputs: list[Any]) -> Any:
    """The formula, one sample at a time."""
    ranks = [np.ndim(value) for value in INPUTS.values()]
    flat = [x.reshape(-1, *x.shape[x.ndim - r :]) for x, r in zip(inputs, ranks, strict=True)]
    rows = [
        CASES[text](Sample(**FIXED, **dict(zip(INPUTS, sample, strict=True))))
        for sample in zip(*flat, strict=True)
    ]
    found = np.stack([np.asarray(row) for row in rows])
    return found.reshape((*batch, *found.shape[1:]))


@pytest.mark.parametrize("level", [0, 2])
@pytest.mark.parametrize("group", range(len(GROUPS)))
def test_expressions(group: int, level: int) -> None:
    texts = GROUPS[group]
    spec = unroll_dsl.loads(HEAD.format(", ".join(texts)), "e.unroll")
    net = spec.compile(bind=FIXED, dtype=torch.float64, optimize=level)
    for batch in BATCHES:
        inputs = drawn(batch)
        with torch.no_grad():
            found = net(*map(torch.from_numpy, inputs))
        for text, value in zip(texts, found, strict=True):
            wanted = expected(text, batch, inputs)
            ours = np.broadcast_to(value.resolve_conj().numpy(), wanted.shape)
            np.testing.assert_allclose(ours, wanted, rtol=1e-10, atol=1e-10, err_msg=text)
            assert np.iscomplexobj(ours) == np.iscomplexobj(wanted), text


@pytest.mark.parametrize("group", range(len(GROUPS)))
def test_the_reference_computes_the_same(group: int) -> None:
    texts = GROUPS[group]
    spec = unroll_dsl.loads(HEAD.format(", ".join(texts)), "e.unroll")
    inputs = drawn((2,))
    found = spec.reference(bind=FIXED)(*inputs)
    for text, value in zip(texts, found, strict=True):
        wanted = expected(text, (2,), inputs)
        np.testing.assert_allclose(value, wanted, rtol=1e-10, atol=1e-10, err_msg=text)


TOGETHER = "algorithm t\ndims n\ninput y, u : vector[n]\nfixed d : vector[n]\noutput {}\n"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("concat(y, u)", True),
        ("stack(u, y)", True),
        ("concat(y, d) + concat(u, d)", True),
        ("concat(y, 2 * y) + concat(u, u)", True),
        ("concat(d, 2 * d)", False),
    ],
)
def test_batch_axes_that_differ_are_put_together(text: str, wanted: bool) -> None:
    spec = unroll_dsl.loads(TOGETHER.format(text))
    d = normal(4)
    net = spec.compile(bind={"d": d}, dtype=torch.float64)
    assert ("def together" in spec.source()) == wanted
    for y, u in (
        (normal(2, 3, 4), normal(4)),
        (normal(4), normal(3, 4)),
        (normal(2, 4), normal(2, 4)),
    ):
        shape = np.broadcast_shapes(y.shape, u.shape)
        many_y, many_u = (np.broadcast_to(v, shape) for v in (y, u))
        found = net(torch.from_numpy(y), torch.from_numpy(u)).numpy()
        samples = [
            spec.reference(bind={"d": d})(a, b)
            for a, b in zip(many_y.reshape(-1, 4), many_u.reshape(-1, 4), strict=True)
        ]
        expected = np.stack(samples).reshape(*shape[:-1], *samples[0].shape)
        np.testing.assert_allclose(np.broadcast_to(found, expected.shape), expected)


def test_what_comes_of_one_input_has_its_batch_axes() -> None:
    text = "algorithm t\ndims n\ninput y : vector[n]\noutput concat(y, 2 * y), stack(y, -y)\n"
    assert "together" not in unroll_dsl.loads(text).source()
