"""Every route of `solve`: taken where it should be, right, and differentiable like its solution."""

from typing import Any

import pytest
import torch

import unroll_dsl
from unroll_dsl.passes.routes import routes

HEAD = "algorithm a\ndims m, n, h, w\n"
VECTORS = HEAD + "input y : vector[n]\nfixed A : matrix[m, n]\nlearnable rho : scalar > 0 = 0.7\n"
IMAGES = (
    HEAD + "input y : image[1, h, w]\nfixed kernel : matrix[3, 3]\n"
    "fixed T : linear image[1, h, w] -> vector[m]\nlearnable rho : scalar > 0 = 0.7\n"
    "let C = blur(kernel, padding=circular)\nlet Z = blur(kernel, padding=zero)\n"
)
SYSTEMS = {
    "division": VECTORS + "output solve(rho * I + diag(exp(rho) + A' @ (A @ y)), y)\n",
    "eigenvectors at set-up": VECTORS + "output solve(A @ A' + rho * I, A @ y)\n",
    "singular vectors at set-up": VECTORS + "output solve(A' @ A + rho * I, y)\n",
    "Cholesky factor": VECTORS + "output solve(A @ diag(exp(rho * y)) @ A' + rho * I, A @ y)\n",
    "Cholesky factor of the smaller side": VECTORS
    + "let B = A @ diag(exp(rho * y))\noutput solve(B' @ B + rho * I, y)\n",
    "Cholesky factor, a diagonal beside a wide matrix": VECTORS
    + "output solve(A' @ A + diag(exp(rho * y)), y)\n",
    "QR factors": VECTORS + "output solve(A @ A' - 0.3 * I, rho * A @ y)\n",
    "dense solution": VECTORS + "output solve(rho * A @ diag(y) @ A' + I, A @ y)\n",
    "division under the Fourier transform": IMAGES + "output solve(C' @ C + rho * I, y)\n",
    "conjugate gradients": IMAGES + "output solve(T' @ T + rho * grad' @ grad + rho * I, y)\n",
    "conjugate gradients, a weight in the middle": IMAGES
    + "output solve(T' @ diag(exp(rho * (T @ y))) @ T + 0.5 * I, y)\n",
    "conjugate gradients, not Hermitian": IMAGES + "output solve(Z + 2 * rho * I, y)\n",
    "conjugate gradients, complex": IMAGES
    + "output solve(ifft2 @ Z @ fft2 + (2 + 0.1 * rho) * I, ifft2 @ y)\n",
}
SIZES = {"m": 4, "n": 6, "h": 3, "w": 5}


def bound(text: str) -> tuple[dict[str, Any], torch.Tensor]:
    """Values for all names, and a batch of two inputs."""
    make = torch.Generator().manual_seed(1)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, dtype=torch.float64, generator=make) / 2

    if text.startswith(VECTORS):
        return {"A": normal(4, 6)}, normal(2, 6)
    return {"kernel": normal(3, 3), "T": normal(4, 15)}, normal(2, 1, 3, 5)


@pytest.mark.parametrize("name", SYSTEMS)
def test_route(name: str) -> None:
    spec = unroll_dsl.loads(SYSTEMS[name])
    assert routes(spec.graph, SIZES)[0].name == name.partition(",")[0]


