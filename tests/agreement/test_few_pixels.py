"""Super-resolution: systems of a periodic blur of which every s-th row and column is kept, in closed form."""

import pytest
import torch
from torch import Tensor, nn

import unroll_dsl
from unroll_dsl.passes.routes import routes

HEAD = (
    "algorithm a\ndims c, h, w, b, s = 2\ninput y : image[c, h, w]\ninput K : matrix[b, b]\n"
    "input x0 : image[c, s * h, s * w]\ninput mu : scalar > 0\nlearnable rho : scalar > 0 = 0.7\n"
    "let A = downsample(s) @ blur(K, padding=circular)\nlet S = downsample(s)\n"
)
SYSTEMS = {
    "as published": "solve(A' @ A + mu * I, A' @ y + mu * x0)",
    "a number before it": "solve(rho * A' @ A + mu * I, A' @ y)",
    "a quotient, two shifts": "solve(A' @ A / rho + mu * I + 0.1 * I, x0)",
    "two blurs": "solve(blur(K, padding=circular)' @ A' @ A @ blur(K, padding=circular) + mu * I, x0)",
    "no blur": "solve(S' @ S + mu * I, x0)",
}


def given(s: int, batch: tuple[int, ...] = (2,)) -> tuple[Tensor, ...]:
    torch.manual_seed(0)
    double = {"dtype": torch.float64}
    y, x0 = torch.randn(*batch, 3, 3, 5, **double), torch.randn(*batch, 3, 3 * s, 5 * s, **double)
    return y, torch.rand(*batch, 4, 4, **double), x0, 0.1 + torch.rand(batch, **double)


def route(system: str) -> str:
    return routes(unroll_dsl.loads(f"{HEAD}output {system}\n").graph)[0].name


@pytest.mark.parametrize("s", [1, 2, 3])
@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS.keys())
def test_it_is_the_solution_of_the_dense_system(system: str, s: int) -> None:
    assert route(system) == "division under the Fourier transform of the kept pixels"
    spec = unroll_dsl.loads(f"{HEAD}output {system}\n")
    for batch in ((2,), (), (2, 1)):
        inputs = given(s, batch)
        expected = spec.reference(dims={"s": s})(*(v.numpy() for v in inputs))
        for level in (0, 2):
            net = spec.compile(dims={"s": s}, dtype=torch.float64, optimize=level)
            found = net(*inputs).detach()
            torch.testing.assert_close(found, torch.as_tensor(expected), rtol=1e-9, atol=1e-11)


def test_gradients_are_those_of_the_dense_solution() -> None:
    spec = unroll_dsl.loads(f"{HEAD}output {SYSTEMS['as published']}\n")
    net = spec.compile(dtype=torch.float64)
    y, K, x0, mu = (v.requires_grad_() for v in given(2))

    def dense() -> Tensor:
        """Column by column, each sample by itself."""
        found = []
        for i in range(2):
            E = torch.eye(60, dtype=torch.float64).reshape(60, 1, 6, 10)
            kernel = K[i].flip(-2, -1)[None, None]  # torch correlates
            padded = nn.functional.pad(E, (1, 2, 1, 2), mode="circular")
            A = nn.functional.conv2d(padded, kernel)[..., ::2, ::2].reshape(60, -1).mT
            M = A.mT @ A + mu[i] * torch.eye(60, dtype=torch.float64)
            b = y[i].flatten(1) @ A + mu[i] * x0[i].flatten(1)
            found.append(torch.linalg.solve(M, b.mT).mT.reshape(3, 6, 10))
        return torch.stack(found)

    weights = torch.randn(2, 3, 6, 10, dtype=torch.float64)
    torch.testing.assert_close(net(y, K, x0, mu), dense())
    pairs = ((weights * value).sum() for value in (net(y, K, x0, mu), dense()))
    for one, other in zip(*(torch.autograd.grad(p, (y, K, x0, mu)) for p in pairs), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(
    "system",
    [
        "solve(downsample(s)' @ downsample(s) + blur(K)' @ blur(K) + mu * I, x0)",
        "solve((downsample(s) @ blur(K))' @ downsample(s) @ blur(K) + mu * I, x0)",
    ],
    ids=["two terms", "zeros beyond the border"],
)
def test_other_systems_take_another_route(system: str) -> None:
    assert route(system) == "conjugate gradients"


def test_a_shift_of_nothing_is_refused() -> None:
    spec = unroll_dsl.loads(f"{HEAD}output {SYSTEMS['as published']}\n", name="page.unroll")
    y, K, x0, mu = given(2)
    with pytest.raises(RuntimeError, match=r"page.unroll:10: the system of `solve` is singular"):
        spec.compile(dtype=torch.float64)(y, K, x0, 0 * mu)
