"""FISTA-Net whose transform is the identity, against FISTA written out in NumPy.

Layers of relus can be the identity: a value travels as its positive and its negative part. The
network computes r + G(B(soft(F(D(r)), theta))), so that B has to hand on r beside soft(r); r travels
through the shrinkage as r + C, C so large that shrinking only subtracts theta, which B adds again.
"""

from typing import Any

import numpy as np
import pytest
import torch

import unroll_dsl

Numbers = np.ndarray[Any, Any]
H, W = 4, 5
N, M = H * W, 26
THETA, C = 0.05, 100.0
RNG = np.random.default_rng(0)
X0 = RNG.standard_normal((2, 1, H, W)) / 10


def conv(taps: dict[tuple[int, int], float], bias: dict[int, float], ends: tuple[int, int]) -> Any:
    """A convolution whose kernels are numbers at their centres."""
    weight, shift = np.zeros((*ends, 3, 3)), np.zeros(ends[0])
    for (end, begin), value in taps.items():
        weight[end, begin, 1, 1] = value
    for end, value in bias.items():
        shift[end] = value
    return {"weight": weight, "bias": shift}


def chain(*convs: Any) -> Any:
    return {f"{2 * i}.{name}": v for i, layer in enumerate(convs) for name, v in layer.items()}


def identity_transform() -> dict[str, Any]:
    square = (32, 32)
    keep = conv({(0, 0): 1, (1, 1): 1, (2, 2): 1}, {}, square)
    parts = conv({(0, 0): 1, (1, 0): -1}, {}, square)  # r to r, -r; the relu behind cuts them
    join = conv({(0, 0): 1, (0, 1): -1, (1, 0): 1, (1, 1): -1}, {1: C}, square)  # r and r + C
    split = conv({(0, 0): 1, (1, 0): -1, (2, 1): 1}, {}, square)
    back = conv({(0, 0): 1, (0, 1): -1, (1, 2): 1}, {1: THETA - C}, square)
    return {
        "D": conv({(0, 0): 1}, {}, (32, 1)),
        "F": chain(parts, keep, keep, join),
        "B": chain(split, keep, keep, back),
        "G": conv({(0, 0): 1, (0, 1): -1}, {}, (1, 32)),
    }


def fista(A: Numbers, b: Numbers, step: float, momentum: list[float]) -> list[Numbers]:
    """FISTA (Beck, Teboulle, 2009) for 1/2 |A x - b|^2 + theta |x|_1, x >= 0: every iterate."""
    x = z = X0.reshape(2, N)
    found = []
    for rho in momentum:
        before = x
        x = np.maximum(z - step * (z @ A.T - b) @ A - THETA, 0)
        z = x + rho * (x - before)
        found.append(x)
    return found


def compared(net: Any, b: Numbers, expected: list[Numbers]) -> None:
    with torch.no_grad():
        states = net.trajectory(torch.as_tensor(b), torch.as_tensor(X0))
    assert len(states) == len(expected)
    for found, x in zip(states, expected, strict=True):
        np.testing.assert_allclose(found["x"].flatten(1), x, atol=1e-12)
    assert 0.1 < np.mean(expected[-1] == 0) < 0.9  # it shrinks, and not all


def softplus_inverse(value: float) -> float:
    return float(np.log(np.expm1(value)))


def test_the_packaged_network() -> None:
    """With orthonormal columns its Gauss-Newton step is the gradient step of FISTA."""
    A = np.linalg.qr(RNG.standard_normal((M, N)))[0]
    b = RNG.standard_normal((2, M)) / 4
    init = identity_transform()
    init |= {"w_theta": 0.0, "c_theta": softplus_inverse(THETA)}
    init |= {"w_mu": 0.0, "c_mu": softplus_inverse(1.0)}
    bind = {"A": A, "R": np.zeros((3, N)), "M": np.eye(N)}
    net = unroll_dsl.load("fista_net").compile(bind=bind, init=init, dims={"h": H, "w": W})
    gains = np.logaddexp(0, 0.5 * np.arange(7))
    compared(net, b, fista(A, b, 1.0, list((gains - gains[0]) / gains)))


def test_with_the_gradient_matrix_and_the_momentum_of_fista() -> None:
    """fista_net_plus of any A: three schedules replaced by FISTA's constants."""
    A, b = RNG.standard_normal((12, N)), RNG.standard_normal((2, 12))
    text = unroll_dsl.load("fista_net_plus").program.file.text
    constants = {"theta": str(THETA), "mu": "1 / norm(A)^2", "rho": "(k - 1) / (k + 2)"}
    lines = []
    for line in text.splitlines():
        word = line.split()[1] if line.startswith("let ") else ""
        lines.append(f"let {word} = {constants[word]}" if word in constants else line)
    spec = unroll_dsl.loads("\n".join(lines) + "\n")
    bind = {"A": A, "W": A, "M": np.eye(N)}
    net = spec.compile(20, bind=bind, init=identity_transform(), dims={"h": H, "w": W})
    step = 1 / np.linalg.norm(A, 2) ** 2
    compared(net, b, fista(A, b, step, [(k - 1) / (k + 2) for k in range(1, 21)]))


@pytest.mark.parametrize("value", [-0.3, -0.01, 0.0, 0.04, 2.0])
def test_the_transform_is_the_identity(value: float) -> None:
    """B(F(D(r))) without shrinkage is r twice, up to theta: what the trace `symmetry` measures."""
    init = identity_transform()
    layer = init["F"]
    made = torch.nn.Sequential(
        *(m for _ in range(4) for m in (torch.nn.Conv2d(32, 32, 3, padding=1), torch.nn.ReLU()))
    )[:-1].double()
    made.load_state_dict({key: torch.as_tensor(v) for key, v in layer.items()})
    d = torch.zeros(1, 32, H, W, dtype=torch.float64)
    d[:, 0] = value
    found = made(d)
    torch.testing.assert_close(found[:, 0], d[:, 0])
    torch.testing.assert_close(found[:, 1], d[:, 0] + C)
