"""Arrays of NumPy in any layout in memory give what their plain copies give, through every entry."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.sparse.linalg import LinearOperator

import unroll_dsl
from unroll_dsl.reproduce import reproduce
from unroll_dsl.reproduce.protocol import Protocol
from unroll_dsl.weights import load_network, save_network

RNG = np.random.default_rng(0)
A, W = RNG.standard_normal((2, 4, 6))
Y = RNG.standard_normal(4)
PHI = RNG.standard_normal((3, 36))


def read_only(array: Any) -> Any:
    found = array.copy()
    found.flags.writeable = False
    return found


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "negative strides": lambda a: np.ascontiguousarray(np.flip(a))[(slice(None, None, -1),) * a.ndim],
    "columns first": np.asfortranarray,
    "every second": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "other byte order": lambda a: a.astype(a.dtype.newbyteorder()),
    "read only": read_only,
}  # fmt: skip


@pytest.fixture(params=LAYOUTS)
def layout(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    return LAYOUTS[request.param]


@pytest.mark.parametrize("level", [0, 1, 2])
def test_bound_values_and_beginnings(layout: Callable[[Any], Any], level: int) -> None:
    spec = unroll_dsl.load("lista_cp")
    y = torch.from_numpy(Y)
    first, second = (
        spec.compile(2, bind={"A": a}, init={"W": w, "theta": t}, optimize=level)
        for a, w, t in ((A, W, np.array([0.1, 0.2])), map(layout, (A, W, np.array([0.1, 0.2]))))
    )
    assert torch.equal(first(y), second(y))
    assert second.state_dict()["phases.0.W"].is_contiguous()


def test_the_reference(layout: Callable[[Any], Any]) -> None:
    spec = unroll_dsl.load("ista")
    plain = spec.reference(3, bind={"A": A, "lambda": 0.1})(Y)
    other = spec.reference(3, bind={"A": layout(A), "lambda": 0.1})(layout(Y))
    np.testing.assert_allclose(other, plain, rtol=1e-12)


def test_matrices_as_linear_maps(layout: Callable[[Any], Any]) -> None:
    spec = unroll_dsl.load("ista_net")
    sizes = {"h": 6, "w": 6}
    nets = [
        spec.compile(1, bind={"Phi": a, "Q": q}, dims=sizes, seed=0)
        for a, q in ((PHI, PHI.T), (layout(PHI), layout(PHI.T)))
    ]
    y = torch.from_numpy(RNG.standard_normal((2, 3)))
    torch.testing.assert_close(nets[1](y), nets[0](y))


def test_networks_in_files(layout: Callable[[Any], Any], tmp_path: Path) -> None:
    spec = unroll_dsl.load("lista_cp")
    net = spec.compile(2, bind={"A": layout(A)})
    save_network(tmp_path / "n.safetensors", spec, net, bind={"A": layout(A)})
    again = load_network(tmp_path / "n.safetensors", bind={"A": layout(A)}, dtype=torch.float64)
    torch.testing.assert_close(again(torch.from_numpy(Y)), net(torch.from_numpy(Y)))
    values = spec.values(again, bind={"A": layout(A)})
    torch.testing.assert_close(values["W"][0], net.state_dict()["phases.0.W"])


def test_measurements(layout: Callable[[Any], Any]) -> None:
    spec = unroll_dsl.load("lista_cp")
    made = unroll_dsl.measurement(spec)
    assert made is not None
    x = torch.from_numpy(RNG.standard_normal(6))
    torch.testing.assert_close(made.compile(bind={"A": layout(A)})(x), torch.from_numpy(A) @ x)


def test_what_protocols_bind(layout: Callable[[Any], Any], tmp_path: Path) -> None:
    np.save(tmp_path / "image.npy", RNG.uniform(0, 1, (8, 8)))
    mask = (RNG.random((8, 8)) < 0.5).astype(float)
    mask[0, 0] = 1
    rows = [
        reproduce(
            unroll_dsl.load("zero_filling"),
            Protocol("k-space", "y", mask="P"),
            images=tmp_path / "image.npy",
            weights=None,
            names=tmp_path,
            bind={"P": value},
            choices={},
        ).rows
        for value in (mask, layout(mask))
    ]
    assert rows[0] == rows[1]


def test_operators_of_scipy_may_return_any_layout(layout: Callable[[Any], Any]) -> None:
    turned = LinearOperator(
        A.shape,
        matvec=lambda x: layout(A @ np.ravel(x)),
        rmatvec=lambda y: layout(A.T @ np.ravel(y)),
        dtype=float,
    )
    spec = unroll_dsl.loads(
        "algorithm g\ndims m, n\ninput y : vector[m]\nfixed A : linear vector[n] -> vector[m]\noutput A' @ y\n",
        "g.unroll",
    )
    net = spec.compile(bind={"A": turned}, dims={"m": 4, "n": 6}, dtype=torch.float64)
    torch.testing.assert_close(net(torch.from_numpy(Y)), torch.from_numpy(A.T @ Y))
