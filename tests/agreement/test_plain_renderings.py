"""Pages against plain torch, written from their papers: values and gradients in double precision."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import unroll_dsl

PHASES = 3


PAGES = Path(__file__).parent / "pages"  # those that are not shipped


def compiled(name: str, **options: Any) -> nn.Module:
    own = PAGES / f"{name}.unroll"
    spec = unroll_dsl.load(str(own) if own.is_file() else name)
    return spec.compile(PHASES, dtype=torch.float64, seed=0, **options)


def same(
    network: nn.Module, inputs: Sequence[Tensor], plain: Callable[[nn.Module], Tensor]
) -> None:
    """Equal values, and equal gradients of a weighted sum of them by everything that is learned."""
    found, expected = network(*inputs), plain(network)
    found = found[0] if isinstance(found, tuple) else found
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    parameters = [p for p in network.parameters() if p.requires_grad]
    weights = torch.randn(expected.shape, generator=torch.Generator().manual_seed(5)).to(expected)
    for value in (found, expected):
        assert value.isfinite().all()
    if parameters:
        one, other = (
            torch.autograd.grad((weights * v).sum().real, parameters, allow_unused=True)
            for v in (found, expected)
        )
        for a, b in zip(one, other, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


def normal(*shape: int, seed: int = 1, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


class Denoiser(nn.Module):
    """A denoiser that is told the noise."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, s: Tensor | None = None) -> Tensor:
        level = 0.1 if s is None else s[:, None, None, None]
        return x - level * torch.tanh(self.conv(x))