@pytest.mark.parametrize("name", SYSTEMS)
def test_solution(name: str) -> None:
    spec = unroll_dsl.loads(SYSTEMS[name])
    bind, y = bound(SYSTEMS[name])
    dims = {key: SIZES[key] for key in ("h", "w")}
    expected = spec.reference(bind=bind, dims=dims)(y.numpy())  # the matrix written out
    found = spec.compile(bind=bind, dims=dims)(y).detach()
    torch.testing.assert_close(found, torch.as_tensor(expected), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", SYSTEMS)
def test_derivatives(name: str) -> None:
    bind, y = bound(SYSTEMS[name])
    dims = {key: SIZES[key] for key in ("h", "w")}
    net: Any = unroll_dsl.loads(SYSTEMS[name]).compile(bind=bind, dims=dims)

    def run(y: torch.Tensor, rho: torch.Tensor) -> torch.Tensor:
        found = torch.func.functional_call(net, {"rho": rho}, (y,))
        return torch.view_as_real(found) if found.is_complex() else found

    arguments = (y.requires_grad_(), net.rho.detach().requires_grad_())
    assert torch.autograd.gradcheck(run, arguments)
    if name.startswith("conjugate gradients"):
        (first,) = torch.autograd.grad(run(*arguments).sum(), arguments[:1])
        assert first.isfinite().all()
        with pytest.raises(RuntimeError, match="no second derivatives"):
            torch.autograd.grad(run(*arguments).sum(), arguments[:1], create_graph=True)
    else:
        assert torch.autograd.gradgradcheck(run, arguments)


ADMM = """
algorithm admm_of_a_map
dims m, n
input y : vector[m]
fixed A : linear vector[n] -> vector[m]
learnable rho : scalar > 0 = 0.5
state x, z : vector[n] = 0
phase (6):
    x <- solve(A' @ A + rho * I, A' @ y + rho * z, tolerance=1e-6)
    z <- soft(x, 0.01)
output z
"""


class Counted(torch.nn.Module):
    """A matrix that counts the vectors it is applied to."""

    def __init__(self, matrix: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("matrix", matrix)
        self.count = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.count += 1
        return x @ self.matrix.mT

    def adjoint(self, y: torch.Tensor) -> torch.Tensor:
        return y @ self.matrix


def test_later_phases_begin_at_the_last_solution() -> None:
    make = torch.Generator().manual_seed(0)
    A = Counted(torch.randn(20, 30, dtype=torch.float64, generator=make) / 5)
    y = torch.randn(3, 20, dtype=torch.float64, generator=make)
    counts = []
    for phases in (1, 2, 30, 31):
        net: Any = unroll_dsl.loads(ADMM).compile(
            phases, bind={"A": A}, dims={"m": 20, "n": 30}, dtype=y.dtype
        )
        held = next(m for m in net.modules() if hasattr(m, "count"))
        held.count = 0
        with torch.no_grad():
            net(y)
        counts.append(held.count)
    first, late = counts[0], counts[3] - counts[2]
    assert late < 0.8 * first


def test_samples_stop_one_by_one() -> None:
    """A sample's result is the same alone and beside one that converges late."""
    make = torch.Generator().manual_seed(0)
    A = torch.randn(20, 30, dtype=torch.float64, generator=make)
    net: Any = unroll_dsl.loads(ADMM).compile(bind={"A": A})
    y = torch.randn(2, 20, dtype=torch.float64, generator=make)
    y[1] *= 0
    with torch.no_grad():
        torch.testing.assert_close(net(y)[:1], net(y[:1]), rtol=1e-6, atol=1e-9)
        assert torch.equal(net(y)[1], torch.zeros(30, dtype=torch.float64))


def test_what_is_not_a_number_is_not_hidden() -> None:
    net: Any = unroll_dsl.loads(ADMM).compile(bind={"A": torch.eye(3)})
    assert net(torch.tensor([[1.0, torch.nan, 2.0]])).isnan().any()


@pytest.mark.gpu
def test_the_host_does_not_wait_within_the_iteration() -> None:
    net: Any = unroll_dsl.loads(ADMM).compile(bind={"A": torch.eye(3)}, device="cuda")
    y = torch.ones(2, 3, device="cuda")
    net(y)
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        net(y)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_the_iteration_exports() -> None:
    net: Any = unroll_dsl.loads(ADMM.replace("tolerance=1e-6", "iterations=5")).compile(
        2, bind={"A": torch.eye(3)}
    )
    y = torch.ones(2, 3)
    with torch.no_grad():
        exported = torch.export.export(net, (y,)).module()
        torch.testing.assert_close(exported(2 * y), net(2 * y))