def transfer(K: Tensor, h: int, w: int) -> Tensor:
    """The transfer function of a periodic blur whose origin is the middle of the kernel."""
    a, b = K.shape
    wide = torch.zeros(h, w, dtype=K.dtype)
    wide[:a, :b] = K
    return torch.fft.fft2(wide.roll((-(a // 2), -(b // 2)), (0, 1)))


def kernel() -> Tensor:
    K = normal(3, 3, seed=7).abs()
    return K / K.sum()


def test_modl() -> None:
    y, S = (
        normal(2, 4, 6, 8, dtype=torch.complex128),
        normal(4, 6, 8, seed=2, dtype=torch.complex128),
    )
    P = (normal(6, 8, seed=3) > 0).double()
    network = compiled("modl", dims={"f": 4})

    def plain(net: Any) -> Tensor:
        """Conjugate gradients in the paper; the system by its matrix here."""
        E = torch.eye(48, dtype=torch.complex128).reshape(48, 1, 6, 8)
        A = (P * torch.fft.fft2(S * E, norm="ortho")).reshape(48, -1).mT
        M = A.mH @ A + net.lambda_ * torch.eye(48, dtype=torch.complex128)
        Aty = (y.reshape(2, -1) @ A.conj()).reshape(2, 1, 6, 8)
        x = Aty
        for _ in range(PHASES):
            noise = net.N(torch.cat((x.real, x.imag), 1))
            z = x - torch.complex(noise[:, :1], noise[:, 1:])
            b = (Aty + net.lambda_ * z).reshape(2, -1)
            x = torch.linalg.solve(M, b.mT).mT.reshape(2, 1, 6, 8)
        return x

    same(network, (y, S.expand(2, 4, 6, 8), P.expand(2, 6, 8)), plain)


def test_dpir() -> None:
    y, K = normal(2, 3, 6, 8), kernel()
    denoiser = Denoiser(3).double()
    network = compiled("dpir", bind={"K": K, "N": denoiser}, dims={"h": 6, "w": 8})

    def plain(net: Any) -> Tensor:
        F, sigma, z = transfer(K, 6, 8), 0.03, y
        for k in range(PHASES):
            level = 49 / 255 * (sigma / (49 / 255)) ** (k / 7)
            alpha = 0.23 * sigma**2 / level**2
            top = F.conj() * torch.fft.fft2(y) + alpha * torch.fft.fft2(z)
            x = torch.fft.ifft2(top / (F.abs() ** 2 + alpha)).real
            z = denoiser(x, torch.full((2,), level, dtype=torch.float64))
        return z

    same(network, (y,), plain)


def test_red() -> None:
    y, K = normal(2, 3, 6, 8), kernel()
    denoiser = Denoiser(3).double()
    network = compiled("red", bind={"K": K, "N": denoiser})

    def plain(net: Any) -> Tensor:
        F, x = transfer(K, 6, 8), y
        mu = 2 / (1 / 0.05**2 + 20)
        for _ in range(PHASES):
            residual = F.conj() * (F * torch.fft.fft2(x) - torch.fft.fft2(y))
            gradient = torch.fft.ifft2(residual).real / 0.05**2 + 20 * (x - denoiser(x))
            x = x - mu * gradient
        return x

    same(network, (y,), plain)


def test_richardson_lucy() -> None:
    y, K = normal(2, 3, 6, 8).abs(), kernel()
    network = compiled("richardson_lucy", bind={"K": K})

    def plain(net: Any) -> Tensor:
        F = transfer(K, 6, 8)
        x = y.mean((1, 2, 3), keepdim=True).expand_as(y)
        for _ in range(PHASES):
            blurred = torch.fft.ifft2(F * torch.fft.fft2(x)).real
            x = x * torch.fft.ifft2(F.conj() * torch.fft.fft2(y / blurred)).real
        return x

    same(network, (y,), plain)


def test_deep_nmf() -> None:
    v, W0 = normal(2, 7).abs(), normal(7, 9, seed=2).abs()
    network = compiled("deep_nmf", bind={"W0": W0}, dims={"r": 4, "q": 5})

    def plain(net: Any) -> Tensor:
        H, s = torch.ones(2, 9, dtype=torch.float64), v
        for phase in net.phases:
            W = phase.W
            H = H * ((v / (H @ W.mT + 1e-9)) @ W) / (W.sum(0) + 0.1)
            s = v * (H[:, :4] @ W[:, :4].mT) / (H @ W.mT + 1e-9)
        return s

    same(network, (v,), plain)


def test_learned_primal_dual() -> None:
    angles = torch.tensor([0.0, 40.0, 75.0, 120.0], dtype=torch.float64)
    y = normal(2, 1, 4, 6)
    network = compiled("learned_primal_dual", bind={"angles": angles}, dims={"n": 6, "f": 3})
    page = "algorithm a\ndims n, m\ninput x : image[1, n, n]\nfixed t : vector[m]\noutput radon(t) @ x\n"
    rays = unroll_dsl.loads(page).compile(bind={"t": angles})
    T = rays(torch.eye(36, dtype=torch.float64).reshape(36, 1, 6, 6)).reshape(36, -1).mT

    def plain(net: Any) -> Tensor:
        """The rays as a matrix of their own."""
        d, p = torch.zeros(2, 5, 4, 6).double(), torch.zeros(2, 5, 6, 6).double()
        for phase in net.phases:
            shadow = (p[:, 1].flatten(1) @ T.mT).reshape(2, 1, 4, 6)
            d = d + phase.G(torch.cat((d, shadow, y), 1))
            back = (d[:, 0].flatten(1) @ T).reshape(2, 1, 6, 6)
            p = p + phase.L(torch.cat((p, back), 1))
        return p[:, :1]

    same(network, (y,), plain)


def test_ldamp() -> None:
    A, y, probe = normal(20, 48) / math.sqrt(20), normal(2, 20, seed=2), normal(1, 6, 8, seed=3)
    network = compiled(
        "ldamp", bind={"A": A, "probe": probe, "D": Denoiser(1)}, dims={"h": 6, "w": 8}
    )

    def plain(net: Any) -> Tensor:
        x, z = torch.zeros(2, 1, 6, 8).double(), y
        for phase in net.phases:
            v = x + (z @ A).reshape(2, 1, 6, 8)
            s = z.norm(dim=1) / math.sqrt(20)
            x = phase.D(v, s)
            moved = phase.D(v + 0.001 * probe, s)
            div = (probe * (moved - x)).sum((1, 2, 3)) / 0.001
            z = y - x.flatten(1) @ A.mT + z * div[:, None] / 20
        return x

    same(network, (y,), plain)


def test_every_channel_of_a_colour_image_is_solved_alike_under_the_fourier_transform() -> None:
    """Against the dense system, and without conjugate gradients."""
    spec = unroll_dsl.loads(
        "algorithm a\ndims h, w\ninput y : complex image[3, h, w]\nfixed K : matrix[3, 3]\n"
        "fixed P : mask[h, w]\nlet B = blur(K, padding=circular)\nlet A = P * fft2\n"
        "output solve(B' @ B + A' @ A + 0.1 * I, y)\n"
    )
    K, P = kernel(), (normal(6, 8, seed=3) > 0).double()
    network = spec.compile(bind={"K": K, "P": P}, dtype=torch.float64)
    assert "conjugate_gradients" not in spec.source(dims={"h": 6, "w": 8})
    E = torch.eye(48, dtype=torch.complex128).reshape(48, 6, 8)
    blurred = torch.fft.ifft2(transfer(K, 6, 8) * torch.fft.fft2(E)).reshape(48, 48).mT
    sampled = (P * torch.fft.fft2(E, norm="ortho")).reshape(48, 48).mT
    M = blurred.mH @ blurred + sampled.mH @ sampled + 0.1 * torch.eye(48, dtype=torch.float64)
    y = normal(3, 6, 8, dtype=torch.complex128)
    expected = torch.linalg.solve(M, y.reshape(3, 48).mT).mT.reshape(3, 6, 8)
    torch.testing.assert_close(network(y), expected, rtol=1e-12, atol=1e-12)
